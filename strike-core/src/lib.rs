#![no_std]
#![doc = include_str!("../README.md")]

extern crate alloc;

pub use http;

pub mod call;
mod certificates;
pub mod create_once;
pub mod endpoint;
pub mod error;
#[cfg(feature = "fixtures")]
pub mod fixture;
mod http_date;
pub mod input;
pub mod invoice;
pub mod machine;
pub mod machines;
pub mod mirror;
pub mod new_charge;
mod number;
pub mod op;
pub mod order_key;
pub mod order_memory;
pub mod page;
pub mod pager;
pub mod policy;
mod readings;
mod secrets;
mod server_clock;
mod text;
pub mod transport;
pub mod types;
mod version;
pub mod wait;
mod walk;
pub mod watch;
pub mod webhook;
mod wire;

pub use call::Call;
pub use certificates::check_certificates;
pub use create_once::{CreateOnce, CreateOnceOptions, CreateOutcome};
pub use endpoint::{ApiKey, Endpoint, EndpointBuilder, Network};
pub use error::{Advice, ApiError, Attempt, AttemptOutcome, Error, ErrorKind, Mismatch, RetryAfter};
pub use input::InvalidInput;
#[cfg(feature = "signature")]
pub use invoice::PayeeKey;
pub use invoice::{CheckedInvoice, Expectation, Invoice, InvoiceDescription, InvoiceError, WalletObjection};
pub use machine::{ConnectionUse, Exchange, HttpRequest, HttpResponse, Machine, Now, Reply, Step};
pub use machines::CoreClient;
pub use mirror::Mirror;
pub use new_charge::NewCharge;
pub use op::{Create, Get, List, Operation, RetrySafety};
pub use order_key::OrderKey;
pub use order_memory::{OrderMemory, OrderRecord};
pub use page::{Page, Row, UnreadableRow};
pub use pager::{NextCharge, Pager};
pub use policy::{RetryPolicy, Schedule, Seeds};
pub use server_clock::CLOCK_MARGIN;
pub use transport::{Delivery, TransportError, TransportErrorKind};
pub use types::{Charge, ChargeId, Currency, PaymentHash, Satoshi, UnixMillis};
pub use wait::{Wait, WaitOutcome, WaitPaid};
pub use watch::{Event, NextEvent, Watcher, WatcherSnapshot};
