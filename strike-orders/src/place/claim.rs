//! Which call creates the charge of an order: one transaction decides.

use strike_async::NewCharge;
use strike_async::mirror::{Mirror, Query};

use super::Want;
use super::limits::unless_different;
use super::random::{new_claim, new_key};
use crate::desk::Desk;
use crate::error::Error;
use crate::order::{Order, OrderState};
use crate::store::{Creation, Transaction, millis, time, to_json};

/// What a look at an order says.
pub(super) enum Claim {
    Exists(Box<Order>),
    /// This call creates the charge.
    Create(Box<Creation>),
    /// Another call creates the charge.
    Wait,
    /// Look whether the last invoice was paid late, before there is a new one.
    CheckFirst(Box<Order>),
}

impl Desk {
    /// Decides in one transaction what this call does for the order.
    pub(super) async fn claim(
        &self,
        name: &str,
        ordered: &NewCharge,
        want: Want,
        checked: Option<u32>,
    ) -> Result<Claim, Error> {
        let failed = |source| Error::database("place the order", source);
        let mut tx = self.inner().store.begin().await.map_err(failed)?;
        let now = tx.now().await.map_err(failed)?;
        if want == Want::Order
            && let Some(order_id) = tx.insert_order(name, ordered, now).await.map_err(failed)?
        {
            let creation = self.begin_attempt(&mut tx, (order_id, 1), name, ordered, now).await?;
            tx.commit().await.map_err(failed)?;
            return Ok(Claim::Create(Box::new(creation)));
        }
        let Some(order_id) = tx.order_id(name).await.map_err(failed)? else {
            // `place` comes here if the order was removed in between: its create was refused.
            let gone = Err(Error::NotFound { name: name.to_owned() });
            return if want == Want::Order { Ok(Claim::Wait) } else { gone };
        };
        tx.lock_order(order_id).await.map_err(failed)?;
        let rows = tx.charges_of(order_id).await.map_err(failed)?;
        let creating = rows.iter().find(|row| row.charge_state == "creating");
        let shown = rows.iter().find(|row| row.charge_state != "creating");
        // While a renewal is created, `place` returns the order as it is shown.
        if let Some(row) = creating
            && (want == Want::Renewal || shown.is_none())
            && row.order_state != "paid"
        {
            let claim = new_claim()?;
            let creation = Creation::of(row, &claim)?;
            unless_different(name, &creation.ordered, ordered)?;
            if row.claim.is_some() && row.claim_until.is_some_and(|until| until > now) {
                return Ok(Claim::Wait);
            }
            let claim = (claim.as_str(), self.claim_until(now));
            tx.take_claim(creation.charge_row, claim).await.map_err(failed)?;
            tx.commit().await.map_err(failed)?;
            return Ok(Claim::Create(Box::new(creation)));
        }
        let Some(row) = shown else { return Ok(Claim::Wait) };
        let order = row.order()?;
        let is_over = matches!(order.state(), OrderState::Expired | OrderState::Failed);
        if want == Want::Order || !is_over {
            if order.state() != OrderState::Paid || want == Want::Order {
                unless_different(name, order.new_charge(), ordered)?;
            }
            return Ok(Claim::Exists(Box::new(order)));
        }
        if checked != Some(order.attempt()) && order.state() == OrderState::Expired {
            return Ok(Claim::CheckFirst(Box::new(order)));
        }
        let attempt = tx.next_attempt(order_id).await.map_err(failed)?;
        let creation = self.begin_attempt(&mut tx, (order_id, attempt), name, ordered, now).await?;
        tx.commit().await.map_err(failed)?;
        Ok(Claim::Create(Box::new(creation)))
    }

    /// Writes the row of a charge that this call creates.
    async fn begin_attempt(
        &self,
        tx: &mut Transaction,
        (order_id, attempt): (i64, i64),
        name: &str,
        ordered: &NewCharge,
        now: i64,
    ) -> Result<Creation, Error> {
        let failed = |source| Error::database("place the order", source);
        let claim = new_claim()?;
        let mut mirror = Mirror::draft(ordered.clone(), new_key()?, time(now));
        // From now on a create may have been sent.
        let _ = mirror.ask(Query::Id);
        let saved = to_json(name, &mirror)?;
        let until = self.claim_until(now);
        let charge_row = tx
            .insert_charge(order_id, attempt, ordered, &saved, now, (&claim, until))
            .await
            .map_err(failed)?;
        let name = name.to_owned();
        let ordered = ordered.clone();
        Ok(Creation {
            order_id,
            name,
            ordered,
            charge_row,
            attempt,
            claim,
            mirror,
            is_new: true,
            begun_at: now,
        })
    }

    /// Returns until when a claim is valid. It is longer than the create may take.
    pub(crate) fn claim_until(&self, now: i64) -> i64 {
        now.saturating_add(millis(self.inner().settings.create_timeout)).saturating_add(1_000)
    }
}
