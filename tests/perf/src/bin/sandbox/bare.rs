//! A bare hyper server that sends the same response to every request.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;

/// Starts a server on a thread of its own, which runs until the program ends.
pub(crate) fn serve(response: Response<Vec<u8>>) -> SocketAddr {
    let response = response.map(Bytes::from);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let response = response.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let response = response.clone();
                    async move {
                        let _ = request.into_body().collect().await;
                        Ok::<_, Infallible>(response.map(Full::new))
                    }
                });
                let mut http = http1::Builder::new();
                tokio::spawn(http.title_case_headers(true).serve_connection(TokioIo::new(stream), service));
            }
        });
    });
    address
}
