//! The service on a socket: the server in this process, and the program in another.
//!
//! `cfg(test)` is always on here; by it clippy knows that the helpers are of tests too.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod idle;
#[cfg(test)]
#[cfg(all(unix, feature = "sqlite"))]
mod data_file;
#[cfg(test)]
mod parallel;
#[cfg(test)]
mod old_clients;
// It is stopped by signals, which Windows has not.
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
