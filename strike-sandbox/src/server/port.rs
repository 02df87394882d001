//! A listening port: its addresses and its protocol, HTTP or HTTPS.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use tokio::net::TcpStream;

use super::stream::Stream;
#[cfg(feature = "tls")]
use super::tls::Acceptor;

/// How many free ports of 127.0.0.1 to try until one is also free on ::1.
const TRIES: usize = 32;

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

    fn bind(self) -> io::Result<Vec<TcpListener>> {
        match self {
            Self::At(address) => Ok(vec![TcpListener::bind(address)?]),
            Self::Localhost(port) => bind_both(port, TRIES),
        }
    }
}

/// Listens on 127.0.0.1, and also on ::1 if the machine has IPv6.
fn bind_both(port: u16, tries: usize) -> io::Result<Vec<TcpListener>> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    match TcpListener::bind((Ipv6Addr::LOCALHOST, first.local_addr()?.port())) {
        Ok(second) => Ok(vec![first, second]),
        // `first` stays bound during the next try, so that the try gets a different port.
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

/// An open port that does not accept connections yet.
pub(crate) struct Port {
    listeners: Vec<TcpListener>,
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
        // A sandbox can have two ports, so the error names the address.
        let (listeners, address) = bound().map_err(|error: io::Error| {
            let why = match error.kind() {
                io::ErrorKind::AddrInUse => "the port is in use".to_owned(),
                io::ErrorKind::AddrNotAvailable => "this machine does not have this address".to_owned(),
                io::ErrorKind::PermissionDenied => "permission denied; use a port above 1023".to_owned(),
                _ => error.to_string(),
            };
            io::Error::new(error.kind(), format!("cannot listen on {listen}: {why}"))
        })?;
        Ok(Self { listeners, address, protocol })
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
        let Self { listeners, protocol, .. } = self;
        let to_tokio = |listener| Ok((tokio::net::TcpListener::from_std(listener)?, protocol.clone()));
        listeners.into_iter().map(to_tokio).collect()
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
