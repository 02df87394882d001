//! A webhook receiver that passes each request to the test. The test decides how to respond.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver as Queue, channel};
use std::time::Duration;

/// How long a test waits for something that must happen.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// Accepts webhook requests until the process ends.
pub(crate) struct Receiver {
    address: SocketAddr,
    queue: Queue<WebhookRequest>,
}

/// A received request, with the connection for the response.
pub(crate) struct WebhookRequest {
    pub(crate) head: String,
    pub(crate) body: String,
    stream: TcpStream,
}

impl Receiver {
    pub(crate) fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a local address");
        let (sender, queue) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // The send fails when the test has ended.
                if sender.send(read(stream.expect("a connection"))).is_err() {
                    break;
                }
            }
        });
        Self { address, queue }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/strike", self.address)
    }

    /// Waits for the next request.
    pub(crate) fn next(&self) -> WebhookRequest {
        self.queue.recv_timeout(TIMEOUT).expect("a webhook request")
    }

    /// Returns true if no request is waiting.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.try_recv().is_err()
    }
}

impl WebhookRequest {
    pub(crate) fn respond(mut self, status: &str) {
        self.write(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .expect("the sender waits for a response");
        assert!(self.is_closed(), "the sender uses one connection per webhook");
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Returns true if the sender has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }
}

fn read(stream: TcpStream) -> WebhookRequest {
    stream.set_read_timeout(Some(TIMEOUT)).expect("the read timeout can be set");
    let mut reader = BufReader::new(stream);
    let (head, body) = read_request(&mut reader);
    WebhookRequest { head, body, stream: reader.into_inner() }
}

/// Reads one request and returns its head and body. It must have a Content-Length.
pub(crate) fn read_request(reader: &mut impl BufRead) -> (String, String) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).expect("a valid request"), 0, "closed after {head:?}");
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .expect("a Content-Length header");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a complete body");
    (head, String::from_utf8(body).expect("UTF-8"))
}
