//! The health check.

use std::time::Duration;

use strike_async::UnixMillis;

use crate::desk::Desk;
use crate::error::Error;
use crate::store::{time, within};

/// Whether orders are being watched, on any instance. [`Desk::health`] returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// How many instances run.
    pub runners: usize,
    /// How many charges they watch.
    pub held: u64,
    /// Whether this desk, or a clone of it, runs in this process and has a valid lease.
    pub runs_here: bool,
    /// How long ago this desk renewed its lease, or `None` if it does not run.
    pub lease_age: Option<Duration>,
    /// When the oldest pending order was placed.
    pub oldest_pending: Option<UnixMillis>,
    /// How many ends wait until their handler is called again.
    pub failing_handlers: u64,
    /// An error of such a handler.
    pub handler_error: Option<String>,
}

impl Health {
    /// Returns true if an instance runs and no handler is failing.
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        self.runners > 0 && self.failing_handlers == 0
    }
}

impl Desk {
    /// Reads whether orders are being watched.
    ///
    /// Its cost does not depend on the number of orders.
    ///
    /// # Errors
    /// Returns [`Error::Database`] if the database cannot be read. That is unhealthy, too.
    pub async fn health(&self) -> Result<Health, Error> {
        let read = async {
            let mut reader = self.inner().store.reader().await?;
            let now = reader.connection().now().await?;
            let oldest_pending = reader.connection().oldest_pending().await?;
            Ok((now, oldest_pending, reader.leases().await?, reader.failing_handlers().await?))
        };
        let (now, oldest_pending, leases, (failing, handler_error)) =
            within("check the health", read).await?;
        let valid: Vec<_> = leases.iter().filter(|lease| lease.lapses_at >= now).collect();
        let active = self.inner().runner.active();
        let ours = active.and_then(|active| valid.iter().find(|lease| lease.id == active.lease).copied());
        Ok(Health {
            runners: valid.len(),
            held: valid.iter().map(|lease| lease.held.unsigned_abs()).sum(),
            runs_here: ours.is_some(),
            lease_age: ours
                .map(|lease| Duration::from_millis((now - lease.renewed_at).max(0).unsigned_abs())),
            oldest_pending: oldest_pending.map(time),
            failing_handlers: failing.unsigned_abs(),
            handler_error,
        })
    }
}
