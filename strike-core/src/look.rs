//! Looks through the newest part of the list for charges that carry one key.

use alloc::vec::Vec;
use core::time::Duration;

use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::machine::{Machine, Now, Reply, Step};
use crate::op::List;
use crate::order_key::OrderKey;
use crate::page::Row;
use crate::policy::{RetryPolicy, Seeds};
use crate::types::{Charge, UnixMillis};
use crate::walk::Walk;

/// How far back a look goes without better knowledge.
const USUAL_REACH: Duration = Duration::from_secs(2 * 60 * 60);

/// The most pages of a look, so that it ends whatever the server returns.
const MOST_PAGES: u32 = 1000;

/// How far back a look goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    /// To that moment, but two hours by the server's clock at least.
    Since(Option<UnixMillis>),
    /// To the row that was the newest before, by the server's own times.
    Anchor(UnixMillis),
}

/// What a look saw.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The charge with the key: the paid one of several, else the oldest.
    pub(crate) charge: Option<Charge>,
    /// When the newest row was made; zero in an empty list.
    pub(crate) newest: UnixMillis,
    /// Whether nothing with the key can have been passed over.
    pub(crate) complete: bool,
}

/// Reads pages until a row is older than its reach.
#[derive(Debug)]
pub(crate) struct Look {
    at: Endpoint,
    policy: RetryPolicy,
    seeds: Seeds,
    key: OrderKey,
    reach: Reach,
    walk: Walk,
    call: Option<Call<List>>,
    until: Option<UnixMillis>,
    seen: Seen,
}

impl Look {
    pub(crate) fn new(key: OrderKey, reach: Reach, at: &Endpoint, policy: RetryPolicy, seed: u64) -> Self {
        Self {
            at: at.clone(),
            policy,
            seeds: Seeds::new(seed),
            key,
            reach,
            walk: Walk::new(30),
            call: None,
            until: None,
            seen: Seen { charge: None, newest: UnixMillis::from_millis(0), complete: true },
        }
    }

    /// Takes a page; true if it was the last.
    fn take(&mut self, rows: Vec<Row>, server_time: UnixMillis) -> bool {
        let until = *self.until.get_or_insert_with(|| {
            let usual = server_time.saturating_sub(USUAL_REACH);
            match self.reach {
                Reach::Anchor(newest) => newest,
                Reach::Since(since) => since.map_or(usual, |since| since.min(usual)),
            }
        });
        // The whole page is read, even past an older row: a server's clock may have been set back a little.
        let mut past = false;
        for row in rows {
            match row {
                Row::Charge(charge) => {
                    self.seen.newest = self.seen.newest.max(charge.created());
                    past |= charge.created() < until;
                    let key = charge.customer_id().and_then(OrderKey::read).map(|(key, _)| key);
                    if key == Some(self.key) {
                        self.prefer(charge);
                    }
                }
                Row::Unreadable(row) => {
                    // Somebody else's bad row is no matter; one that may be ours is.
                    let key = row.customer_id.as_deref().map(|id| OrderKey::read(id).map(|(key, _)| key));
                    self.seen.complete &= key.is_some_and(|key| key != Some(self.key));
                }
            }
        }
        past
    }

    /// The paid one of several, else the oldest: rows come newest first.
    fn prefer(&mut self, charge: Charge) {
        let better = self.seen.charge.as_ref().is_none_or(|best| charge.paid() || !best.paid());
        if better {
            self.seen.charge = Some(charge);
        }
    }

    fn finish(&mut self) -> Seen {
        Seen { charge: self.seen.charge.take(), newest: self.seen.newest, complete: self.seen.complete }
    }
}

impl Machine for Look {
    type Output = Seen;

    fn poll(&mut self, now: Now) -> Step<Seen> {
        loop {
            let list = self.walk.next().filter(|_| self.walk.pages() < MOST_PAGES);
            let call = match (&mut self.call, list) {
                (Some(call), _) => call,
                (None, Some(list)) => {
                    self.call.insert(Call::new(list, &self.at, self.policy, self.seeds.draw()))
                }
                (None, None) => {
                    // Too many pages, or too many charges made meanwhile: what lies beyond was not seen.
                    self.seen.complete &= self.walk.pages() < MOST_PAGES && !self.walk.gave_up();
                    return Step::Done(Ok(self.finish()));
                }
            };
            match call.poll(now).ended() {
                Err(step) => return step,
                Ok(Err(error)) => return Step::Done(Err(error)),
                Ok(Ok(page)) => {
                    let server_time = call.server_time().unwrap_or(now.unix);
                    self.call = None;
                    let rows = self.walk.take(page);
                    if self.take(rows, server_time) {
                        return Step::Done(Ok(self.finish()));
                    }
                }
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        if let Some(call) = &mut self.call {
            call.handle(reply, now);
        }
    }
}
