//! Tests of the dashboard without a browser: page files, QR codes and server-sent events.
//!
//! `cfg(test)` is always set in this crate. The attributes make clippy apply its test settings to
//! the helper functions as well.

#[cfg(test)]
#[path = "../service/support.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
#[cfg(test)]
#[path = "../server/wire.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod wire;

#[cfg(test)]
mod events;
#[cfg(test)]
mod page;
#[cfg(test)]
mod qr;
