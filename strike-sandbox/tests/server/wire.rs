//! The least of an HTTP client: what it writes and reads is what stands on the wire.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A connection that fails instead of waiting for ever, plain or in TLS.
pub(crate) struct Connection<S = TcpStream>(pub(crate) BufReader<S>);

pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::over(connect(address))
    }

    /// Sends no more, and still listens.
    pub(crate) fn end(&mut self) {
        self.0.get_mut().shutdown(Shutdown::Write).expect("it was open");
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    stream
}

/// The address in a base URL.
pub(crate) fn address(base_url: &str) -> SocketAddr {
    base_url
        .split_once("://")
        .and_then(|(_, rest)| rest.strip_suffix("/api/v1/"))
        .and_then(|address| address.parse().ok())
        .expect("a base URL")
}

impl<S: Read + Write> Connection<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("it reads");
    }

    /// The next answer, by its content length.
    pub(crate) fn read(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).expect("an answer"), 0, "closed after {head:?}");
        }
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
            .expect("a length");
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a whole body");
        Answer { head, body: String::from_utf8(body).expect("UTF-8") }
    }

    /// The next line, with its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line
    }

    pub(crate) fn ask(&mut self, request: &str) -> Answer {
        self.write(request.as_bytes());
        self.read()
    }

    /// The stream below.
    #[allow(dead_code, reason = "only the tests of TLS use it")]
    pub(crate) fn get_mut(&mut self) -> &mut S {
        self.0.get_mut()
    }

    /// Whether the other side has closed, with nothing left to read.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

/// A request by someone with the key `sk_demo`.
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

/// The id in a charge's JSON.
pub(crate) fn id(charge: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(charge).expect("JSON");
    value["id"].as_str().expect("an id").to_owned()
}
