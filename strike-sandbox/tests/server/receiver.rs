//! A shop's end of a webhook: what arrives is handed to the test, which answers or does not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver as Queue, channel};
use std::time::Duration;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Takes requests for as long as the process lives.
pub(crate) struct Receiver {
    address: SocketAddr,
    queue: Queue<Delivered>,
}

/// A request that arrived, and the connection that waits for its answer.
pub(crate) struct Delivered {
    pub(crate) head: String,
    pub(crate) body: String,
    stream: TcpStream,
}

impl Receiver {
    pub(crate) fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (door, queue) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // The test is over when nobody takes it any more.
                if door.send(read(stream.expect("a connection"))).is_err() {
                    break;
                }
            }
        });
        Self { address, queue }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/strike", self.address)
    }

    /// The next request, which must come.
    pub(crate) fn next(&self) -> Delivered {
        self.queue.recv_timeout(PATIENCE).expect("a webhook")
    }

    /// Whether nothing has come.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.try_recv().is_err()
    }
}

impl Delivered {
    pub(crate) fn respond(mut self, status: &str) {
        self.write(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .expect("the sender waits for a response");
        assert!(self.is_closed(), "one connection each");
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Whether the sender has hung up.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }
}

fn read(stream: TcpStream) -> Delivered {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut reader = BufReader::new(stream);
    let (head, body) = read_request(&mut reader);
    Delivered { head, body, stream: reader.into_inner() }
}

/// One request by its content length, head and body.
pub(crate) fn read_request(reader: &mut impl BufRead) -> (String, String) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).expect("a request"), 0, "closed after {head:?}");
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .expect("a length");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a whole body");
    (head, String::from_utf8(body).expect("UTF-8"))
}
