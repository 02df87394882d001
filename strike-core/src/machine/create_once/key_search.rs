//! Looks through the newest part of the list for charges that carry one key.

use std::time::Duration;

use crate::errors::ErrorKind;
use crate::machine::context::Context;
use crate::machine::paging::cursor::Walk;
use crate::machine::{Call, Machine, Step};
use crate::protocol::{List, Row, UnreadableRow};
use crate::transport::Reply;
use crate::values::{Charge, Now, OrderKey, UnixMillis};

/// How far the caller's clock may be from the server's when it says since when a key is in use.
const CLOCKS_APART: Duration = Duration::from_secs(2 * 60 * 60);

/// The most pages of a look, so that it ends whatever the server returns.
pub(crate) const MOST_PAGES: u32 = 1000;

/// Rows of a page in a look that is likely to end on the first one.
const SMALL_PAGE: u32 = 30;

/// Rows of a page in a look through the whole list.
const LARGE_PAGE: u32 = 250;

/// How far back a look goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    /// To the end of the list.
    All,
    /// To that moment by the caller's clock, and two hours by the server's clock at least.
    Since(UnixMillis),
    /// To the row that was the newest before, by the server's own times.
    Anchor(UnixMillis),
}

/// What a look saw.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The charge with the key: the oldest paid one, else the oldest of the last attempt.
    pub(crate) charge: Option<(u8, Charge)>,
    /// The last attempt that has a charge, counted from 1; zero if none has.
    pub(crate) last_attempt: u8,
    /// When the newest row was made; zero in an empty list.
    pub(crate) newest: UnixMillis,
    /// The server's clock, as the last page told it.
    pub(crate) server_time: Option<UnixMillis>,
    /// What can have hidden a charge with the key, if anything.
    pub(crate) gap: Option<Gap>,
}

/// Why a charge with the key can have been passed over.
#[derive(Debug)]
pub(crate) enum Gap {
    /// A row that may have it could not be read.
    Row(UnreadableRow),
    /// The list grows faster than it is read.
    Outrun,
    /// The list has more than [`MOST_PAGES`] pages.
    TooLong,
}

/// Reads pages until a row is older than its reach.
#[derive(Debug)]
pub(crate) struct Look {
    context: Context,
    key: OrderKey,
    /// The first attempt that counts although it is unpaid.
    attempt: u8,
    reach: Reach,
    walk: Walk,
    size: u32,
    call: Option<Call<List>>,
    until: Option<UnixMillis>,
    seen: Seen,
}

impl Look {
    pub(crate) fn new((key, attempt): (OrderKey, u8), reach: Reach, context: Context) -> Self {
        let size = if matches!(reach, Reach::All) { LARGE_PAGE } else { SMALL_PAGE };
        let newest = UnixMillis::from_millis(0);
        Self {
            context,
            key,
            attempt,
            reach,
            walk: Walk::new(size),
            size,
            call: None,
            until: None,
            seen: Seen { charge: None, last_attempt: 0, newest, server_time: None, gap: None },
        }
    }

    /// Takes a page; true if it was the last.
    fn take(&mut self, rows: Vec<Row>, server_time: UnixMillis) -> bool {
        let until = *self.until.get_or_insert_with(|| match self.reach {
            Reach::All => UnixMillis::from_millis(0),
            Reach::Since(since) => since.min(server_time.saturating_sub(CLOCKS_APART)),
            Reach::Anchor(newest) => newest,
        });
        // The whole page is read, even past an older row: a server's clock may have been set back a little.
        let mut past = false;
        for row in rows {
            match row {
                Row::Charge(charge) => {
                    self.seen.newest = self.seen.newest.max(charge.created());
                    past |= charge.created() < until;
                    let read = charge.raw_customer_id().and_then(OrderKey::read_attempt);
                    if let Some((key, attempt, _)) = read
                        && key == self.key
                    {
                        self.prefer(attempt, charge);
                    }
                }
                Row::Unreadable(row) => {
                    // Somebody else's bad row is no matter; one that may be ours is.
                    let key = row
                        .customer_id
                        .as_deref()
                        .map(|id| OrderKey::from_customer_id(id).map(|(key, _)| key));
                    if key.is_none_or(|key| key == Some(self.key)) {
                        self.seen.gap.get_or_insert(Gap::Row(row));
                    }
                }
            }
        }
        past
    }

    /// Keeps the better of two charges. Rows come newest first, so the later of two equals is the older.
    fn prefer(&mut self, attempt: u8, charge: Charge) {
        self.seen.last_attempt = self.seen.last_attempt.max(attempt);
        let better = match &self.seen.charge {
            _ if charge.is_paid() => true,
            Some((best, known)) => !known.is_paid() && attempt >= *best,
            None => attempt >= self.attempt,
        };
        if better {
            self.seen.charge = Some((attempt, charge));
        }
    }

    fn finish(&mut self) -> Seen {
        Seen { charge: self.seen.charge.take(), gap: self.seen.gap.take(), ..self.seen }
    }
}

impl Machine for Look {
    type Output = Seen;

    fn poll(&mut self, now: Now) -> Step<Seen> {
        loop {
            let list = self.walk.next().filter(|_| self.walk.pages() < MOST_PAGES);
            let call = match (&mut self.call, list) {
                (Some(call), _) => call,
                (None, Some(list)) => self.call.insert(Call::new(list, self.context.fork())),
                (None, None) => {
                    let missed = if self.walk.gave_up() {
                        Some(Gap::Outrun)
                    } else if self.walk.next().is_some() {
                        Some(Gap::TooLong)
                    } else {
                        None
                    };
                    self.seen.gap = self.seen.gap.take().or(missed);
                    return Step::Done(Ok(self.finish()));
                }
            };
            match call.poll(now).ended() {
                Err(step) => return step,
                Ok(Err(error)) => {
                    let too_large = matches!(error.kind(), ErrorKind::TooLarge { .. });
                    if too_large && self.size > SMALL_PAGE {
                        self.size = SMALL_PAGE;
                        self.walk = Walk::new(SMALL_PAGE);
                        self.call = None;
                    } else {
                        return Step::Done(Err(error));
                    }
                }
                Ok(Ok(page)) => {
                    self.seen.server_time = call.server_time();
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
