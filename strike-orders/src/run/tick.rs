//! The loop that looks into the database: the lease, charges to take, hints, and what is due.

use std::time::Duration;

use strike_async::mirror::Mirror;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::queue::Work;
use super::session::{Over, Session};
use super::share::share;
use crate::error::Error;
use crate::metrics;
use crate::place::new_claim;
use crate::signal::Change;
use crate::store::{Creation, TIME_LIMIT, Transaction, millis};

/// How long a look waits after a notification, for further ones.
const GATHER: Duration = Duration::from_millis(10);

/// The most things of one kind that a tick finds.
const BATCH: usize = 16;

/// When the lease was renewed, and what it said.
struct Renewed {
    at: Instant,
    held: i64,
}

/// What a tick found.
#[derive(Default)]
struct Findings {
    is_lease_lost: bool,
    taken: Vec<String>,
    given_back: Vec<String>,
    hinted: Vec<String>,
    work: Vec<Work>,
    renewed: Option<i64>,
    /// The age of the oldest pending order, in milliseconds.
    oldest: u64,
}

impl Session<'_> {
    /// Looks into the database until the desk is stopped or the lease is lost.
    pub(super) async fn ticks(&self, queue: mpsc::Sender<Work>) -> Over {
        let inner = self.desk.inner();
        let mut stopping = inner.runner.stopping.subscribe();
        let mut renewed = Renewed { at: Instant::now(), held: 0 };
        loop {
            let mut changes = inner.signal.subscribe();
            let step = async {
                let is_done = self.tick(&queue, &mut renewed).await;
                if is_done == Step::Rest {
                    changes.wait(inner.settings.poll_interval, |change| *change == Change::Work).await;
                    // Notifications that arrive together need only one look.
                    tokio::time::sleep(GATHER).await;
                }
                is_done
            };
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => return Over::Stopped,
                step = step => if step == Step::LeaseLost { return Over::Broken },
            }
        }
    }

    async fn tick(&self, queue: &mpsc::Sender<Work>, renewed: &mut Renewed) -> Step {
        let inner = self.desk.inner();
        let began = Instant::now();
        let held = i64::try_from(self.handle.len()).unwrap_or(i64::MAX);
        let is_due = renewed.at.elapsed() * 3 >= inner.settings.lease
            || renewed.held.abs_diff(held) > 10 + renewed.held.unsigned_abs() / 10;
        let mut has_taken = false;
        let look = timeout(TIME_LIMIT, self.look(held, is_due, queue.capacity(), &mut has_taken)).await;
        let found = match look.unwrap_or(Err(Error::DatabaseTimedOut { task: "look for work" })) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "looking for work failed; trying again");
                // After a failed commit, it is unknown which charges the lease holds.
                let is_lapsed = renewed.at.elapsed() > inner.settings.lease;
                return if has_taken || is_lapsed { Step::LeaseLost } else { Step::Rest };
            }
        };
        if found.is_lease_lost {
            tracing::warn!(lease = self.lease, "the lease has lapsed; another instance watches its orders");
            return Step::LeaseLost;
        }
        if let Some(held) = found.renewed {
            *renewed = Renewed { at: began, held };
        }
        metrics::ticked(held, Duration::from_millis(found.oldest), renewed.at.elapsed());
        let is_full = found.taken.len() >= 1_000;
        self.apply(found, queue);
        if is_full { Step::GoOn } else { Step::Rest }
    }

    /// Reads and writes the tables, in one transaction.
    async fn look(
        &self,
        held: i64,
        renew: bool,
        room: usize,
        has_taken: &mut bool,
    ) -> Result<Findings, Error> {
        let failed = |source| Error::database("look for work", source);
        let settings = &self.desk.inner().settings;
        let mut found = Findings::default();
        let mut tx = self.desk.inner().store.begin().await.map_err(failed)?;
        let now = tx.now().await.map_err(failed)?;
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
    async fn take(&self, tx: &mut Transaction, now: i64, most: i64) -> Result<Vec<String>, sqlx::Error> {
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

    fn apply(&self, found: Findings, queue: &mpsc::Sender<Work>) {
        for mirror in found.taken {
            match serde_json::from_str::<Mirror>(&mirror) {
                Ok(mirror) => mirror.charge().into_iter().for_each(|charge| self.handle.add(charge)),
                Err(error) => tracing::error!(%error, "a stored charge cannot be read, so it is not watched"),
            }
        }
        for id in found.given_back.iter().filter_map(|id| id.parse().ok()) {
            // It does not matter whether it was watched.
            let _ = self.handle.remove(&id);
        }
        if !found.given_back.is_empty() {
            self.desk.inner().signal.send(Change::Work);
        }
        for id in found.hinted.iter().filter_map(|id| id.parse().ok()) {
            self.handle.check_soon(&id);
        }
        for work in found.work {
            if queue.try_send(work).is_err() {
                tracing::debug!("too much to do; what is due is found again later");
                return;
            }
        }
    }
}

/// What the loop does after a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// There is more to take.
    GoOn,
    Rest,
    LeaseLost,
}
