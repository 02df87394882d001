//! The HTTP API of phoenixd, over the same ledger: invoices, incoming payments and the node.
//!
//! It follows phoenixd's source. It was never compared with a running phoenixd.

mod access;
mod account;
mod create_invoice;
mod decode_invoice;
mod event;
mod incoming;
mod node_info;
mod parameters;
mod payment_json;
mod reply;
mod routes;
mod sandbox;
mod sending;
mod settings;
#[cfg(feature = "server")]
mod websocket;

pub(crate) use account::Account;
pub(crate) use reply::{error_response, failed};
pub(crate) use routes::{has_root, respond};
pub use settings::Phoenixd;

/// Returns true if a path belongs to this API: any path that is neither the service's nor the
/// sandbox's own.
pub(crate) fn serves(path: &[&str]) -> bool {
    !matches!(path.first(), None | Some(&"api" | &"sandbox"))
}
