//! The loop that looks into the database, and passes on what it finds.

use std::time::Duration;

use strike_async::mirror::Mirror;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::look::Findings;
use super::queue::Work;
use super::session::{Over, Session};
use super::share;
use crate::error::Error;
use crate::metrics;
use crate::signal::Change;
use crate::store::TIME_LIMIT;

/// How long a look waits after a notification, for further ones.
const GATHER: Duration = Duration::from_millis(10);

/// How many of the charges that a tick takes are read first, because their invoices have expired.
const MOST_OVERDUE: usize = 20;

/// When the lease was renewed, and what it said.
struct Renewed {
    at: Instant,
    held: i64,
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
        let is_full = i64::try_from(found.taken.len()).is_ok_and(|taken| taken >= share::BATCH);
        self.apply(found, queue);
        if is_full { Step::GoOn } else { Step::Rest }
    }

    fn apply(&self, found: Findings, queue: &mpsc::Sender<Work>) {
        let mut overdue = 0;
        for (mirror, expires_at) in found.taken {
            let mirror = match serde_json::from_str::<Mirror>(&mirror) {
                Ok(mirror) => mirror,
                Err(error) => {
                    tracing::error!(%error, "a stored charge cannot be read, so it is not watched");
                    continue;
                }
            };
            let Some(charge) = mirror.charge() else { continue };
            self.handle.add(charge);
            // The watch begins with the newest. Instances that die often would never reach these.
            if expires_at < found.now && overdue < MOST_OVERDUE {
                overdue += 1;
                self.handle.check_soon(charge.id());
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
