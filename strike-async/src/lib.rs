//! The async client for the Strike charge API: it moves the bytes with reqwest and waits with tokio.

#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod timer;
mod transport;

pub use strike_core as core;

#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use timer::Timer;
#[cfg(feature = "tokio")]
pub use timer::TokioTimer;
pub use transport::{AsyncTransport, BoxFuture, FnTransport};
