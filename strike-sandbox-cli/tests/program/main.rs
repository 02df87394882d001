//! The program `strike-sandbox` as another program uses it: started, called over sockets, and stopped.
//!
//! `cfg(test)` is always on here; by it clippy knows that the helpers are of tests too.
// It is stopped by signals, which Windows does not have.
#![cfg(unix)]

#[cfg(test)]
mod kept;
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
