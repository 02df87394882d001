//! A local TCP server that sends arbitrary bytes, or nothing. It covers behaviour that the sandbox
//! cannot produce.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Listens on a free port until it is dropped, and reads one request per connection.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct Loopback {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Starts the server. `respond` gets the number of the request (from 1) and its bytes, and
    /// returns the bytes to write before the connection is closed. If it returns `None`, nothing is
    /// sent and the connection stays open.
    ///
    /// # Errors
    /// Returns an error if the system has no free port, or cannot start a thread.
    pub fn serve(respond: impl FnMut(usize, &[u8]) -> Option<Vec<u8>> + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().spawn(move || run(&listener, &stopped, respond))?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Returns a base URL for this server.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1/", self.address)
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // The thread blocks in `accept`. This connection wakes it up.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(
    listener: &TcpListener,
    stopped: &AtomicBool,
    mut respond: impl FnMut(usize, &[u8]) -> Option<Vec<u8>>,
) {
    let mut silent = Vec::new();
    let mut number = 0;
    while let Ok((mut stream, _)) = listener.accept() {
        if stopped.load(Ordering::SeqCst) {
            return;
        }
        // A client that connects and sends nothing must not block later clients.
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let Ok(request) = read_request(&mut stream) else { continue };
        number += 1;
        match respond(number, &request) {
            Some(bytes) => drop(stream.write_all(&bytes)),
            None => silent.push(stream),
        }
    }
}

/// Reads one request, including its body.
fn read_request(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(head) = request.windows(4).position(|four| four == b"\r\n\r\n")
            && request.len() >= head + 4 + content_length(request.get(..head).unwrap_or_default())
        {
            return Ok(request);
        }
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => request.extend_from_slice(buffer.get(..read).unwrap_or_default()),
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}
