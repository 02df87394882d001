//! A local server for the Strike charge API and for phoenixd's, for tests. Its invoices are real and
//! signed, but need no account, Lightning node or money.
//!
//! ACINQ closed its service in 2021. The sandbox reproduces the recorded responses byte for byte.
//! It adds what tests need: a seed, a clock, and a way to pay charges.
//!
//! # Quick start
//!
//! Create a charge and pay it, in memory and without waiting:
//!
//! ```
//! use std::time::Duration;
//! use strike_core::NewCharge;
//! use strike_sandbox::{PayError, Sandbox};
//!
//! let sandbox = Sandbox::new();
//! let tea = sandbox.create(NewCharge::satoshis(4200, "tea"))?;
//! let cake = sandbox.create(NewCharge::satoshis(6000, "cake"))?;
//! assert!(tea.payment_request().starts_with("lntb42u1"));
//!
//! sandbox.pay(tea.id())?;
//!
//! // An invoice expires after one hour.
//! sandbox.advance(Duration::from_secs(3600));
//! assert_eq!(sandbox.pay(cake.id()), Err(PayError::Expired));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Run it as an HTTP server on a free port:
//!
//! ```
//! # #[cfg(feature = "server")] {
//! use strike_sandbox::Sandbox;
//!
//! // The server stops when `running` is dropped.
//! let running = Sandbox::builder().start()?;
//! let endpoint = running.endpoint()?;
//! // Pass the endpoint to `strike_blocking::Client::new` or `strike_async::Client::new`.
//! # drop(endpoint);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Overview
//!
//! | type | purpose |
//! | --- | --- |
//! | [`Sandbox`] | creates, pays, lists and expires charges, moves the clock, responds to requests in memory |
//! | [`SandboxBuilder`] | the settings: API key, network, seed, clock, and those below |
//! | `RunningSandbox` | a sandbox with an HTTP or HTTPS server, from `SandboxBuilder::start` |
//! | [`faults`] | lost, truncated, delayed and wrong responses |
//! | [`Webhook`] | a POST to the shop after each payment: in time, late, twice or never |
//! | [`Phoenixd`] | the passwords, webhooks and fees of phoenixd's API, on the same port |
//! | [`Quirks`] | the formats of 2018, a rate limit, unknown JSON keys |
//! | [`Settlement`] | how charges are paid |
//!
//! To test a client without a socket, use [`Sandbox::reply`] as its transport. To keep charges
//! between runs, use `SandboxBuilder::data`.
//!
//! For programs in other languages there is the program `strike-sandbox`, in the crate
//! `strike-sandbox-cli`. It serves the API below `/api/v1/`, a web page at `/`, and control routes
//! below `/sandbox/`, which need no API key. The manual describes them; it is `docs/sandbox.md` in
//! the repository.
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `server` (default) | the HTTP server |
//! | `tls` | HTTPS with a certificate for each start, and webhooks to https URLs |
//! | `dashboard` | the web page at `/`, and QR codes |
//! | `sqlite` | charges stored in a file |
//! | `lightning` | payments over a channel between two Lightning nodes in the process |
//! | `fixtures` | simulations of `strike-core`, with virtual time |
//!
//! # What is recorded and what is assumed
//!
//! These parts follow recordings of the service: paths, fields with their order and layout,
//! headers, status 200 for a create, and the errors 400 (in JSON), 401 and 404.
//!
//! One difference is deliberate. Invoices have a payment secret and features, because current
//! wallets require them. [`Quirks::invoices_of_2018`] omits them. The manual lists the rest.
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
mod order;
mod phoenixd;
mod quirks;
mod response;
mod route_path;
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
pub use phoenixd::Phoenixd;
pub use quirks::Quirks;
pub use sandbox::Sandbox;
#[cfg(feature = "server")]
pub use server::RunningSandbox;
pub use webhooks::{DeliveryState, DueWebhook, SendAgainError, Webhook, WebhookDelivery};

/// The README, so that its code is compiled.
#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../README.md")]
pub mod readme {}
