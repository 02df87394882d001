#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("strike-orders needs a database: enable the feature `sqlite` or `postgres`");

mod builder;
mod desk;
mod ends;
mod error;
mod event;
mod health;
mod hint;
#[cfg(feature = "postgres")]
mod listen;
mod metrics;
mod order;
mod place;
mod read;
mod run;
mod runner;
mod settings;
mod signal;
mod store;

pub use builder::DeskBuilder;
pub use desk::Desk;
pub use ends::{Cursor, End, Ends};
pub use error::{Error, HandlerError};
pub use event::{EndKind, Event};
pub use health::Health;
pub use metrics::RequestMetrics;
pub use order::{Order, OrderState};
pub use read::{DayTotal, Follow, OrderFilter};
pub use sqlx;
pub use store::{Connection, Transaction};
pub use strike_async;
