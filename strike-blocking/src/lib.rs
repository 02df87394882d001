#![doc = include_str!("../README.md")]

mod builder;
mod client;
mod timer;
mod transport;
#[cfg(feature = "ureq")]
mod ureq_transport;

pub use strike_core as core;
pub use strike_core::{
    Advice, ApiError, ApiKey, Attempt, AttemptOutcome, Charge, ChargeId, Currency, Delivery, Described,
    Endpoint, EndpointBuilder, Error, ErrorKind, Exchange, InvalidInput, Invoice, InvoiceError, List,
    Machine, Mismatch, Network, NewCharge, Now, Operation, Page, PaymentHash, Reply, RetryAfter, RetryPolicy,
    Satoshi, Schedule, Step, TransportError, TransportErrorKind, UnixMillis, Unreadable, Wait, Waited, http,
};

pub use builder::ClientBuilder;
pub use client::Client;
pub use timer::{SystemTimer, Timer};
pub use transport::{FnTransport, Transport};
#[cfg(feature = "ureq")]
pub use ureq_transport::{UreqTransport, UreqTransportBuilder};
