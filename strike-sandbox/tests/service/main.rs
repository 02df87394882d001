//! The service in memory, through its public interface: what it answers, byte for byte where that is recorded.
//!
//! `cfg(test)` is always on here; by it clippy knows that the helpers are of tests too.

#[cfg(test)]
mod support;

#[cfg(test)]
mod access;
#[cfg(test)]
mod control;
#[cfg(test)]
mod create;
#[cfg(test)]
mod faults;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod data_file;
#[cfg(test)]
mod any_input;
#[cfg(test)]
mod invoice;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod persistence;
#[cfg(test)]
mod layout;
#[cfg(all(test, feature = "lightning"))]
mod lightning;
#[cfg(test)]
mod list;
#[cfg(test)]
mod quirks;
#[cfg(test)]
mod settlement;
#[cfg(test)]
mod webhooks;
