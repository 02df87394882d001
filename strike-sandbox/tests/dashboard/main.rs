//! What the page is made of, without a browser: its files, the QR codes, the events.
//!
//! `cfg(test)` is always on here; by it clippy knows that the helpers are of tests too.

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
