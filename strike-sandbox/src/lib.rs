//! The Strike charge API in a box: charges with real signed invoices, and no account, no node and no money.
//!
//! ACINQ closed its service in 2021. This one answers as the recordings of it do, byte for byte where there are
//! recordings, and adds what a test needs: a seed, a clock, and a way to pay.
//!
//! * [`Sandbox`] answers in memory: a request in, a response out.
//! * `Builder::start` (feature `server`, on by default) puts it behind HTTP on 127.0.0.1.
//! * `Builder::tls` (feature `tls`) makes that HTTPS, with a certificate for one run.
//! * `Builder::data` (feature `sqlite`) keeps its charges in a file, so that it is the same one after a restart.
//! * `GET /` (feature `dashboard`) is a page for people: it makes charges, shows their QR codes, pays them, and
//!   follows what happens.
//! * The binary `strike-sandbox` (feature `binary`) does it all for programs in other languages.
//!
//! Besides the API below `/api/v1/` there are controls that only a sandbox can have, and which need no key:
//! `POST /sandbox/charges/{id}/pay` pays a charge, and answers its preimage. They, the flags of the program and
//! the [`Quirks`] are described in the manual, `docs/sandbox.md` of the repository.
//!
//! A [`Webhook`] tells a shop of each payment, late, twice or never if you like. What goes wrong on purpose is a
//! plan of [`faults`].
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
//! (in JSON), 401 and 404. Different on purpose: invoices carry a payment secret and features, without which no
//! wallet of today pays; [`Quirks::invoices_of_2018`] leaves them out. The manual goes through the rest, point by
//! point.

mod answer;
mod api;
mod builder;
mod changes;
mod clock;
mod control;
#[cfg(feature = "dashboard")]
mod dashboard;
#[cfg(feature = "sqlite")]
mod data;
mod entropy;
#[cfg(feature = "server")]
mod events;
pub mod faults;
mod guard;
mod ledger;
mod limit;
mod node;
mod quirks;
mod sandbox;
#[cfg(feature = "server")]
mod server;
mod service;
#[cfg(feature = "fixtures")]
mod simulated;
mod webhooks;

pub use builder::Builder;
#[cfg(feature = "sqlite")]
pub use data::{DataBuilder, DataError};
pub use ledger::{ChargeRecord, ChargeState, NotKept};
pub use node::{Paid, PayError, Settlement};
pub use quirks::Quirks;
pub use sandbox::Sandbox;
#[cfg(feature = "server")]
pub use server::RunningSandbox;
pub use service::ExpireError;
pub use webhooks::{Delivery, DeliveryState, DueWebhook, SendAgainError, Webhook};

/// The README, so that its code is compiled.
#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../README.md")]
pub mod readme {}

/// The manual, so that its code is compiled.
#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../../docs/sandbox.md")]
pub mod manual {}
