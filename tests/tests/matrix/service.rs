//! The service behind a faulty server. Whether a create reaches it depends on the operation.

use std::time::Duration;

use std::sync::Mutex;
use std::sync::mpsc::Sender;

use strike_core::http::{HeaderValue, Method, Request, header};
use strike_core::{HttpRequest, HttpResponse};
use strike_tests::Backend;

use crate::world;

/// The service behind a fault. It makes the normal responses.
pub struct Service {
    pub backend: Backend,
    /// Whether a create reaches the service. If not, the response comes from another one.
    stored: bool,
    /// The targets of redirects: another host, another port and another scheme.
    pub redirect_targets: Vec<String>,
    /// Gets a message when a connection is ready for reuse.
    pub connection_ready: Mutex<Sender<()>>,
}

impl Service {
    pub fn new(
        backend: Backend,
        stored: bool,
        redirect_targets: Vec<String>,
        connection_ready: Sender<()>,
    ) -> Self {
        Self { backend, stored, redirect_targets, connection_ready: Mutex::new(connection_ready) }
    }

    /// Returns the service's response to a request that was read from a socket.
    pub fn respond(&self, request: &str) -> HttpResponse {
        let request = parse(request);
        if request.method() == Method::POST && !self.stored {
            world::backend(self.backend.dialect, Duration::ZERO).respond(&request)
        } else {
            self.backend.respond(&request)
        }
    }

    /// The service's time, in seconds.
    pub fn unix_seconds(&self) -> u64 {
        self.backend.sandbox.now().as_millis() / 1000
    }
}

fn parse(raw: &str) -> HttpRequest {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let mut request = Request::builder().method(first.next().unwrap()).uri(first.next().unwrap());
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    request.body(body.as_bytes().to_vec()).unwrap()
}

/// Renders head and body of a response with `Connection: close`.
pub fn render(mut response: HttpResponse) -> (Vec<u8>, Vec<u8>) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    render_kept(response)
}

/// Renders head and body of a response on a connection that stays open.
pub fn render_kept(response: HttpResponse) -> (Vec<u8>, Vec<u8>) {
    let status = response.status();
    let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or("?"));
    for (name, value) in response.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    head.push_str("\r\n");
    (head.into_bytes(), response.into_body())
}
