#![no_std]
#![doc = include_str!("../README.md")]

extern crate alloc;

pub use http;

pub mod call;
pub mod endpoint;
pub mod error;
pub mod invoice;
pub mod machine;
pub mod machines;
pub mod new_charge;
pub mod op;
pub mod policy;
pub mod transport;
pub mod types;
pub mod wait;
pub mod webhook;
mod wire;

pub use call::Call;
pub use endpoint::{ApiKey, Endpoint, EndpointBuilder, Network};
pub use error::{
    Advice, ApiError, Attempt, AttemptOutcome, Error, ErrorKind, InvalidInput, Mismatch, RetryAfter,
};
#[cfg(feature = "signature")]
pub use invoice::PayeeKey;
pub use invoice::{CheckedInvoice, Described, Expectation, Invoice, InvoiceError};
pub use machine::{Exchange, HttpRequest, HttpResponse, Machine, Now, Reply, Step};
pub use machines::Machines;
pub use new_charge::NewCharge;
pub use op::{Create, Get, List, Operation, Page, Replay, Unreadable};
pub use policy::{RetryPolicy, Schedule, Seeds};
pub use transport::{Delivery, TransportError, TransportErrorKind};
pub use types::{Charge, ChargeId, Currency, PaymentHash, Satoshi, UnixMillis};
pub use wait::{Wait, WaitPaid, Waited};
