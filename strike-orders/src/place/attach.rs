//! Writes what came of a create: the charge, its order key, or that there is none.

use std::time::Duration;

use strike_async::Charge;
use tokio::time::Instant;

use crate::desk::Desk;
use crate::error::Error;
use crate::metrics;
use crate::order::Order;
use crate::signal::Change;
use crate::store::{Creation, to_json, within};

/// The longest lifetime of an invoice that cannot be read.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a runner leaves a create alone after its outcome was unknown, in milliseconds.
const RETRY_CREATE: i64 = 5_000;

impl Desk {
    /// Writes the charge of a claimed row. Returns `None` if another call has taken over.
    pub(super) async fn attach(&self, creation: &Creation) -> Result<Option<Order>, Error> {
        let Some(charge) = creation.mirror.charge() else { return Ok(None) };
        // The charge exists, so it is worth trying until another call may take over.
        let give_up = Instant::now() + self.inner().settings.create_timeout;
        let mut pause = Duration::from_millis(50);
        let is_attached = loop {
            match self.try_attach(creation, charge).await {
                Ok(is_attached) => break is_attached,
                Err(error) if Instant::now() >= give_up => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "a new charge is written again later")
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        };
        if !is_attached {
            return Ok(None);
        }
        metrics::invoice_created();
        tracing::info!(attempt = creation.attempt, payment_hash = %charge.payment_hash(), "created the invoice");
        self.order(&creation.name).await
    }

    async fn try_attach(&self, creation: &Creation, charge: &Charge) -> Result<bool, Error> {
        let saved = to_json(&creation.name, &creation.mirror)?;
        let active = self.inner().runner.active();
        let change = Change::Order(creation.name.clone());
        let write = async {
            let mut tx = self.inner().store.begin().await?;
            tx.lock_order(creation.order_id).await?;
            let lease = active.as_ref().map(|active| active.lease);
            let Some(holder) = tx.attach(creation, charge, &saved, expires_at(charge), lease).await? else {
                return Ok(None);
            };
            tx.notify(&change.payload()).await?;
            if holder.is_none() {
                tx.notify(&Change::Work.payload()).await?;
            }
            Ok(Some((tx, holder)))
        };
        let Some((tx, holder)) = within("write the new charge", write).await? else { return Ok(false) };
        let committed = within("write the new charge", tx.commit()).await;
        // After an error, the charge may have been written all the same.
        match active {
            Some(active) if holder.is_some() => active.handle.add(charge),
            _ => self.inner().signal.send(Change::Work),
        }
        self.inner().signal.send(change);
        committed.map(|()| true)
    }

    /// Writes the mirror of a claimed row. Returns false if another call has taken over.
    pub(super) async fn save(&self, creation: &Creation) -> Result<bool, Error> {
        let saved = to_json(&creation.name, &creation.mirror)?;
        let save = async {
            let mut tx = self.inner().store.begin().await?;
            let is_saved = tx.save_creation(creation, &saved).await?;
            tx.commit().await?;
            Ok(is_saved)
        };
        within("write the new order key", save).await
    }

    /// Removes a row whose charge was certainly not created. If that fails, a later call finds out again.
    pub(super) async fn forget(&self, creation: &Creation) {
        let forget = async {
            let mut tx = self.inner().store.begin().await?;
            tx.lock_order(creation.order_id).await?;
            tx.forget(creation).await?;
            tx.commit().await
        };
        if let Err(error) = within("remove a refused order", forget).await {
            tracing::warn!(%error, "a refused order could not be removed");
        }
        self.inner().signal.send(Change::Order(creation.name.clone()));
    }

    /// Gives up the claim of a row. If that fails, the claim lapses.
    pub(super) async fn release(&self, creation: &Creation, error: &Error) {
        let release = async {
            let mut tx = self.inner().store.begin().await?;
            let retry_at = tx.now().await?.saturating_add(RETRY_CREATE);
            tx.release_claim(creation, &error.to_string(), retry_at).await?;
            tx.commit().await
        };
        if let Err(error) = within("give up a claim", release).await {
            tracing::warn!(%error, "a claim could not be given up; it lapses");
        }
        self.inner().signal.send(Change::Order(creation.name.clone()));
    }
}

/// Returns when the invoice of a charge expires.
fn expires_at(charge: &Charge) -> i64 {
    let expires_at = charge.invoice().map(|invoice| invoice.expires_at());
    let expires_at = expires_at.unwrap_or_else(|_| charge.created().saturating_add(WEEK));
    i64::try_from(expires_at.as_millis()).unwrap_or(i64::MAX)
}
