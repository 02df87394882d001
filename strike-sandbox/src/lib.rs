//! The Strike charge API in a box: charges with real signed invoices, and no account, no node and no money.
//!
//! ACINQ closed its service in 2021. This one answers as the recordings of it do, byte for byte where there are
//! recordings, and adds what a test needs: a seed, a clock, and a way to pay.
//!
//! # What is where
//!
//! * [`Sandbox`] answers in memory: a request in, a response out. [`Sandbox::reply`] is a transport for a client. It pays
//!   charges, lists them, lets them expire, and moves the clock.
//! * [`Builder`] makes one: its key, network, seed and clock. `Builder::start` puts it behind HTTP on 127.0.0.1,
//!   `Builder::tls` makes that HTTPS, and `Builder::data` keeps its charges in a file.
//! * [`Quirks`] make it odder or stricter: the service as it was in 2018, a request limit, keys that nobody knows.
//! * [`faults`] are what goes wrong on purpose: an answer that is lost, cut, late or another one.
//! * A [`Webhook`] tells a shop of each payment, late, twice or never if you like.
//! * [`Settlement`] says how a charge is paid.
//!
//! The program `strike-sandbox`, of the crate `strike-sandbox-cli`, does it all for programs in other languages. Besides the API below `/api/v1/` it has a page
//! for people at `/`, and controls below `/sandbox/`, which need no key. The manual, `docs/sandbox.md` of the repository,
//! describes them.
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `server` (default) | the loopback server |
//! | `tls` | HTTPS with a certificate for one run, and webhooks to https addresses |
//! | `dashboard` | the page at `/`, and QR codes |
//! | `sqlite` | charges that outlive the process |
//! | `lightning` | payments over a channel between two Lightning nodes in the process |
//! | `fixtures` | answers a simulation of core, whose clock is then the sandbox's |
//!
//! # In memory
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
#![cfg_attr(docsrs, feature(doc_cfg))]

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
mod response;
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
pub use ledger::{ChargeRecord, ChargeState, ExpireError, StorageError};
pub use node::{Paid, PayError, Settlement};
pub use quirks::Quirks;
pub use sandbox::Sandbox;
#[cfg(feature = "server")]
pub use server::RunningSandbox;
pub use webhooks::{Delivery, DeliveryState, DueWebhook, SendAgainError, Webhook};

/// The README, so that its code is compiled.
#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../README.md")]
pub mod readme {}
