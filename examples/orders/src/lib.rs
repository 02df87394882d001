//! Compiles the code in `docs/orders.md`. The examples are in the parent folder.

/// The guide, so that its code is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/orders.md")]
pub mod guide {}
