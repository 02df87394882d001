//! The service on a socket: the server in this process, and the program in another.
//!
//! `cfg(test)` is always on here; by it clippy knows that the helpers are of tests too.

#[cfg(test)]
mod program;
#[cfg(test)]
mod socket;
#[cfg(test)]
mod wire;
