//! A server that hides its payments for a while, so that they are seen late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use strike_async::HttpRequest;
use strike_sandbox::Sandbox;
use tokio::net::TcpListener;

/// A sandbox that says of every charge that it is unpaid, until it may show the payments.
pub(crate) struct HidingHost {
    pub(crate) sandbox: Sandbox,
    pub(crate) base_url: String,
    shows: Arc<AtomicBool>,
}

impl HidingHost {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base_url = format!("http://{}/api/v1/", listener.local_addr().expect("an address"));
        let (sandbox, shows) = (Sandbox::new(), Arc::new(AtomicBool::new(false)));
        let (host, may_show) = (sandbox.clone(), Arc::clone(&shows));
        let app = Router::new().fallback(async move |request| respond(&host, &may_show, request).await);
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { sandbox, base_url, shows }
    }

    pub(crate) fn show_payments(&self) {
        self.shows.store(true, Ordering::SeqCst);
    }
}

async fn respond(sandbox: &Sandbox, shows: &AtomicBool, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let response = sandbox.respond(&HttpRequest::from_parts(head, body.to_vec()));
    let (mut head, body) = response.into_parts();
    head.headers.remove("content-length");
    let mut text = String::from_utf8(body).expect("JSON");
    if !shows.load(Ordering::SeqCst) {
        text = text.replace("\"paid\" : true", "\"paid\" : false");
    }
    Response::from_parts(head, Bytes::from(text).into())
}
