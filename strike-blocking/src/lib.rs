//! The blocking client for the Strike charge API: it moves the bytes with ureq and waits with the thread.

mod timer;
mod transport;
#[cfg(feature = "ureq")]
mod ureq_transport;

pub use strike_core as core;

pub use timer::{SystemTimer, Timer};
pub use transport::{FnTransport, Transport};
#[cfg(feature = "ureq")]
pub use ureq_transport::{UreqTransport, UreqTransportBuilder};
