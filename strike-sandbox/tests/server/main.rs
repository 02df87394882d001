//! The service on a socket: the server in this process, and the program in another.
//!
//! `cfg(test)` is always on here; by it clippy knows that the helpers are of tests too.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod idle;
// It is stopped by signals, which Windows has not.
#[cfg(test)]
#[cfg(all(unix, feature = "binary"))]
mod program;
#[cfg(test)]
mod socket;
#[cfg(test)]
mod wire;
