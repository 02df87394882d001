//! A client that costs little: keep-alive connections, and one request at a time on each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use strike_core::http::Request;

/// base64 of `sk_demo:`.
const KEY: &str = "Basic c2tfZGVtbzo=";
const FORM: &str = "amount=4200&currency=btc&description=services+rendered";

/// A request that is sent again and again.
#[derive(Clone)]
pub(crate) struct Call {
    method: &'static str,
    path: String,
    body: &'static str,
}

impl Call {
    pub(crate) fn get(path: &str) -> Self {
        Self { method: "GET", path: path.to_owned(), body: "" }
    }

    pub(crate) fn create() -> Self {
        Self { method: "POST", path: "/api/v1/charges".to_owned(), body: FORM }
    }

    pub(crate) fn pay(id: &str) -> Self {
        Self { method: "POST", path: format!("/sandbox/charges/{id}/pay"), body: "" }
    }

    /// Returns the request for `Sandbox::respond`.
    pub(crate) fn in_memory(&self) -> Request<Vec<u8>> {
        let builder = Request::builder().method(self.method).uri(&self.path);
        let builder = builder.header("authorization", KEY);
        builder
            .header("content-type", "application/x-www-form-urlencoded")
            .body(self.body.as_bytes().to_vec())
            .unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { method, path, body } = self;
        let length = body.len();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {KEY}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// Connections to one server.
pub(crate) struct Connections(Vec<BufReader<TcpStream>>);

impl Connections {
    pub(crate) fn open(server: SocketAddr, count: usize) -> Self {
        let open = |_| {
            let stream = TcpStream::connect(server).unwrap();
            stream.set_nodelay(true).unwrap();
            BufReader::with_capacity(64 * 1024, stream)
        };
        Self((0..count).map(open).collect())
    }

    /// Sends about this many requests over all connections. Returns the requests per second.
    pub(crate) fn send(&mut self, call: &Call, count: usize) -> f64 {
        let rounds = count.div_ceil(self.0.len());
        let bytes = call.bytes();
        let start = Instant::now();
        for _ in 0..rounds {
            for connection in &mut self.0 {
                connection.get_mut().write_all(&bytes).unwrap();
            }
            for connection in &mut self.0 {
                read(connection);
            }
        }
        (rounds * self.0.len()) as f64 / start.elapsed().as_secs_f64()
    }
}

fn read(connection: &mut BufReader<TcpStream>) {
    let (mut line, mut length) = (String::new(), 0);
    connection.read_line(&mut line).unwrap();
    assert!(line.contains("200"), "{line}");
    while line != "\r\n" {
        line.clear();
        connection.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    connection.read_exact(&mut vec![0; length]).unwrap();
}
