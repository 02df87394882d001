//! Tests of the program `strike-sandbox`: started, called over sockets, and stopped.
//!
//! `cfg(test)` is always set in this crate. The attributes make clippy apply its test settings to
//! the helper functions as well.

// The tests stop the program with Unix signals.
#![cfg(unix)]

#[cfg(test)]
mod data_file;
#[cfg(test)]
mod program;
#[cfg(test)]
#[allow(dead_code, reason = "the library's tests use the rest")]
#[path = "../../../strike-sandbox/tests/server/receiver.rs"]
mod receiver;
#[cfg(test)]
mod tls_program;
#[cfg(test)]
#[allow(dead_code, reason = "the library's tests use the rest")]
#[path = "../../../strike-sandbox/tests/server/wire.rs"]
mod wire;
