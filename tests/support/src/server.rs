//! A server on 127.0.0.1 that runs a script for each connection, and records what arrives.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use crate::certs;

/// The stream of a script: a socket, or TLS over a socket.
pub trait Stream: Read + Write + Send {
    /// Returns true if TLS resumed an earlier session, and `None` without TLS or before the handshake.
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

/// The server's end of a connection.
pub struct Peer {
    socket: TcpStream,
    stream: Box<dyn Stream>,
    requests: Arc<Mutex<Vec<String>>>,
    /// The number of this connection, from zero.
    pub index: usize,
}

impl Peer {
    /// Returns true if TLS resumed an earlier session, and `None` without TLS or before the first request.
    pub fn resumed(&self) -> Option<bool> {
        self.stream.resumed()
    }

    /// Reads one request, head and body, and records it. Returns `None` if the client closed first.
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

    /// Writes the bytes. Returns false if the client closed.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).and_then(|()| self.stream.flush()).is_ok()
    }

    /// Reads up to this many bytes, once.
    pub fn read_some(&mut self, most: usize) {
        let _ = self.stream.read(&mut vec![0; most]);
    }

    /// Reads a request and writes the response.
    pub fn answer(&mut self, response: impl AsRef<[u8]>) -> bool {
        self.request().is_some() && self.write(response)
    }

    /// Forwards bytes to `target` and back until both sides close. Calls `inspect` with what the client sends.
    pub fn tunnel(self, target: SocketAddr, inspect: impl FnMut(&[u8])) {
        self.forward("", target, inspect);
    }

    /// Forwards a request that was already read, and then all further bytes.
    pub fn forward(self, request: &str, target: SocketAddr, mut inspect: impl FnMut(&[u8])) {
        let mut upstream = TcpStream::connect(target).unwrap();
        upstream.write_all(request.as_bytes()).unwrap();
        let (mut down, mut up) = (self.socket.try_clone().unwrap(), upstream.try_clone().unwrap());
        let back = thread::spawn(move || {
            let _ = io::copy(&mut up, &mut down);
            let _ = down.shutdown(Shutdown::Write);
        });
        let mut buffer = [0; 8192];
        while let Ok(read @ 1..) = (&self.socket).read(&mut buffer) {
            inspect(&buffer[..read]);
            if (&upstream).write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = upstream.shutdown(Shutdown::Write);
        let _ = back.join();
    }

    /// Resets the connection.
    pub fn reset(self) {
        socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Sends nothing more and waits until the client closes.
    pub fn hang(mut self) {
        let mut rest = [0; 256];
        while self.stream.read(&mut rest).is_ok_and(|read| read > 0) {}
    }

    /// Writes byte by byte, with a pause before each, until the client closes.
    pub fn drip(self, bytes: &[u8], pause: Duration) {
        self.repeat(bytes.chunks(1), pause);
    }

    /// Writes the pieces again and again, with a pause before each, until the client closes. The pause is a read with a
    /// timeout, so that it ends when the client closes.
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

/// A listener that runs its script for each connection.
pub struct Server {
    addr: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    /// The address of the connection that stops the listener. Connections before it are still served.
    last: Arc<Mutex<Option<SocketAddr>>>,
    thread: Option<JoinHandle<Vec<JoinHandle<()>>>>,
}

impl Server {
    pub fn start(script: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        Self::launch(None, script)
    }

    /// Starts a server whose script runs inside TLS. The handshake happens at the script's first read or write.
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

    /// Returns a URL at this server. The path begins with a slash.
    pub fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{path}", self.addr)
    }

    /// Returns every complete request, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

impl Server {
    /// Waits for all scripts to end, and returns every complete request. Close the clients first, because a script may be
    /// waiting for that.
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

/// A proxy that opens a tunnel to `target` for every host.
pub fn connect_proxy(target: SocketAddr) -> Server {
    Server::start(move |mut peer| {
        if peer.answer("HTTP/1.1 200 Connection established\r\n\r\n") {
            peer.tunnel(target, |_| ());
        }
    })
}
