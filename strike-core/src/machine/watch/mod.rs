//! Watches any number of pending charges, with as few requests as possible.
//!
//! The files: `pending.rs` is one charge, `chart.rs` says where in the list it stands, `health.rs` which way to look works,
//! `round.rs` decides what to ask next, and this one drives it all.

mod health;
mod pending;
mod position_index;
mod scheduler;

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::errors::{Error, ErrorKind, Mismatch};
use crate::machine::context::Context;
use crate::machine::pause::Pause;
use crate::machine::verdict::{Verdict, asked_to_rest};
use crate::machine::{Call, Machine, Schedule, Step};
use crate::protocol::{Get, List, Operation, Page, Row};
use crate::snapshot_version::Version1;
use crate::transport::Reply;
use crate::values::{Charge, ChargeId, Now, PaidCharge, UnixMillis};

use self::health::{Way, backoff};
use self::pending::{Kept, Pending, digest, millis};
use self::scheduler::{Next, Round};

/// How soon after one hint another may break the rest after a failure.
const BETWEEN_HINTS: Duration = Duration::from_secs(1);

/// What became of a watched charge. Each ends exactly once, with one of these.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a shop must answer all three")]
pub enum Event {
    /// The server says that it is paid.
    Paid(PaidCharge),
    /// Its invoice has expired, a grace has passed, and a last look found it unpaid.
    Expired(ChargeId),
    /// It can no longer be watched: the server does not know it, its record stays unreadable, or it has become another.
    Failed(ChargeId, Error),
}

impl Event {
    fn id(&self) -> &ChargeId {
        match self {
            Self::Paid(charge) => charge.id(),
            Self::Expired(id) | Self::Failed(id, _) => id,
        }
    }
}

/// What is kept of a [`Watcher`] over a restart.
///
/// It serialises with serde, with a `version` in it. Each release reads what every earlier release has kept, from 0.1 on; a
/// version that is newer than the release is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatcherSnapshot {
    #[serde(default)]
    version: Version1,
    pending: Vec<Kept>,
}

impl WatcherSnapshot {
    /// How many charges are pending.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}

/// Any number of pending charges, as a series of machines: each [`next`](Self::next) gives one [`Event`], or `None` when
/// nothing is pending.
///
/// **What it asks.** Every charge has an interval that grows from look to look. When some are due, each page of the list that
/// is likely to hold two or more of them is read as a page, which also tells about all others on it; the rest are read
/// one by one. Where a charge stands in the list is learned from the pages; no page is read beyond the oldest pending charge.
/// Pages are as large as the host allows. Requests are at least a pace apart, and jittered.
///
/// **When it ends a charge.** Paid: at once. Expired: by a look at that charge alone, which began after the invoice's expiry and
/// the grace, by the same rule as for [`WaitPaid`](crate::machine::WaitPaid). Failed: if the server does not know it, if it has
/// become another charge, or if more than ten looks in a row could not be read while other charges could.
///
/// **When asking fails**, nothing is lost: the charges stay pending, and the next `next` goes on. The watch rests for 1 s,
/// and twice as long with each failure in a row, up to a minute. A `Retry-After` is obeyed up to
/// [`max_retry_after`](RetryPolicy::max_retry_after).
///
/// If only the list fails, each due charge is looked at alone, and a page is tried again after 2 s, 4 s, and so on up to two
/// minutes. If only gets fail, pages are read. `next` gives the error:
///
/// - after more than ten failures in a row, of all requests or of those for pages or for single charges;
/// - at once where asking again does not help (a wrong key, say);
/// - at once if the server asks for a longer rest than `max_retry_after`.
///
/// A [`hint`](Self::hint) breaks such a rest: that charge is looked at once the pace allows, though not more than one a second.
///
/// **Memory** per pending charge is about 140 bytes, of which 40 are its state and 32 its id; a hundred thousand take 14 MB.
///
/// **Restarts.** Keep [`state`](Self::state) after an event was dealt with; [`restore`](Self::restore) goes on from there.
/// A charge is pending until its event is handed out, so none is missed; one whose event was handed out after the state
/// was kept is told again.
///
/// ```
/// use std::time::Duration;
/// use strike_core::machine::{Machine, Step};
/// use strike_core::{ApiKey, Endpoint, CoreClient, Network, Now, RetryPolicy, UnixMillis};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let at = Endpoint::new("http://127.0.0.1:8420/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let mut watcher = CoreClient::new(at, RetryPolicy::default(), 7).watcher();
/// let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
/// assert!(matches!(watcher.next().poll(now), Step::Done(Ok(None))));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Watcher {
    context: Context,
    rng: fastrand::Rng,
    schedule: Schedule,
    grace: Duration,
    pace: Duration,
    tolerated: u32,
    pending: BTreeMap<ChargeId, Pending>,
    /// Added since the last poll: they get their times when the clock is known.
    arrivals: BTreeMap<ChargeId, Kept>,
    /// Known to have ended, but not handed out: still in `pending`.
    endings: VecDeque<Event>,
    round: Round,
    flight: Option<Flight>,
    /// Between any two requests.
    paced: Option<Pause>,
    /// After a failure; a hint may break it.
    resting: Option<Pause>,
    /// Since a hint has broken a rest.
    hinted: Option<Pause>,
    /// How many requests in a row have failed, in either way.
    failed: u32,
    /// Whether a charge was read since one was unreadable: then it is that record, and not the host.
    readable: bool,
}

#[derive(Debug)]
struct Flight {
    began: Now,
    asked: Asked,
}

#[derive(Debug)]
enum Asked {
    One(ChargeId, Box<Call<Get>>),
    Page { page: u32, size: u32, call: Box<Call<List>> },
}

impl Watcher {
    /// Watches nothing yet.
    pub(crate) fn new(context: Context) -> Self {
        Self {
            rng: context.rng(),
            context,
            schedule: Schedule::default(),
            grace: Duration::from_secs(60),
            pace: Duration::from_millis(20),
            tolerated: 10,
            pending: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            endings: VecDeque::new(),
            round: Round::new(250),
            flight: None,
            paced: None,
            resting: None,
            hinted: None,
            failed: 0,
            readable: false,
        }
    }

    /// How often each charge is looked at: after 1 s, then ever more rarely, up to once a minute, unless set.
    pub const fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// How long after expiry a payment is still looked for; a minute unless set.
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The least time between two requests; 20 ms unless set.
    pub const fn request_interval(mut self, interval: Duration) -> Self {
        self.pace = interval;
        self
    }

    /// How many rows a page may have; 250 unless set. The host may allow fewer.
    pub fn page_size(mut self, rows: u32) -> Self {
        self.round = Round::new(rows);
        self
    }

    /// How many failures in a row are passed over: of all requests before `next` gives the error, and of one charge's record
    /// before it has [`Failed`](Event::Failed). 10 unless set.
    pub const fn max_failures(mut self, failures: u32) -> Self {
        self.tolerated = failures;
        self
    }

    /// Watches this charge, too. One that is watched already is left as it is; one that is paid ends without a request.
    pub fn add(&mut self, charge: &Charge) {
        self.arrive(Kept::of(charge, self.grace));
        if let Some(paid) = charge.to_paid() {
            // If something else was about to be told of it, this is the truth.
            if self.pending.get(charge.id()).is_some_and(|state| state.due == Pending::NEVER) {
                self.endings.retain(|event| event.id() != charge.id());
            }
            self.endings.push_back(Event::Paid(paid));
        }
    }

    /// Stops watching this charge; no event will come of it. True if it was watched.
    pub fn remove(&mut self, id: &ChargeId) -> bool {
        let arriving = self.arrivals.remove(id).is_some();
        let arrived = self.pending.remove(id).is_some();
        if arrived || arriving {
            // It may be watched again: what was known of it then is no end of that.
            self.endings.retain(|event| event.id() != id);
        }
        arrived || arriving
    }

    /// Looks at this charge next: a webhook has named it. It does not wait for the end of a rest after a failure. Does
    /// nothing for a charge that is not watched.
    pub fn check_soon(&mut self, id: &ChargeId) {
        if self.pending.contains_key(id) || self.arrivals.contains_key(id) {
            self.round.hint(id);
        }
    }

    /// How many charges are pending.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len() + self.arrivals.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What must be kept to go on after a restart: every charge whose event was not handed out.
    #[must_use]
    pub fn snapshot(&self) -> WatcherSnapshot {
        let pending = self.pending.iter().map(|(id, state)| Kept {
            id: id.clone(),
            created: state.created,
            until: state.until,
            digest: state.digest,
        });
        WatcherSnapshot {
            version: Version1,
            pending: pending.chain(self.arrivals.values().cloned()).collect(),
        }
    }

    /// Goes on with what was kept, beside whatever is watched already.
    pub fn restore(&mut self, watched: WatcherSnapshot) {
        watched.pending.into_iter().for_each(|kept| self.arrive(kept));
    }

    /// Takes in what is not watched already, so that nothing is counted or kept twice.
    fn arrive(&mut self, kept: Kept) {
        if !self.pending.contains_key(&kept.id) {
            self.arrivals.entry(kept.id.clone()).or_insert(kept);
        }
    }

    /// The machine that gives the next event. All state is in the watcher: dropping it half-way loses nothing.
    pub const fn next(&mut self) -> NextEvent<'_> {
        NextEvent { watcher: self, ended: false }
    }

    /// Gives new charges their times.
    fn settle_in(&mut self, now: Now) {
        // Polled for every event: what follows is done once for each arrival, not once for each event that waits.
        if self.arrivals.is_empty() {
            return;
        }
        for (id, kept) in mem::take(&mut self.arrivals) {
            let new = Pending::new(&kept, &self.schedule, now);
            self.round.expect(new.due);
            self.pending.entry(id).or_insert(new);
        }
        // What arrived with its end known is not looked at.
        for event in &self.endings {
            if let Event::Paid(charge) = event
                && let Some(state) = self.pending.get_mut(charge.id())
            {
                state.due = Pending::NEVER;
            }
        }
    }

    /// The next event that is known already.
    fn ended(&mut self) -> Option<Event> {
        while let Some(event) = self.endings.pop_front() {
            // Gone if it was told already.
            if self.pending.remove(event.id()).is_some() {
                return Some(event);
            }
        }
        None
    }

    /// Has a charge end with this.
    fn end(&mut self, id: &ChargeId, event: Event) {
        if let Some(state) = self.pending.get_mut(id)
            && state.due != Pending::NEVER
        {
            state.due = Pending::NEVER;
            self.endings.push_back(event);
        }
    }

    /// Starts the next request, or says how long there is nothing to ask.
    fn take_off(&mut self, now: Now) -> Result<Flight, Duration> {
        let asked = match self.round.next(&self.pending, millis(now.monotonic)) {
            Next::Rest(until) => {
                return Err(Duration::from_millis(until.saturating_sub(millis(now.monotonic)).max(1)));
            }
            Next::One(id) => {
                let call = Call::new(Get::new(id.clone()), self.context.fork());
                Asked::One(id, Box::new(call))
            }
            Next::Page { page, size } => {
                let list = List::page(page).size(size);
                // While pages fail, a single try shows whether they still do.
                let fails = self.round.health(Way::Page).failures > 0;
                let policy = if fails { self.context.policy.attempts(1) } else { self.context.policy };
                let call = Box::new(Call::new(list, self.context.fork_with(policy)));
                Asked::Page { page, size, call }
            }
        };
        Ok(Flight { began: now, asked })
    }

    /// Takes an unpaid or paid charge, as seen by a request that began then.
    fn saw(
        &mut self,
        way: Way,
        charge: Charge,
        thousandths: u64,
        began: Now,
        server_time: Option<UnixMillis>,
        now: Now,
    ) {
        self.readable = true;
        self.failed = 0;
        let id = charge.id().clone();
        let Some(state) = self.pending.get_mut(&id).filter(|state| state.due != Pending::NEVER) else {
            return;
        };
        state.failures = 0;
        if digest(&charge) != state.digest {
            let mismatch = Mismatch::new(
                "invoice, amount or description",
                "those of the charge that was added",
                "others",
            );
            let error =
                self.context.endpoint.mismatch(Get::new(id.clone()).describe(), mismatch).with_charge(charge);
            self.end(&id, Event::Failed(id.clone(), error));
        } else if let Some(paid) = charge.to_paid() {
            self.end(&id, Event::Paid(paid));
        } else {
            let is_over = state.is_over(began, server_time);
            if is_over && (way == Way::Get || !self.round.can_get(millis(now.monotonic))) {
                self.end(&id, Event::Expired(id.clone()));
                return;
            }
            state.rest(&self.schedule, thousandths, now);
            self.round.expect(state.due);
            if is_over {
                // The list may lag behind: the last look is at the charge itself.
                self.round.single(&id);
            }
        }
    }

    /// One jitter for all that one request looked at, so that what stands together stays together: 0.9 to 1.1.
    fn jitter(&mut self) -> u64 {
        self.rng.u64(900..=1100)
    }

    fn saw_page(
        &mut self,
        page: Page,
        number: u32,
        size: u32,
        began: Now,
        time: Option<UnixMillis>,
        now: Now,
    ) {
        let due = |charge: &&Charge| {
            self.pending.get(charge.id()).is_some_and(|state| state.is_due(millis(now.monotonic)))
        };
        let hits = u32::try_from(page.charges().filter(due).count()).unwrap_or(u32::MAX);
        self.round.read(number, size, &page, hits);
        let thousandths = self.jitter();
        for row in page.into_rows() {
            match row {
                Row::Charge(charge) => self.saw(Way::Page, charge, thousandths, began, time, now),
                // It may be readable alone; if not, its own look says so.
                Row::Unreadable(row) => {
                    if let Some(id) = row.id() {
                        self.round.single(id);
                    }
                }
            }
        }
    }

    /// Takes the failure to read one charge; gives back what the caller must hear.
    fn could_not_see(&mut self, id: &ChargeId, error: Error, asked: Duration, now: Now) -> Option<Error> {
        let thousandths = self.jitter();
        let is_gone = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Mismatch(_));
        let is_unreadable = matches!(
            error.kind(),
            ErrorKind::Undecodable
                | ErrorKind::TooLarge { .. }
                | ErrorKind::BadRequest
                | ErrorKind::PathNotFound
        );
        // If no other charge can be read either, it is the host that fails.
        let others_are_readable = is_unreadable && mem::take(&mut self.readable);
        if let Some(state) = self.pending.get_mut(id) {
            state.rest(&self.schedule, thousandths, now);
            self.round.expect(state.due);
            state.failures = state.failures.saturating_add(u32::from(is_unreadable));
            if is_gone || (others_are_readable && state.failures > self.tolerated) {
                self.end(id, Event::Failed(id.clone(), error));
                return None;
            }
        }
        if is_gone || others_are_readable { None } else { self.failure(Way::Get, error, asked, now) }
    }

    /// Takes a failure that says nothing about a single charge: backs off, and passes it on when it is time.
    fn failure(&mut self, way: Way, error: Error, asked: Duration, now: Now) -> Option<Error> {
        let thousandths = self.jitter();
        self.failed = self.failed.saturating_add(1);
        let longest = self.context.policy.max_retry_after;
        let before = self.resting.as_mut().and_then(|resting| resting.left(now)).unwrap_or_default();
        let rest = backoff(self.failed).max(asked.min(longest)).max(before);
        self.resting = Some(Pause::new(rest, now));
        let too_often = self.failed > self.tolerated;
        let alone = self.failed == 1;
        if too_often {
            self.failed = 0;
        }
        let health = self.round.health(way);
        health.failed(thousandths, millis(now.monotonic));
        // While the other way works, this one need not be told each time.
        let is_told = too_often
            || (alone && health.untold > self.tolerated)
            || (!Verdict::may_pass(&error) && (!alone || health.failures == 1))
            || asked > longest;
        if is_told {
            health.untold = 0;
        }
        is_told.then_some(error)
    }

    /// How soon a hint may break a rest, if there is one.
    fn hint_in(&mut self, now: Now) -> Option<Duration> {
        if !self.round.has_hint(&self.pending) {
            return None;
        }
        Some(self.hinted.as_mut().and_then(|hinted| hinted.left(now)).unwrap_or_default())
    }

    /// How long there is nothing to ask, if so; a hint that breaks a rest is noted.
    fn rest(&mut self, now: Now) -> Option<Duration> {
        if let Some(left) = self.paced.as_mut().and_then(|paced| paced.left(now)) {
            return Some(left);
        }
        let left = self.resting.as_mut().and_then(|resting| resting.left(now))?;
        match self.hint_in(now) {
            None => Some(left),
            Some(Duration::ZERO) => {
                self.hinted = Some(Pause::new(BETWEEN_HINTS, now));
                None
            }
            Some(soon) => Some(left.min(soon)),
        }
    }
}

/// The next event of a [`Watcher`]; `None` when nothing is pending.
#[derive(Debug)]
#[must_use]
pub struct NextEvent<'a> {
    watcher: &'a mut Watcher,
    ended: bool,
}

impl NextEvent<'_> {
    fn step(&mut self, now: Now) -> Step<Option<Event>> {
        let watcher = &mut *self.watcher;
        loop {
            watcher.settle_in(now);
            if let Some(event) = watcher.ended() {
                return Step::Done(Ok(Some(event)));
            }
            let heard = if let Some(Flight { began, asked }) = watcher.flight.take() {
                match land(watcher, began, asked, now) {
                    Ok(heard) => heard,
                    Err(step) => return step,
                }
            } else {
                if watcher.pending.is_empty() {
                    return Step::Done(Ok(None));
                }
                if let Some(left) = watcher.rest(now) {
                    return Step::Wait(left);
                }
                match watcher.take_off(now) {
                    Ok(flight) => watcher.flight = Some(flight),
                    Err(rest) => return Step::Wait(rest),
                }
                None
            };
            if let Some(error) = heard {
                return Step::Done(Err(error));
            }
        }
    }
}

impl Machine for NextEvent<'_> {
    type Output = Option<Event>;

    fn poll(&mut self, now: Now) -> Step<Option<Event>> {
        if self.ended {
            return Step::Done(Err(Error::finished()));
        }
        let step = self.step(now);
        self.ended = matches!(step, Step::Done(_));
        step
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        match &mut self.watcher.flight {
            Some(Flight { asked: Asked::One(_, call), .. }) => call.handle(reply, now),
            Some(Flight { asked: Asked::Page { call, .. }, .. }) => call.handle(reply, now),
            None => {}
        }
    }
}

/// Goes on with the request that is under way: takes what it brought, or says what it needs.
#[expect(clippy::result_large_err, reason = "a step is not an error, and is on its way out")]
fn land(
    watcher: &mut Watcher,
    began: Now,
    asked: Asked,
    now: Now,
) -> Result<Option<Error>, Step<Option<Event>>> {
    let heard = match asked {
        Asked::One(id, mut call) => match call.poll(now).ended() {
            Err(step) => return stay_up(watcher, Flight { began, asked: Asked::One(id, call) }, step, now),
            Ok(Ok(charge)) => {
                watcher.round.health(Way::Get).worked();
                let thousandths = watcher.jitter();
                watcher.saw(Way::Get, charge, thousandths, began, call.server_time(), now);
                None
            }
            Ok(Err(error)) => {
                let asked = asked_to_rest(&error, call.server_time(), now);
                watcher.could_not_see(&id, error, asked, now)
            }
        },
        Asked::Page { page, size, mut call } => match call.poll(now).ended().map(readable) {
            Err(step) => {
                return stay_up(
                    watcher,
                    Flight { began, asked: Asked::Page { page, size, call } },
                    step,
                    now,
                );
            }
            Ok(Ok(rows)) => {
                watcher.round.health(Way::Page).worked();
                watcher.saw_page(rows, page, size, began, call.server_time(), now);
                None
            }
            Ok(Err(error))
                if matches!(error.kind(), ErrorKind::TooLarge { .. }) && watcher.round.shrink() =>
            {
                None
            }
            Ok(Err(error)) => {
                let asked = asked_to_rest(&error, call.server_time(), now);
                watcher.failure(Way::Page, error, asked, now)
            }
        },
    };
    watcher.paced = Some(Pause::new(watcher.pace, now));
    Ok(heard)
}

/// A page without one readable charge is none, unless it is empty.
fn readable(page: Result<Page, Error>) -> Result<Page, Error> {
    let page = page?;
    let bad = page.unreadable().next().filter(|_| page.charges().next().is_none()).cloned();
    bad.map_or(Ok(page), |row| Err(row.into_error()))
}

/// Leaves a request under way, unless it rests before its next attempt and a hint breaks that rest.
#[expect(clippy::result_large_err, reason = "a step is not an error, and is on its way out")]
fn stay_up(
    watcher: &mut Watcher,
    flight: Flight,
    step: Step<Option<Event>>,
    now: Now,
) -> Result<Option<Error>, Step<Option<Event>>> {
    let step = match (step, watcher.hint_in(now)) {
        (Step::Wait(left), Some(Duration::ZERO)) => {
            // What it was about is still due.
            watcher.round.expect(millis(now.monotonic));
            watcher.resting = Some(Pause::new(left, now));
            return Ok(None);
        }
        (Step::Wait(left), Some(soon)) => Step::Wait(left.min(soon)),
        (step, _) => step,
    };
    watcher.flight = Some(flight);
    Err(step)
}
