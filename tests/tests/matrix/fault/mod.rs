//! The faults: for each name in the table, what really happens on the sockets, or to the clock.

mod answers;
mod connections;
mod statuses;

use std::sync::Arc;

use strike_test_support::Peer;

use crate::behind::Behind;
use crate::world::Jump;

/// What a server does with each connection.
pub type Script = Arc<dyn Fn(Peer, &Behind) + Send + Sync>;

/// One way in which it goes wrong.
pub struct Fault {
    /// Its name in the table.
    pub name: String,
    pub way: Way,
    /// Nothing but time ends it.
    pub hangs: bool,
    /// It strikes a connection that was used before.
    pub warm: bool,
    /// While it lasts, nobody pays.
    pub unpaid: bool,
}

/// Where the exchange is led, and what happens to it there.
#[derive(Clone)]
pub enum Way {
    /// To a port on which nobody listens.
    Refused,
    /// To a name that nobody has.
    NoName,
    /// To a listener whose queue is full.
    FullQueue,
    /// To a server.
    Plain(Script),
    /// To a server that does not get as far as TLS.
    NoTls(Script),
    /// To a server with such a certificate, which would answer well.
    Tls(Certificate),
    /// To where it belongs; the wall clock is what jumps.
    Clock(Jump),
}

#[derive(Debug, Clone, Copy)]
pub enum Certificate {
    UnknownIssuer,
    WrongName,
    Expired,
}

impl Fault {
    fn new(name: impl Into<String>, way: Way) -> Self {
        Self { name: name.into(), way, hangs: false, warm: false, unpaid: false }
    }

    /// A server that follows the script.
    fn script(name: impl Into<String>, script: impl Fn(Peer, &Behind) + Send + Sync + 'static) -> Self {
        Self::new(name, Way::Plain(Arc::new(script)))
    }

    fn hangs(self) -> Self {
        Self { hangs: true, ..self }
    }

    fn warm(self) -> Self {
        Self { warm: true, ..self }
    }

    fn unpaid(self) -> Self {
        Self { unpaid: true, ..self }
    }
}

/// All of them.
pub fn all() -> Vec<Fault> {
    let mut all = connections::faults();
    all.extend(answers::faults());
    all.extend(statuses::faults());
    all
}
