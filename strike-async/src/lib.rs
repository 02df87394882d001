#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "tokio")]
mod background;
mod builder;
mod charges;
mod client;
mod driver;
mod entropy;
#[cfg(feature = "fixtures")]
pub mod fixture;
mod lanes;
mod lazy;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod timer;
mod transport;
mod wake;
mod watch;

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
#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use timer::Timer;
#[cfg(feature = "tokio")]
pub use timer::TokioTimer;
pub use transport::{AsyncTransport, BoxFuture};
pub use watch::Watch;
