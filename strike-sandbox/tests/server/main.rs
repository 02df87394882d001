//! Tests of the sandbox over sockets: the server in this process and the binary as a child process.
//!
//! `cfg(test)` is always set in this crate. The attributes make clippy apply its test settings to
//! the helper functions as well.

#[cfg(test)]
#[cfg(all(unix, feature = "sqlite"))]
mod data_file;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod idle;
#[cfg(test)]
mod misbehaving_clients;
#[cfg(test)]
mod old_clients;
#[cfg(test)]
mod parallel;
// These tests stop the program with Unix signals.
#[cfg(test)]
#[cfg(all(unix, feature = "binary"))]
mod program;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod socket;
#[cfg(test)]
#[cfg(feature = "tls")]
mod tls;
#[cfg(test)]
#[cfg(all(unix, feature = "tls"))]
mod tls_program;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod wire;
