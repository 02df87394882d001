//! What a test tells a worker process on its standard input, and what the worker replies: one JSON
//! value on each line.

use serde::{Deserialize, Serialize};

/// A line to a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Command {
    /// The reply has the same number.
    pub id: u64,
    /// What to do.
    pub action: Action,
}

/// What a worker does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Action {
    /// Places an order.
    Place(Wanted),
    /// Renews an order.
    Renew(Wanted),
    /// Handles a webhook with this body.
    Webhook(String),
    /// Replies when the desk is open.
    Ready,
    /// Stops the desk, and ends the process.
    Stop,
}

/// What a customer orders.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    /// The name of the order.
    pub name: String,
    /// The amount.
    pub satoshi: u64,
    /// The lifetime of the invoice, in seconds.
    pub lifetime: u32,
}

/// A line from a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reply {
    /// The number of the command.
    pub id: u64,
    /// The result.
    pub outcome: Outcome,
}

/// What a worker did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Outcome {
    /// The payer sees this invoice.
    Shown(Shown),
    /// The order is paid, so it has no further invoice.
    AlreadyPaid,
    /// The webhook was handled.
    Hinted,
    /// The desk is open.
    Ready,
    /// The command failed. A customer tries again.
    Failed(String),
}

/// An invoice that a payer sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The name of the order.
    pub name: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The id of the charge.
    pub charge: String,
    /// The invoice.
    pub payment_request: String,
    /// When the invoice expires, in milliseconds since 1970.
    pub expires_at: u64,
}
