#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use http;

mod client;
mod errors;
#[cfg(feature = "fixtures")]
pub mod fixture;
mod invoice;
pub mod machine;
pub mod mirror;
mod protocol;
#[cfg(feature = "qr")]
mod qr;
mod redaction;
mod snapshot_version;
#[cfg(feature = "tracing")]
#[doc(hidden)]
pub mod trace;
mod transport;
mod values;
pub mod webhook;

pub use client::CoreClient;
pub use errors::{Advice, ApiError, Error, ErrorKind, Mismatch, RetryAfter};
#[cfg(feature = "signature")]
pub use invoice::PayeeKey;
pub use invoice::{CheckedInvoice, Expectation, Invoice, InvoiceDescription, InvoiceError, WalletObjection};
pub use machine::create_once::{CreateOnceOptions, CreateOutcome};
pub use machine::retry_policy::RetryPolicy;
pub use machine::schedule::Schedule;
pub use machine::wait::{Wait, WaitOutcome};
pub use machine::watch::{Event, Watcher, WatcherSnapshot};
pub use machine::watch_handle::WatchHandle;
pub use protocol::server_clock::CLOCK_MARGIN;
pub use protocol::{
    ApiKey, Create, Endpoint, EndpointBuilder, Get, List, Page, Password, Row, UnreadableRow, WebhookSecret,
};
#[cfg(feature = "qr")]
pub use qr::QrCode;
pub use transport::{
    Attempt, AttemptOutcome, AttemptReport, ConnectionUse, Delivery, Exchange, HttpRequest, HttpResponse,
    Observer, Reply, StartedAttempt, TransportError, TransportErrorKind, check_certificates,
};
pub use values::{
    Charge, ChargeId, Currency, InvalidInput, Network, NewCharge, Now, OrderKey, PaidCharge, PaymentHash,
    Satoshi, Settlement, UnixMillis,
};
