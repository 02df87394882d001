//! A raw server on this machine: a script per connection, and a record of what arrived.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a script that waits looks whether the scene is over.
const TICK: Duration = Duration::from_millis(5);

/// No head of ours is nearly as long, even with all that a transport could add.
const LONGEST: usize = 1 << 20;

/// What the server saw.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Requests of which at least one byte arrived.
    pub(super) begun: usize,
    /// Requests whose head arrived.
    pub(super) requests: Vec<Heard>,
    /// How many bytes of answers the system took.
    pub(super) written: usize,
}

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    pub(super) method: String,
    pub(super) target: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// Without its framing.
    pub(super) body: Vec<u8>,
    /// How many requests came before it on the same connection.
    pub(super) before: usize,
}

impl Heard {
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
    seen: Mutex<Seen>,
}

impl Shared {
    fn over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Whoever panicked with it left a count that is whole.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens until it is [finished](Server::finish), and follows its script with each connection.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: JoinHandle<Vec<JoinHandle<()>>>,
}

impl Server {
    pub(super) fn start(script: impl Fn(Peer) + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (script, known) = (Arc::new(script), Arc::clone(&shared));
        let thread = thread::Builder::new().spawn(move || listen(&listener, &known, &script))?;
        Ok(Self { address, shared, thread })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads what has arrived, closes every connection, and says what was seen.
    pub(super) fn finish(self) -> Seen {
        self.shared.over.store(true, Ordering::SeqCst);
        // The listener waits for a connection: here is one, behind all that came before.
        if TcpStream::connect(self.address).is_ok() {
            for script in self.thread.join().unwrap_or_default() {
                let _ = script.join();
            }
        }
        self.shared.seen().clone()
    }
}

fn listen(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    script: &Arc<impl Fn(Peer) + Send + Sync + 'static>,
) -> Vec<JoinHandle<()>> {
    let mut scripts = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if shared.over() {
            // Those who connected in time are still heard; nobody is waited for.
            let _ = listener.set_nonblocking(true);
        }
        let (script, shared, index) = (Arc::clone(script), Arc::clone(shared), scripts.len());
        let spawned = thread::Builder::new().spawn(move || {
            if let Ok(peer) = Peer::new(stream, shared, index) {
                script(peer);
            }
        });
        match spawned {
            Ok(handle) => scripts.push(handle),
            Err(_) => break,
        }
    }
    scripts
}

/// The other end of one connection. It is closed when this is dropped.
pub(super) struct Peer {
    stream: TcpStream,
    shared: Arc<Shared>,
    /// Which connection this is, from zero.
    pub(super) index: usize,
    heads: usize,
}

impl Peer {
    fn new(stream: TcpStream, shared: Arc<Shared>, index: usize) -> io::Result<Self> {
        // On some systems it would inherit this from the listener.
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(TICK))?;
        Ok(Self { stream, shared, index, heads: 0 })
    }

    /// The next byte; none if the client left, or if the scene is over and nothing is left to be read.
    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        loop {
            let over = self.shared.over();
            match self.stream.read(&mut byte) {
                Ok(0) => return None,
                Ok(_) => return Some(byte[0]),
                Err(error) if is_tick(&error) && !over => {}
                Err(_) => return None,
            }
        }
    }

    fn until(&mut self, end: &[u8], mut seen: Vec<u8>) -> Option<Vec<u8>> {
        while !seen.ends_with(end) {
            if seen.len() == LONGEST {
                return None;
            }
            seen.push(self.byte()?);
        }
        Some(seen)
    }

    fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        (0..length).map(|_| self.byte()).collect()
    }

    /// Reads the first byte of a request.
    pub(super) fn first_byte(&mut self) -> Option<u8> {
        let first = self.byte()?;
        self.shared.seen().begun += 1;
        Some(first)
    }

    /// Reads the head of a request, and records it.
    pub(super) fn head(&mut self) -> Option<Heard> {
        self.begin().map(|(heard, _)| heard)
    }

    /// Does so, and says where in the record it stands.
    fn begin(&mut self) -> Option<(Heard, usize)> {
        let first = self.first_byte()?;
        let head = self.until(b"\r\n\r\n", vec![first])?;
        let mut heard = Heard::parse(head.strip_suffix(b"\r\n\r\n").unwrap_or_default());
        heard.before = self.heads;
        self.heads += 1;
        let requests = &mut self.shared.seen().requests;
        requests.push(heard.clone());
        Some((heard, requests.len() - 1))
    }

    /// Reads a request to its end, and records it. `None` if the client left before.
    pub(super) fn request(&mut self) -> Option<Heard> {
        let (mut heard, place) = self.begin()?;
        heard.body = match (heard.header("transfer-encoding"), heard.header("content-length")) {
            (Some(_), _) => self.chunks()?,
            (None, Some(length)) => self.exactly(length.parse().ok().filter(|length| *length < LONGEST)?)?,
            (None, None) => Vec::new(),
        };
        if let Some(recorded) = self.shared.seen().requests.get_mut(place) {
            recorded.body.clone_from(&heard.body);
        }
        Some(heard)
    }

    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n", Vec::new())?;
            let line = String::from_utf8_lossy(&line);
            let size = line.split([';', '\r']).next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).ok().filter(|size| *size < LONGEST)?;
            body.extend(self.exactly(size)?);
            // The end of the chunk; of the last one also the end of the request.
            self.until(b"\r\n", Vec::new())?;
            if size == 0 {
                return Some(body);
            }
        }
    }

    /// Writes all of it; false if the client left, or if the scene is over before it took everything.
    pub(super) fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let over = self.shared.over();
            match self.stream.write(rest) {
                Ok(0) => return false,
                Ok(written) => {
                    self.shared.seen().written += written;
                    rest = rest.get(written..).unwrap_or_default();
                }
                Err(error) if is_tick(&error) && !over => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// Reads a request and answers it.
    pub(super) fn answer(&mut self, response: impl AsRef<[u8]>) -> bool {
        self.request().is_some() && self.write(response)
    }

    /// Waits that long; false if the client left meanwhile, or the scene is over.
    pub(super) fn pause(&mut self, pause: Duration) -> bool {
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

    /// Says nothing more until the client gives up.
    pub(super) fn hang(mut self) {
        while self.byte().is_some() {}
    }

    /// Writes the same piece over and over, each that long after the last, until the client gives up.
    pub(super) fn drip(mut self, piece: &[u8], pause: Duration) {
        while self.pause(pause) && self.write(piece) {}
    }
}

/// Whether a socket had nothing to do for a tick: the systems call this by two names.
fn is_tick(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// A port where nobody listens, and that nobody else can take while this lives: it is the client's end of a connection.
pub(super) struct RefusedPort {
    _listener: TcpListener,
    _client: TcpStream,
    /// 127.0.0.1, and that port.
    pub(super) address: SocketAddr,
}

impl RefusedPort {
    pub(super) fn take() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let client = TcpStream::connect(listener.local_addr()?)?;
        let address = client.local_addr()?;
        Ok(Self { _listener: listener, _client: client, address })
    }
}
