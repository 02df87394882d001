#![doc = include_str!("../README.md")]

mod builder;
mod client;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod timer;
mod transport;

pub use strike_core as core;
pub use strike_core::{
    Advice, ApiError, ApiKey, Attempt, AttemptOutcome, Charge, ChargeId, Currency, Delivery, Described,
    Endpoint, EndpointBuilder, Error, ErrorKind, Exchange, InvalidInput, Invoice, InvoiceError, List,
    Machine, Mismatch, Network, NewCharge, Now, Operation, Page, PaymentHash, Reply, RetryAfter, RetryPolicy,
    Satoshi, Schedule, Step, TransportError, TransportErrorKind, UnixMillis, Unreadable, Wait, Waited, http,
};

pub use builder::ClientBuilder;
pub use client::Client;
#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use timer::Timer;
#[cfg(feature = "tokio")]
pub use timer::TokioTimer;
pub use transport::{AsyncTransport, BoxFuture, FnTransport};
