//! A local server for the Strike charge API. Its invoices are real and signed, but need no account,
//! node or money.
//!
//! ACINQ closed its service in 2021. The sandbox reproduces its recorded responses byte for byte. It
//! adds what tests need: a seed, a clock and a way to pay.
//!
//! # Overview
//!
//! * [`Sandbox`] handles requests in memory. It creates, pays, lists and expires charges, and moves
//!   the clock. [`Sandbox::reply`] serves as a client's transport.
//! * [`SandboxBuilder`] holds the settings: API key, network, seed, clock and more.
//!   `SandboxBuilder::start` runs an HTTP server on 127.0.0.1, `SandboxBuilder::tls` uses HTTPS, and
//!   `SandboxBuilder::data` stores the charges in a file.
//! * [`Quirks`] are deviations from the default: the 2018 formats, a request limit, unknown JSON keys.
//! * [`faults`] simulate failures: lost, truncated, late or replaced responses.
//! * A [`Webhook`] is posted to a shop after each payment. It can be delayed, repeated or dropped.
//! * [`Settlement`] selects how charges are paid.
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
//! | `sqlite` | charges stored in a file |
//! | `lightning` | payments over a channel between two Lightning nodes in the process |
//! | `fixtures` | serves `strike-core` simulations, which then use the sandbox's clock |
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
//! # What is recorded and what is assumed
//!
//! Recorded: paths, fields, their order and layout, headers, status 200 for a create, and the errors
//! 400 (in JSON), 401 and 404. One difference is deliberate: invoices have a payment secret and
//! features, because current wallets require them. [`Quirks::invoices_of_2018`] omits them. The
//! manual lists the rest.
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

pub use builder::SandboxBuilder;
#[cfg(feature = "sqlite")]
pub use data::{DataBuilder, DataError};
pub use ledger::{ChargeRecord, ChargeState, ExpireError, StorageError};
pub use node::{Paid, PayError, Settlement};
pub use quirks::Quirks;
pub use sandbox::Sandbox;
#[cfg(feature = "server")]
pub use server::RunningSandbox;
pub use webhooks::{DeliveryState, DueWebhook, SendAgainError, Webhook, WebhookDelivery};

/// The README, so that its code is compiled.
#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../README.md")]
pub mod readme {}
