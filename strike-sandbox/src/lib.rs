//! The Strike charge API in a box: charges with real signed invoices, and no account, no node and no money.
//!
//! ACINQ closed its service in 2021. This one answers as the recordings of it do, byte for byte where there are
//! recordings, and adds what a test needs: a seed, a clock, and a way to pay.
//!
//! * [`Sandbox`] answers in memory: a request in, a response out.
//! * `Builder::start` (feature `server`, on by default) puts it behind HTTP on 127.0.0.1.
//! * The binary `strike-sandbox` (same feature) does so for programs in other languages.
//!
//! Besides the API below `/api/v1/` there are routes that only a sandbox can have, and which need no key:
//! `POST /sandbox/charges/{id}/pay` pays a charge, and answers its preimage; `/sandbox/faults` holds the plan of what
//! goes wrong, which is told in [`faults`].
//!
//! ```
//! use strike_core::http::Request;
//! use strike_sandbox::Sandbox;
//!
//! let sandbox = Sandbox::builder().api_key("sk_demo").build();
//! let request = Request::get(format!("{}charges", sandbox.base_url()))
//!     .header("authorization", "Basic c2tfZGVtbzo=") // base64 of `sk_demo:`
//!     .body(Vec::new())?;
//! assert_eq!(sandbox.respond(&request).body(), b"[ ]");
//! # Ok::<(), strike_core::http::Error>(())
//! ```
//!
//! # What is the service's, and what is a guess
//!
//! Recorded: paths, fields, their order and layout, the headers, the status 200 of a creation, the errors 400
//! (in JSON), 401 and 404. Guessed, since no recording shows it: the text of every other error, 405 with an
//! `Allow` header, 413 above 64 KiB of body, an empty list beyond the last page, and at most 1000 rows per page.
//! Different on purpose: invoices carry a payment secret and features, without which no wallet of today pays.

mod answer;
mod api;
mod builder;
mod changes;
mod clock;
mod control;
mod entropy;
pub mod faults;
mod guard;
mod ledger;
mod node;
mod sandbox;
#[cfg(feature = "server")]
mod server;
mod service;

pub use builder::Builder;
pub use node::{Paid, PayError};
pub use sandbox::Sandbox;
#[cfg(feature = "server")]
pub use server::RunningSandbox;

/// The README, so that its code is compiled.
#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../README.md")]
pub mod readme {}
