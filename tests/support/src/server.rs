//! A raw server: a listener on this machine, a script per connection, and a record of what arrived.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use crate::certs;

/// What a script reads from and writes to: a socket, or TLS over one.
pub trait Stream: Read + Write + Send {
    /// Whether TLS resumed an earlier session; `None` without TLS, and before the handshake.
    fn resumed(&self) -> Option<bool>;
}

impl Stream for TcpStream {
    fn resumed(&self) -> Option<bool> {
        None
    }
}

impl Stream for StreamOwned<ServerConnection, TcpStream> {
    fn resumed(&self) -> Option<bool> {
        self.conn.handshake_kind().map(|kind| kind == HandshakeKind::Resumed)
    }
}

/// The other end of one connection.
pub struct Peer {
    socket: TcpStream,
    stream: Box<dyn Stream>,
    requests: Arc<Mutex<Vec<String>>>,
    /// Which connection this is, from zero.
    pub index: usize,
}

impl Peer {
    /// Whether TLS resumed an earlier session; `None` without TLS, and before the first request.
    pub fn resumed(&self) -> Option<bool> {
        self.stream.resumed()
    }

    /// Reads one request, head and body, and records it. `None` if the client closed first.
    pub fn request(&mut self) -> Option<String> {
        let mut seen = Vec::new();
        let mut byte = [0];
        loop {
            match self.stream.read(&mut byte) {
                Ok(1) => seen.push(byte[0]),
                _ => return None,
            }
            if seen.ends_with(b"\r\n\r\n") {
                break;
            }
        }
        let head = String::from_utf8_lossy(&seen).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map_or(0, |length| length.trim().parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        seen.extend(body);
        let request = String::from_utf8(seen).unwrap();
        self.requests.lock().unwrap().push(request.clone());
        Some(request)
    }

    /// Writes; that the client may have gone is part of the game.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).and_then(|()| self.stream.flush()).is_ok()
    }

    /// Reads that many bytes at most, of whatever the client says.
    pub fn read_some(&mut self, most: usize) {
        let _ = self.stream.read(&mut vec![0; most]);
    }

    /// Reads a request and answers it.
    pub fn answer(&mut self, response: impl AsRef<[u8]>) -> bool {
        self.request().is_some() && self.write(response)
    }

    /// Carries bytes to `target` and back until both sides have ended; `seen` is shown what the client sends.
    pub fn tunnel(self, target: SocketAddr, seen: impl FnMut(&[u8])) {
        self.hand_on("", target, seen);
    }

    /// Does so after a request that was read already.
    pub fn hand_on(self, request: &str, target: SocketAddr, mut seen: impl FnMut(&[u8])) {
        let mut upstream = TcpStream::connect(target).unwrap();
        upstream.write_all(request.as_bytes()).unwrap();
        let (mut down, mut up) = (self.socket.try_clone().unwrap(), upstream.try_clone().unwrap());
        let back = thread::spawn(move || {
            let _ = io::copy(&mut up, &mut down);
            let _ = down.shutdown(Shutdown::Write);
        });
        let mut buffer = [0; 8192];
        while let Ok(read @ 1..) = (&self.socket).read(&mut buffer) {
            seen(&buffer[..read]);
            if (&upstream).write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = upstream.shutdown(Shutdown::Write);
        let _ = back.join();
    }

    /// Ends with a reset instead of a close.
    pub fn reset(self) {
        socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Says nothing more until the client gives up.
    pub fn hang(mut self) {
        let mut rest = [0; 256];
        while self.stream.read(&mut rest).is_ok_and(|read| read > 0) {}
    }

    /// Writes one byte after the other, each `pause` after the last, until the client gives up.
    pub fn drip(self, bytes: &[u8], pause: Duration) {
        self.repeat(bytes.chunks(1), pause);
    }

    /// Writes one piece after the other, over and over, each `pause` after the last, until the client gives up. The
    /// pause is a read that ends, so that a client that leaves is noticed at once.
    pub fn repeat(mut self, pieces: impl Iterator<Item = impl AsRef<[u8]>> + Clone, pause: Duration) {
        self.socket.set_read_timeout(Some(pause)).unwrap();
        for piece in pieces.cycle() {
            let left = matches!(self.stream.read(&mut [0; 16]), Ok(0));
            if left || !self.write(piece) {
                return;
            }
        }
    }
}

/// A listener whose connections each follow a script.
pub struct Server {
    addr: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    /// The connection that tells the listener to stop: whoever came before it is still heard.
    last: Arc<Mutex<Option<SocketAddr>>>,
    thread: Option<JoinHandle<Vec<JoinHandle<()>>>>,
}

impl Server {
    pub fn start(script: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        Self::launch(None, script)
    }

    /// The script runs inside TLS. A client that fails the handshake never gets as far.
    pub fn start_tls(config: Arc<ServerConfig>, script: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        Self::launch(Some(config), script)
    }

    fn launch(tls: Option<Arc<ServerConfig>>, script: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(0));
        let last = Arc::new(Mutex::new(None));
        let script = Arc::new(script);
        let (seen, count, stop) = (requests.clone(), connections.clone(), last.clone());
        let thread = thread::spawn(move || {
            let mut scripts = Vec::new();
            loop {
                let (socket, from) = listener.accept().unwrap();
                if *stop.lock().unwrap() == Some(from) {
                    return scripts;
                }
                let index = {
                    let mut count = count.lock().unwrap();
                    *count += 1;
                    *count - 1
                };
                socket.set_nodelay(true).unwrap();
                let (tls, script, requests) = (tls.clone(), script.clone(), seen.clone());
                scripts.push(thread::spawn(move || {
                    let plain = socket.try_clone().unwrap();
                    let stream: Box<dyn Stream> = match tls {
                        None => Box::new(plain),
                        Some(config) => Box::new(StreamOwned::new(certs::accept(&config), plain)),
                    };
                    script(Peer { socket, stream, requests, index });
                }));
            }
        });
        Self { addr, requests, connections, last, thread: Some(thread) }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// An address at this server, beginning with the path's slash.
    pub fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{path}", self.addr)
    }

    /// Every request that arrived whole, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

impl Server {
    /// Hears everybody out who has connected, and then says which requests arrived whole. The clients must be gone:
    /// a script may be waiting for one to leave.
    pub fn finish(mut self) -> Vec<String> {
        for script in self.stop() {
            script.join().expect("a script should not panic");
        }
        self.requests()
    }

    fn stop(&mut self) -> Vec<JoinHandle<()>> {
        let Some(thread) = self.thread.take() else { return Vec::new() };
        let last = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        last.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        *self.last.lock().unwrap() = last.local_addr().unwrap().as_socket();
        let _ = last.connect(&self.addr.into());
        thread.join().unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A proxy that opens a tunnel to `target`, whatever name it is asked for.
pub fn connect_proxy(target: SocketAddr) -> Server {
    Server::start(move |mut peer| {
        if peer.answer("HTTP/1.1 200 Connection established\r\n\r\n") {
            peer.tunnel(target, |_| ());
        }
    })
}
