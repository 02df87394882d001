//! Tests of the whole system live beside this, in `tests/`. This library holds what they share, and the README, so that
//! its code is compiled.

mod closed_port;
mod loopback;
pub mod secrets;

pub use closed_port::ClosedPort;
pub use loopback::Loopback;

/// What each failure means, so that its code is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/failures.md")]
pub mod failures {}

/// The README, so that its code is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}

/// The manual of the sandbox, so that its code is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sandbox.md")]
pub mod sandbox_manual {}
