//! Tests of the sandbox over sockets, in this process.
//!
//! `cfg(test)` is always set in this crate. The attributes make clippy apply its test settings to
//! the helper functions as well.

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
#[cfg(test)]
mod phoenixd;
#[cfg(test)]
mod receiver;
#[cfg(test)]
#[cfg(all(unix, feature = "sqlite"))]
mod shared_writes;
#[cfg(test)]
mod socket;
#[cfg(test)]
#[cfg(feature = "tls")]
mod tls;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod wire;
