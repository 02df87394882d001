//! Tests of the sandbox in memory, through its public API.
//!
//! Where recordings of the real service exist, responses are compared byte for byte.
//!
//! `cfg(test)` is always set in this crate. The attributes make clippy apply its test settings to
//! the helper functions as well.

#[cfg(test)]
mod support;

#[cfg(test)]
mod access;
#[cfg(test)]
mod any_input;
#[cfg(test)]
mod control;
#[cfg(test)]
mod create;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod data_file;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod invoice;
#[cfg(test)]
mod layout;
#[cfg(all(test, feature = "lightning"))]
mod lightning;
#[cfg(test)]
mod list;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod persistence;
#[cfg(test)]
mod phoenixd;
#[cfg(test)]
mod quirks;
#[cfg(test)]
mod settlement;
#[cfg(test)]
mod webhooks;
