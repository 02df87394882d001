//! A look into the database, in one transaction: the lease, charges to take, hints, and what is due.

use super::queue::Work;
use super::session::Session;
use super::share::share;
use crate::error::Error;
use crate::place::new_claim;
use crate::store::{Creation, Taken, Transaction, millis};

/// The most things of one kind that a look finds.
const BATCH: usize = 16;

/// What a look found.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) is_lease_lost: bool,
    pub(super) taken: Vec<Taken>,
    pub(super) given_back: Vec<String>,
    pub(super) hinted: Vec<String>,
    pub(super) work: Vec<Work>,
    pub(super) renewed: Option<i64>,
    /// The database's time.
    pub(super) now: i64,
    /// The age of the oldest pending order, in milliseconds.
    pub(super) oldest: u64,
}

impl Session<'_> {
    /// Reads and writes the tables, in one transaction.
    pub(super) async fn look(
        &self,
        held: i64,
        renew: bool,
        room: usize,
        has_taken: &mut bool,
    ) -> Result<Findings, Error> {
        let failed = |source| Error::database("look for work", source);
        let settings = &self.desk.inner().settings;
        let mut tx = self.desk.inner().store.begin().await.map_err(failed)?;
        let now = tx.now().await.map_err(failed)?;
        let mut found = Findings { now, ..Findings::default() };
        if !tx.lock_lease(self.lease, now).await.map_err(failed)? {
            return Ok(Findings { is_lease_lost: true, ..found });
        }
        if renew {
            let lapses_at = now.saturating_add(millis(settings.lease));
            tx.renew_lease(self.lease, now, lapses_at, held).await.map_err(failed)?;
            found.renewed = Some(held);
        }
        let share = share(tx.fleet(now).await.map_err(failed)?, held, i64::from(settings.max_held));
        if share.take > 0 {
            found.taken = self.take(&mut tx, now, share.take).await.map_err(failed)?;
            *has_taken = !found.taken.is_empty();
        }
        if share.give_back > 0 {
            found.given_back = tx.give_back(self.lease, share.give_back).await.map_err(failed)?;
        }
        found.hinted = tx.take_hints(self.lease).await.map_err(failed)?;
        tx.take_late_hints(now).await.map_err(failed)?;
        self.find_due(&mut tx, now, room, &mut found).await?;
        let oldest = tx.connection().oldest_pending().await.map_err(failed)?;
        found.oldest = oldest.map_or(0, |placed_at| (now - placed_at).max(0).unsigned_abs());
        tx.commit().await.map_err(failed)?;
        Ok(found)
    }

    /// Takes charges that no instance watches: those without a lease, then those of lapsed leases.
    async fn take(&self, tx: &mut Transaction, now: i64, most: i64) -> Result<Vec<Taken>, sqlx::Error> {
        let mut taken = tx.take_unheld(self.lease, most).await?;
        for lapsed in tx.lapsed_leases(now).await? {
            let room = most.saturating_sub(i64::try_from(taken.len()).unwrap_or(most));
            let charges = tx.take_lapsed(self.lease, lapsed, room).await?;
            if charges.is_empty() && room > 0 {
                tx.remove_empty_lease(lapsed).await?;
            } else if !charges.is_empty() {
                tracing::warn!(lapsed, charges = charges.len(), "took over the charges of a lapsed lease");
            }
            taken.extend(charges);
        }
        Ok(taken)
    }

    /// Finds what is due, and postpones it for the other instances.
    async fn find_due(
        &self,
        tx: &mut Transaction,
        now: i64,
        room: usize,
        found: &mut Findings,
    ) -> Result<(), Error> {
        let failed = |source| Error::database("look for what is due", source);
        let settings = &self.desk.inner().settings;
        let limit = i64::try_from(room.min(BATCH) / 2).unwrap_or(0);
        // If this instance dies, what it has found is due again after that time.
        let postponed =
            now.saturating_add(millis(settings.lease)).saturating_add(millis(settings.handler_timeout));
        for row in tx.due_retries(now, limit).await.map_err(failed)? {
            tx.set_retry_at(row.charge_row, postponed).await.map_err(failed)?;
            found.work.push(Work::Retry(Box::new(row)));
        }
        for row in tx.due_late(now, limit).await.map_err(failed)? {
            tx.set_check_at(row.charge_row, Some(postponed)).await.map_err(failed)?;
            found.work.push(Work::Late(Box::new(row), postponed));
        }
        for row in tx.lapsed_creations(now, limit).await.map_err(failed)? {
            let claim = new_claim()?;
            tx.take_claim(row.charge_row, (&claim, self.desk.claim_until(now))).await.map_err(failed)?;
            match Creation::of(&row, &claim) {
                Ok(creation) => found.work.push(Work::Create(Box::new(creation))),
                Err(error) => tracing::error!(%error, "a charge cannot be created"),
            }
        }
        Ok(())
    }
}
