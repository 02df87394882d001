//! The faults: for each name in the table, what happens on the sockets or to the clock.

mod bodies;
mod connections;
mod own;
mod statuses;
mod wording;

use std::sync::Arc;

use strike_test_support::Peer;

use crate::service::Service;
use crate::world::Jump;

/// What a server does with a connection.
pub type Script = Arc<dyn Fn(Peer, &Service) + Send + Sync>;

/// A fault.
pub struct Fault {
    /// Its name in the table.
    pub name: String,
    pub kind: FaultKind,
    /// Only the timeout ends it.
    pub hangs: bool,
    /// It affects a connection that was used before.
    pub reuse: bool,
    /// The payer does not pay.
    pub unpaid: bool,
}

/// Where the exchange is routed, and what happens there.
#[derive(Clone)]
pub enum FaultKind {
    /// To a port without a listener.
    Refused,
    /// To a host name that does not resolve.
    DnsFailure,
    /// To a listener whose queue is full.
    ConnectTimeout,
    /// To a server.
    Plain(Script),
    /// To a server that fails before the TLS handshake is complete.
    BeforeTls(Script),
    /// To a server with an invalid certificate.
    Tls(Certificate),
    /// To the normal server, while the wall clock jumps.
    Clock(Jump),
}

#[derive(Debug, Clone, Copy)]
pub enum Certificate {
    UnknownIssuer,
    WrongName,
    Expired,
}

impl Fault {
    fn new(name: impl Into<String>, kind: FaultKind) -> Self {
        Self { name: name.into(), kind, hangs: false, reuse: false, unpaid: false }
    }

    /// A server that runs the script.
    fn script(name: impl Into<String>, script: impl Fn(Peer, &Service) + Send + Sync + 'static) -> Self {
        Self::new(name, FaultKind::Plain(Arc::new(script)))
    }

    fn hangs(self) -> Self {
        Self { hangs: true, ..self }
    }

    fn reuse(self) -> Self {
        Self { reuse: true, ..self }
    }

    fn unpaid(self) -> Self {
        Self { unpaid: true, ..self }
    }
}

/// All faults.
pub fn all() -> Vec<Fault> {
    let mut all = connections::faults();
    all.extend(bodies::faults());
    all.extend(statuses::faults());
    all.extend(own::faults());
    all
}
