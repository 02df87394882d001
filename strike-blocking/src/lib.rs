#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod charges;
mod client;
mod driver;
mod entropy;
#[cfg(feature = "fixtures")]
pub mod fixture;
mod lanes;
mod lazy;
mod timer;
mod transport;
#[cfg(feature = "ureq")]
mod ureq_transport;
mod watch;

#[doc = include_str!("migration.md")]
pub mod migration {}

pub use strike_core;
#[cfg(feature = "signature")]
pub use strike_core::PayeeKey;
#[cfg(feature = "qr")]
pub use strike_core::QrCode;
pub use strike_core::{
    Advice, ApiError, ApiKey, Attempt, AttemptOutcome, AttemptReport, CLOCK_MARGIN, Charge, ChargeId,
    CheckedInvoice, ConnectionUse, CoreClient, Create, CreateOnceOptions, CreateOutcome, Currency, Delivery,
    Endpoint, EndpointBuilder, Error, ErrorKind, Event, Exchange, Expectation, Get, HttpRequest,
    HttpResponse, InvalidInput, Invoice, InvoiceDescription, InvoiceError, List, Mismatch, Network,
    NewCharge, Now, Observer, OrderKey, Page, PaidCharge, Password, PaymentHash, Reply, RetryAfter,
    RetryPolicy, Row, Satoshi, Schedule, Settlement, TransportError, TransportErrorKind, UnixMillis,
    UnreadableRow, Wait, WaitOutcome, WalletObjection, WatchHandle, Watcher, WatcherSnapshot, WebhookSecret,
    http, machine, mirror, webhook,
};

pub use builder::ClientBuilder;
pub use charges::Charges;
pub use client::Client;
pub use lazy::Lazy;
pub use timer::{SystemTimer, Timer, Wake};
pub use transport::Transport;
#[cfg(feature = "ureq")]
pub use ureq_transport::{UreqTransport, UreqTransportBuilder};
pub use watch::Watch;
