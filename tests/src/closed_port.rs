//! A local port that refuses connections. It is bound but not listening, so no other process can
//! take it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// A port on 127.0.0.1 that refuses connections until this value is dropped.
#[derive(Debug)]
#[must_use = "another process may take the port when this is dropped"]
pub struct ClosedPort {
    _bound: Socket,
    port: u16,
}

impl ClosedPort {
    /// Binds a free port.
    ///
    /// # Errors
    /// Returns an error if the system has no free port.
    pub fn take() -> io::Result<Self> {
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        bound.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let address = bound.local_addr()?.as_socket();
        let port = address.ok_or(io::ErrorKind::AddrNotAvailable)?.port();
        Ok(Self { _bound: bound, port })
    }

    /// Returns the port number.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}
