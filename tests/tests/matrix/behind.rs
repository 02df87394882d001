//! What stands behind a server with a fault: the service, which may or may not hear of a create, and the answer it gives.

use std::time::Duration;

use std::sync::Mutex;
use std::sync::mpsc::Sender;

use strike_core::http::{HeaderValue, Method, Request, header};
use strike_core::{HttpRequest, HttpResponse};
use strike_sandbox::Sandbox;

use crate::world;

/// The service behind a fault.
pub struct Behind {
    sandbox: Sandbox,
    /// Whether a create reaches the service. If not, it is answered all the same, by a service that nobody asks again.
    stored: bool,
    /// Where redirects lead to: another host, port and scheme.
    pub elsewhere: Vec<String>,
    /// Told when a connection was warmed up.
    pub warmed_up: Mutex<Sender<()>>,
}

impl Behind {
    pub fn new(sandbox: Sandbox, stored: bool, elsewhere: Vec<String>, warmed_up: Sender<()>) -> Self {
        Self { sandbox, stored, elsewhere, warmed_up: Mutex::new(warmed_up) }
    }

    /// What the service says to a request as it came out of a socket.
    pub fn answer(&self, request: &str) -> HttpResponse {
        let request = parse(request);
        if request.method() == Method::POST && !self.stored {
            world::sandbox(Duration::ZERO).respond(&request)
        } else {
            self.sandbox.respond(&request)
        }
    }

    /// The seconds of the service's clock.
    pub fn unix_seconds(&self) -> u64 {
        self.sandbox.now().as_millis() / 1000
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

/// The head and the body of a response, as bytes for a socket; the connection ends after it.
pub fn render(mut response: HttpResponse) -> (Vec<u8>, Vec<u8>) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    render_kept(response)
}

/// The same for a connection that is kept.
pub fn render_kept(response: HttpResponse) -> (Vec<u8>, Vec<u8>) {
    let status = response.status();
    let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or("?"));
    for (name, value) in response.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    head.push_str("\r\n");
    (head.into_bytes(), response.into_body())
}
