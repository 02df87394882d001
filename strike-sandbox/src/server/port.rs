//! A port that the sandbox is reached by: where it listens, and what it speaks.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use tokio::net::TcpStream;

use super::stream::Stream;
#[cfg(feature = "tls")]
use super::tls::Acceptor;

/// How many free ports of 127.0.0.1 are tried until one is free on ::1, too.
const TRIES: usize = 32;

/// Where to listen; port 0 means a free one.
#[derive(Clone, Copy)]
pub(crate) enum Listen {
    At(SocketAddr),
    /// 127.0.0.1 and ::1, by the same port.
    Localhost(u16),
}

impl Listen {
    /// The address, or the first of both.
    pub(crate) fn address(self) -> SocketAddr {
        match self {
            Self::At(address) => address,
            Self::Localhost(port) => (Ipv4Addr::LOCALHOST, port).into(),
        }
    }

    fn bind(self) -> io::Result<Vec<TcpListener>> {
        match self {
            Self::At(address) => Ok(vec![TcpListener::bind(address)?]),
            Self::Localhost(port) => bind_both(port, TRIES),
        }
    }
}

/// Listens on 127.0.0.1, and on ::1 if the machine has IPv6.
fn bind_both(port: u16, tries: usize) -> io::Result<Vec<TcpListener>> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    match TcpListener::bind((Ipv6Addr::LOCALHOST, first.local_addr()?.port())) {
        Ok(second) => Ok(vec![first, second]),
        // The first is kept meanwhile, so that the next try finds another port.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && port == 0 && tries > 1 => {
            bind_both(port, tries - 1)
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

/// A port in use, whose connections nobody takes yet.
pub(crate) struct Port {
    listeners: Vec<TcpListener>,
    address: SocketAddr,
    protocol: Protocol,
}

/// What is spoken on a port.
#[derive(Clone)]
pub(crate) enum Protocol {
    Http,
    #[cfg(feature = "tls")]
    Https(Acceptor),
}

impl Port {
    /// Listens.
    pub(crate) fn open(listen: Listen, protocol: Protocol) -> io::Result<Self> {
        let bound = || {
            let listeners = listen.bind()?;
            let mut address = listen.address();
            for listener in listeners.iter().rev() {
                listener.set_nonblocking(true)?;
                address = listener.local_addr()?;
            }
            Ok((listeners, address))
        };
        // There may be two ports: the error says which.
        let (listeners, address) = bound().map_err(|error: io::Error| {
            let why = match error.kind() {
                io::ErrorKind::AddrInUse => "another program listens there".to_owned(),
                _ => error.to_string(),
            };
            io::Error::new(error.kind(), format!("cannot listen on {listen}: {why}"))
        })?;
        Ok(Self { listeners, address, protocol })
    }

    /// The address, or the first of both, with the port that it was given.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The API's URL by this port.
    pub(crate) fn base_url(&self) -> String {
        format!("{}://{}/api/v1/", self.protocol.scheme(), reachable(self.address))
    }

    /// The listeners, for the runtime that is entered.
    pub(super) fn listen(self) -> io::Result<Vec<(tokio::net::TcpListener, Protocol)>> {
        let Self { listeners, protocol, .. } = self;
        let entered = |listener| Ok((tokio::net::TcpListener::from_std(listener)?, protocol.clone()));
        listeners.into_iter().map(entered).collect()
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

    /// What the client on a new connection wants to speak, made ready for HTTP.
    pub(super) async fn open(&self, tcp: TcpStream) -> io::Result<Stream> {
        match self {
            Self::Http => Ok(Stream::Plain(tcp)),
            #[cfg(feature = "tls")]
            Self::Https(acceptor) => acceptor.open(tcp).await,
        }
    }

    /// Whether a stream is plain HTTP on a port for HTTPS.
    pub(super) fn is_missed_by(&self, stream: &Stream) -> bool {
        self.scheme() != stream.scheme().as_str()
    }
}

/// An address to connect to: a listener on every address is reached on this machine's own.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
