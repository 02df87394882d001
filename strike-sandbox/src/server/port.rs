//! A listening port: its addresses and its protocol, HTTP or HTTPS.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use tokio::net::{TcpSocket, TcpStream};

use super::stream::Stream;
#[cfg(feature = "tls")]
use super::tls::Acceptor;

/// How many free ports of 127.0.0.1 to try until one is also free on ::1.
const TRIES: usize = 32;
/// How many connections the system queues for a port that opens later.
const BACKLOG: u32 = 1024;

/// The address to listen on. Port 0 selects a free port.
#[derive(Clone, Copy)]
pub(crate) enum Listen {
    At(SocketAddr),
    /// 127.0.0.1 and ::1, with the same port.
    Localhost(u16),
}

impl Listen {
    /// Returns the address. For `localhost` this is 127.0.0.1.
    pub(crate) fn address(self) -> SocketAddr {
        match self {
            Self::At(address) => address,
            Self::Localhost(port) => (Ipv4Addr::LOCALHOST, port).into(),
        }
    }

    fn bind(self, opening: Opening) -> io::Result<Vec<Socket>> {
        match self {
            Self::At(address) => Ok(vec![Socket::bind(address, opening)?]),
            Self::Localhost(port) => bind_both(port, opening, TRIES),
        }
    }
}

/// When a port accepts connections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// From the beginning. The system queues connections until the server runs.
    AtOnce,
    /// Once the server listens. The system refuses connections until then.
    Later,
}

/// A socket that owns its port.
enum Socket {
    Listening(TcpListener),
    Reserved(TcpSocket),
}

impl Socket {
    fn bind(address: SocketAddr, opening: Opening) -> io::Result<Self> {
        if opening == Opening::AtOnce {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            return Ok(Self::Listening(listener));
        }
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // The port of a server that has just stopped can be used again. A free port must not be
        // shared with another socket, which this option would allow until one of them listens.
        #[cfg(unix)]
        socket.set_reuseaddr(address.port() != 0)?;
        socket.bind(address)?;
        Ok(Self::Reserved(socket))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Listening(listener) => listener.local_addr(),
            Self::Reserved(socket) => socket.local_addr(),
        }
    }

    /// Must be called inside the tokio runtime that will use the listener.
    fn listen(self) -> io::Result<tokio::net::TcpListener> {
        match self {
            Self::Listening(listener) => tokio::net::TcpListener::from_std(listener),
            Self::Reserved(socket) => socket.listen(BACKLOG),
        }
    }
}

/// Binds 127.0.0.1, and also ::1 if the machine has IPv6.
fn bind_both(port: u16, opening: Opening, tries: usize) -> io::Result<Vec<Socket>> {
    let first = Socket::bind((Ipv4Addr::LOCALHOST, port).into(), opening)?;
    let port_of_both = first.local_addr()?.port();
    match Socket::bind((Ipv6Addr::LOCALHOST, port_of_both).into(), opening) {
        Ok(second) => Ok(vec![first, second]),
        // `first` stays bound during the next try, so that the try gets a different port.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && port == 0 && tries > 1 => {
            bind_both(port, opening, tries - 1)
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
            Err(error)
        }
        Err(_) => Ok(vec![first]),
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Localhost(port) => write!(f, "localhost:{port}"),
        }
    }
}

/// An open port that does not accept connections yet.
pub(crate) struct Port {
    sockets: Vec<Socket>,
    address: SocketAddr,
    protocol: Protocol,
}

/// The protocol of a port.
#[derive(Clone)]
pub(crate) enum Protocol {
    Http,
    #[cfg(feature = "tls")]
    Https(Acceptor),
}

impl Port {
    /// Binds the port.
    pub(crate) fn open(listen: Listen, protocol: Protocol, opening: Opening) -> io::Result<Self> {
        let bound = || {
            let sockets = listen.bind(opening)?;
            let first = sockets.first().map(Socket::local_addr).transpose()?;
            Ok((sockets, first.unwrap_or(listen.address())))
        };
        // A sandbox can have two ports, so the error names the address.
        let (sockets, address) = bound().map_err(|error: io::Error| {
            let why = match error.kind() {
                io::ErrorKind::AddrInUse => "the port is in use".to_owned(),
                io::ErrorKind::AddrNotAvailable => "this machine does not have this address".to_owned(),
                io::ErrorKind::PermissionDenied => "permission denied; use a port above 1023".to_owned(),
                _ => error.to_string(),
            };
            io::Error::new(error.kind(), format!("cannot listen on {listen}: {why}"))
        })?;
        Ok(Self { sockets, address, protocol })
    }

    /// Returns the bound address with its real port. For `localhost` this is the address of 127.0.0.1.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the API's base URL on this port.
    pub(crate) fn base_url(&self) -> String {
        format!("{}://{}/api/v1/", self.protocol.scheme(), reachable(self.address))
    }

    /// Returns the listeners. Must be called inside the tokio runtime that will use them.
    pub(super) fn listen(self) -> io::Result<Vec<(tokio::net::TcpListener, Protocol)>> {
        let Self { sockets, protocol, .. } = self;
        sockets.into_iter().map(|socket| Ok((socket.listen()?, protocol.clone()))).collect()
    }
}

impl Protocol {
    const fn scheme(&self) -> &'static str {
        match self {
            Self::Http => "http",
            #[cfg(feature = "tls")]
            Self::Https(_) => "https",
        }
    }

    /// Prepares a new connection for HTTP: performs the TLS handshake on a port for HTTPS.
    pub(super) async fn open(&self, tcp: TcpStream) -> io::Result<Stream> {
        match self {
            Self::Http => Ok(Stream::Plain(tcp)),
            #[cfg(feature = "tls")]
            Self::Https(acceptor) => acceptor.open(tcp).await,
        }
    }

    /// Returns true if the stream is plain HTTP on a port for HTTPS.
    pub(super) fn differs_from(&self, stream: &Stream) -> bool {
        self.scheme() != stream.scheme().as_str()
    }
}

/// Returns an address that a client can connect to. For 0.0.0.0 and :: this is the loopback address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
