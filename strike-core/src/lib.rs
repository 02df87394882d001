//! WIP
#![no_std]
extern crate alloc;

pub use http;

pub mod endpoint;
pub mod error;
pub mod machine;
pub mod transport;
pub mod types;
mod wire;

pub use endpoint::{ApiKey, Endpoint, EndpointBuilder, Network};
pub use error::{
    Advice, ApiError, Attempt, AttemptOutcome, Error, ErrorKind, InvalidInput, Mismatch, RetryAfter,
};
pub use machine::{Exchange, HttpRequest, HttpResponse, Machine, Now, Reply, Step};
pub use transport::{Delivery, TransportError, TransportErrorKind};
pub use types::{Charge, ChargeId, Currency, PaymentHash, Satoshi, UnixMillis};
