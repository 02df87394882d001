//! A minimal HTTP client that shows the exact bytes on the wire.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A client connection, plain or TLS, with a read timeout of 20 seconds.
pub(crate) struct Connection<S = TcpStream>(pub(crate) BufReader<S>);

pub(crate) struct Response {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a valid status")
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::from_stream(connect(address))
    }

    /// Closes the sending side. Responses can still be read.
    pub(crate) fn finish_sending(&mut self) {
        self.0.get_mut().shutdown(Shutdown::Write).expect("the connection is open");
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server is listening");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("the read timeout can be set");
    stream
}

/// Returns the socket address in a base URL.
pub(crate) fn address(base_url: &str) -> SocketAddr {
    base_url
        .split_once("://")
        .and_then(|(_, rest)| rest.strip_suffix("/api/v1/"))
        .and_then(|address| address.parse().ok())
        .expect("a base URL")
}

impl<S: Read + Write> Connection<S> {
    pub(crate) fn from_stream(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("the peer accepts the bytes");
    }

    /// Reads the next response. It must have a Content-Length.
    pub(crate) fn read(&mut self) -> Response {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).expect("a response"), 0, "closed after {head:?}");
        }
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
            .expect("a Content-Length header");
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a complete body");
        Response { head, body: String::from_utf8(body).expect("UTF-8") }
    }

    /// Reads the next line, including its line ending.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line of output");
        line
    }

    pub(crate) fn send(&mut self, request: &str) -> Response {
        self.write(request.as_bytes());
        self.read()
    }

    /// Returns the underlying stream.
    #[allow(dead_code, reason = "only the tests of TLS use it")]
    pub(crate) fn get_mut(&mut self) -> &mut S {
        self.0.get_mut()
    }

    /// Returns true if the other side has closed the connection and no data is left.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

/// Returns a request with the credentials of the API key `sk_demo`.
pub(crate) fn request(line: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic c2tfZGVtbzo=\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

pub(crate) const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

pub(crate) fn post(amount: u64) -> String {
    request("POST /api/v1/charges", FORM, &format!("amount={amount}&currency=btc&description=x"))
}

pub(crate) fn list() -> String {
    request("GET /api/v1/charges", "", "")
}

/// Returns the id in the JSON of a charge.
pub(crate) fn id(charge: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(charge).expect("JSON");
    value["id"].as_str().expect("a charge id").to_owned()
}
