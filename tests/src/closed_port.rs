//! A port that refuses connections, and that nobody else can take meanwhile: bound, but never listened on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// Refuses connections for as long as the value lives.
#[derive(Debug)]
#[must_use = "somebody else may take the port when this is dropped"]
pub struct ClosedPort {
    _bound: Socket,
    port: u16,
}

impl ClosedPort {
    /// Takes a port.
    ///
    /// # Errors
    /// If the system has none left.
    pub fn take() -> io::Result<Self> {
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        bound.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let address = bound.local_addr()?.as_socket();
        let port = address.ok_or(io::ErrorKind::AddrNotAvailable)?.port();
        Ok(Self { _bound: bound, port })
    }

    /// Its number, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}
