//! A port that the sandbox is reached by: where it listens, and what it speaks.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use tokio::net::TcpStream;

use super::stream::Stream;
#[cfg(feature = "tls")]
use super::tls::Acceptor;

/// A port in use, whose connections nobody takes yet.
pub(crate) struct Port {
    listener: TcpListener,
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
    /// Listens; port 0 means a free one.
    pub(crate) fn open(listen: SocketAddr, protocol: Protocol) -> io::Result<Self> {
        let bound = || {
            let listener = TcpListener::bind(listen)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        // There may be two ports: the error says which.
        let (listener, address) = bound().map_err(|error: io::Error| {
            io::Error::new(error.kind(), format!("cannot listen on {listen}: {error}"))
        })?;
        Ok(Self { listener, address, protocol })
    }

    /// The address, with the port that it was given.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The API's URL by this port.
    pub(crate) fn base_url(&self) -> String {
        format!("{}://{}/api/v1/", self.protocol.scheme(), reachable(self.address))
    }

    /// The listener, for the runtime that is entered.
    pub(super) fn listen(self) -> io::Result<(tokio::net::TcpListener, Protocol)> {
        Ok((tokio::net::TcpListener::from_std(self.listener)?, self.protocol))
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
