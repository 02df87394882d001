//! The service on a socket, in this process.
//!
//! `cfg(test)` is always on here; by it clippy knows that the helpers are of tests too.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod idle;
#[cfg(test)]
mod many;
#[cfg(test)]
mod old_clients;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod socket;
#[cfg(test)]
#[cfg(feature = "tls")]
mod tls;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod wire;
