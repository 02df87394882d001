//! A server on 127.0.0.1 that runs a script for each connection, and records what arrives.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a waiting script checks whether the scenario is over.
const TICK: Duration = Duration::from_millis(5);

/// Longer than any head or body in the scenarios, even with headers that a transport adds.
const MAX_LENGTH: usize = 1 << 20;

/// What the server received and sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerLog {
    /// Requests of which at least one byte arrived.
    pub(crate) begun: usize,
    /// Requests whose head arrived.
    pub(crate) requests: Vec<ReceivedRequest>,
    /// Bytes of responses that the operating system accepted.
    pub(crate) written: usize,
}

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReceivedRequest {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Without its framing.
    pub(crate) body: Vec<u8>,
    /// How many requests came before it on the same connection.
    pub(crate) before: usize,
}

impl ReceivedRequest {
    fn parse(head: &[u8]) -> Self {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        Self { method, target, headers: headers.collect(), ..Self::default() }
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    log: Mutex<ServerLog>,
}

impl Shared {
    fn over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn log(&self) -> MutexGuard<'_, ServerLog> {
        // The log is valid even if a script panicked.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that listens until [`finish`](Server::finish), and runs its script for each connection.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: JoinHandle<Vec<JoinHandle<()>>>,
}

impl Server {
    pub(crate) fn start(script: impl Fn(Connection) + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (script, listener_shared) = (Arc::new(script), Arc::clone(&shared));
        let thread = thread::Builder::new().spawn(move || listen(&listener, &listener_shared, &script))?;
        Ok(Self { address, shared, thread })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads what has arrived, closes every connection, and returns the log.
    pub(crate) fn finish(self) -> ServerLog {
        self.shared.over.store(true, Ordering::SeqCst);
        // This connection wakes the listener. It comes after all others.
        if TcpStream::connect(self.address).is_ok() {
            for script in self.thread.join().unwrap_or_default() {
                let _ = script.join();
            }
        }
        self.shared.log().clone()
    }
}

fn listen(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    script: &Arc<impl Fn(Connection) + Send + Sync + 'static>,
) -> Vec<JoinHandle<()>> {
    let mut scripts = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if shared.over() {
            // Accept the connections that are already in the queue, and no more.
            let _ = listener.set_nonblocking(true);
        }
        let (script, shared, index) = (Arc::clone(script), Arc::clone(shared), scripts.len());
        let spawned = thread::Builder::new().spawn(move || {
            if let Ok(connection) = Connection::new(stream, shared, index) {
                script(connection);
            }
        });
        match spawned {
            Ok(handle) => scripts.push(handle),
            Err(_) => break,
        }
    }
    scripts
}

/// The server's end of a connection. Dropping it closes the connection.
pub(crate) struct Connection {
    stream: TcpStream,
    shared: Arc<Shared>,
    /// The number of this connection, from zero.
    pub(crate) index: usize,
    heads: usize,
}

impl Connection {
    fn new(stream: TcpStream, shared: Arc<Shared>, index: usize) -> io::Result<Self> {
        // On some systems a connection inherits this from the listener.
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(TICK))?;
        Ok(Self { stream, shared, index, heads: 0 })
    }

    /// Returns the bytes that have arrived, and leaves them in the socket. Closing a socket with unread bytes resets the
    /// connection, so a script must not read more than it needs. Returns `None` if the client closed, or if the scenario
    /// is over and nothing is left to read.
    fn peek(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 4096];
        loop {
            let over = self.shared.over();
            match self.stream.peek(&mut bytes) {
                Ok(0) => return None,
                Ok(length) => {
                    bytes.truncate(length);
                    return Some(bytes);
                }
                Err(error) if is_tick(&error) && !over => {}
                Err(_) => return None,
            }
        }
    }

    /// Reads up to this many bytes, but at least one.
    fn read(&mut self, most: usize) -> Option<Vec<u8>> {
        let mut bytes = self.peek()?;
        bytes.truncate(most);
        self.stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    fn read_until(&mut self, end: &[u8], mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        while bytes.len() < MAX_LENGTH {
            let start = bytes.len();
            let complete = self.peek()?.into_iter().any(|byte| {
                bytes.push(byte);
                bytes.ends_with(end)
            });
            self.stream.read_exact(bytes.get_mut(start..)?).ok()?;
            if complete {
                return Some(bytes);
            }
        }
        None
    }

    fn read_exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            bytes.extend(self.read(length - bytes.len())?);
        }
        Some(bytes)
    }

    /// Reads the first byte of a request.
    pub(crate) fn first_byte(&mut self) -> Option<Vec<u8>> {
        let first = self.read(1)?;
        self.shared.log().begun += 1;
        Some(first)
    }

    /// Reads the head of a request, and logs it.
    pub(crate) fn head(&mut self) -> Option<ReceivedRequest> {
        self.read_head().map(|(received, _)| received)
    }

    /// Reads and logs a head. Also returns its index in the log.
    fn read_head(&mut self) -> Option<(ReceivedRequest, usize)> {
        let first = self.first_byte()?;
        let head = self.read_until(b"\r\n\r\n", first)?;
        let mut received = ReceivedRequest::parse(head.strip_suffix(b"\r\n\r\n").unwrap_or_default());
        received.before = self.heads;
        self.heads += 1;
        let requests = &mut self.shared.log().requests;
        requests.push(received.clone());
        Some((received, requests.len() - 1))
    }

    /// Reads a whole request, and logs it. Returns `None` if the client closed before its end.
    pub(crate) fn request(&mut self) -> Option<ReceivedRequest> {
        let (mut received, index) = self.read_head()?;
        received.body = match (received.header("transfer-encoding"), received.header("content-length")) {
            (Some(_), _) => self.chunks()?,
            (None, Some(length)) => {
                self.read_exactly(length.parse().ok().filter(|length| *length < MAX_LENGTH)?)?
            }
            (None, None) => Vec::new(),
        };
        if let Some(recorded) = self.shared.log().requests.get_mut(index) {
            recorded.body.clone_from(&received.body);
        }
        Some(received)
    }

    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.read_until(b"\r\n", Vec::new())?;
            let line = String::from_utf8_lossy(&line);
            let size = line.split([';', '\r']).next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).ok().filter(|size| *size < MAX_LENGTH)?;
            body.extend(self.read_exactly(size)?);
            // The line end after the chunk. After the last chunk it ends the request.
            self.read_until(b"\r\n", Vec::new())?;
            if size == 0 {
                return Some(body);
            }
        }
    }

    /// Writes all bytes. Returns false if the client closed, or if the scenario ended before all were written.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let over = self.shared.over();
            match self.stream.write(rest) {
                Ok(0) => return false,
                Ok(written) => {
                    self.shared.log().written += written;
                    rest = rest.get(written..).unwrap_or_default();
                }
                Err(error) if is_tick(&error) && !over => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// Reads a request and writes the response.
    pub(crate) fn respond(&mut self, response: impl AsRef<[u8]>) -> bool {
        self.request().is_some() && self.write(response)
    }

    /// Waits. Returns false if the client closed meanwhile, or if the scenario is over.
    pub(crate) fn pause(&mut self, pause: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < pause {
            let over = self.shared.over();
            match self.stream.read(&mut [0; 16]) {
                Ok(1..) => {}
                Err(error) if is_tick(&error) && !over => {}
                _ => return false,
            }
        }
        true
    }

    /// Sends nothing more and waits until the client closes.
    pub(crate) fn hang(mut self) {
        while self.read(4096).is_some() {}
    }

    /// Writes the same piece again and again, with a pause before each, until the client closes.
    pub(crate) fn drip(mut self, piece: &[u8], pause: Duration) {
        while self.pause(pause) && self.write(piece) {}
    }
}

/// Returns true if a read or write timed out. Operating systems use two error kinds for this.
fn is_tick(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// A port that refuses connections. No other program can take it, because a client's end of a connection uses it.
pub(crate) struct RefusedPort {
    _listener: TcpListener,
    _client: TcpStream,
    /// 127.0.0.1 and the port.
    pub(crate) address: SocketAddr,
}

impl RefusedPort {
    pub(crate) fn take() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let client = TcpStream::connect(listener.local_addr()?)?;
        let address = client.local_addr()?;
        Ok(Self { _listener: listener, _client: client, address })
    }
}
