//! Helpers shared by the tests in `tests/`. It also compiles the code in the README and in
//! pages of `docs/`.

#![expect(clippy::exhaustive_enums, clippy::exhaustive_structs, reason = "for tests only")]

mod backend;
mod clients;
mod closed_port;
mod dialect;
pub mod lnbits;
mod loopback;
pub mod secrets;

pub use backend::{Backend, ORIGIN};
pub use clients::{AnyClient, AsyncClient, CoreDriver, Drive};
pub use closed_port::ClosedPort;
pub use dialect::Dialect;
pub use loopback::Loopback;

/// Compiles the code in `docs/configuration.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/configuration.md")]
pub mod configuration {}

/// Compiles the code in `docs/failures.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/failures.md")]
pub mod failures {}

/// Compiles and runs the code in `docs/going-live.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/going-live.md")]
pub mod going_live {}

/// Compiles the code in the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}

/// The manual of the sandbox, so that its code is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sandbox.md")]
pub mod sandbox_manual {}
