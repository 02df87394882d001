//! The watcher: its settings, and the charges that it watches.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::charges::Charges;
use super::event::Event;
use super::in_flight::InFlight;
use super::next_event::NextEvent;
use super::pace::Pace;
use super::pending::Pending;
use super::scheduler::Scheduler;
use super::snapshot::{SavedCharge, WatcherSnapshot};
use crate::machine::Schedule;
use crate::machine::context::Context;
use crate::snapshot_version::Version1;
use crate::values::{Charge, ChargeId, Now};

/// The most charges whose first check is set in one poll: it takes about half a millisecond.
const MOST_SCHEDULED: usize = 5000;

/// Watches many pending charges with few requests.
///
/// Each machine of [`next`](Self::next) returns one [`Event`], or `None` if no charge is pending.
/// The state is in the watcher: you can drop a `next` before it ends, and call `next` again.
///
/// **Requests.** Each charge is checked at intervals that grow as the [`Schedule`] says. If a page
/// of the list is likely to hold two or more charges that are due, the page is read. It updates all
/// charges on it. Other charges are read one by one. The watcher learns from the pages where in the
/// list a charge is. It reads no page beyond the oldest pending charge. Pages are as large as the
/// server allows.
///
/// **When a charge ends:**
///
/// | event | when |
/// | --- | --- |
/// | [`Paid`](Event::Paid) | at once |
/// | [`Expired`](Event::Expired) | if it is unpaid after the invoice's expiry and the grace period; the charge itself is read for this, or a page if single-charge requests fail; the clock rules of [`WaitPaid`](crate::machine::WaitPaid) apply |
/// | [`Failed`](Event::Failed) | the server does not know the charge; its amount, invoice or description has changed; or it was unreadable more than [`max_failures`](Self::max_failures) times in a row while other charges were readable |
///
/// Some backends can no longer see a payment after the expiry. With those, each charge is also read
/// 5 s before the expiry, by the server's clock.
///
/// **Errors.** If a request fails, the charges stay pending. The watcher waits 1 s, and twice as
/// long with each failure in a row, up to 60 s. A `Retry-After` is obeyed up to
/// [`max_retry_after`](crate::RetryPolicy::max_retry_after). If only page requests fail, charges
/// are read one by one, and a page is tried again after 2 s, 4 s, and so on up to two minutes. If
/// only single-charge requests fail, pages are read. `next` returns the error:
///
/// - after more than [`max_failures`](Self::max_failures) failures in a row, of all requests or of
///   one of the two kinds
/// - at once if a retry does not help, as with a wrong API key
/// - at once if the server's `Retry-After` is longer than `max_retry_after`.
///
/// After an error, call `next` again. The watcher continues.
///
/// **Many at once.** [`max_in_flight`](Self::max_in_flight) requests may be in flight. No charge and
/// no page is read twice at the same time. If several requests in flight fail, this counts as one
/// failure, and then one request at a time shows whether the server works again.
///
/// **Memory.** A pending charge takes about 110 bytes, so 100,000 charges take 11 MB.
///
/// **Restarts.** Save a [`snapshot`](Self::snapshot) after you have handled an event, and
/// [`restore`](Self::restore) it after a restart. A charge is pending until its event is returned,
/// so no event is lost. An event that was returned after the snapshot is returned again.
///
/// ```
/// use std::time::Duration;
/// use strike_core::machine::{Machine, Step};
/// use strike_core::{ApiKey, CoreClient, Endpoint, Network, Now, RetryPolicy, UnixMillis};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let url = "http://127.0.0.1:8420/api/v1/";
/// let endpoint = Endpoint::new(url, ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let mut watcher = CoreClient::new(endpoint, RetryPolicy::default(), 7).watcher();
/// // Add charges with `watcher.add(&charge)`. Without any, there is no event.
/// let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
/// assert!(matches!(watcher.next().poll(now), Step::Done(Ok(None))));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Watcher {
    pub(super) context: Context,
    pub(super) rng: fastrand::Rng,
    pub(super) schedule: Schedule,
    pub(super) grace: Duration,
    pub(super) max_failures: u32,
    pub(super) pace: Pace,
    pub(super) charges: Charges,
    /// The slots of charges added since the last poll. Only a poll brings the time, which their
    /// schedule needs.
    unscheduled: Vec<u32>,
    /// Events that were not returned yet. Their charges are still pending.
    events: VecDeque<Event>,
    pub(super) scheduler: Scheduler,
    /// The requests in flight, by lane.
    pub(super) in_flight: BTreeMap<usize, InFlight>,
    /// The clocks when the first charge was scheduled, to ignore later jumps of the wall clock.
    pub(super) started: Option<Now>,
    /// Whether a charge was read since the last unreadable one. Then a further unreadable one is
    /// not the server's fault.
    pub(super) any_charge_was_readable: bool,
}

impl Watcher {
    pub(crate) fn new(context: Context) -> Self {
        Self {
            rng: context.rng(),
            context,
            schedule: Schedule::default(),
            grace: Duration::from_secs(60),
            max_failures: 10,
            pace: Pace::new(),
            charges: Charges::default(),
            unscheduled: Vec::new(),
            events: VecDeque::new(),
            scheduler: Scheduler::new(250),
            in_flight: BTreeMap::new(),
            started: None,
            any_charge_was_readable: false,
        }
    }

    /// Sets how often each charge is checked. By default after 1 s, then at growing intervals, up
    /// to once a minute.
    pub const fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Sets the grace period: how long after an invoice's expiry a payment is still awaited. The
    /// default is one minute.
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets how many requests may be in flight at the same time, from 1 to 1,024. The default is 8.
    ///
    /// After a failure, such as a rate limit, one is in flight at a time. With each success, more
    /// are, up to this number. An adapter's `Watch` uses them all. Without one, see
    /// [`lane`](Self::lane).
    pub fn max_in_flight(mut self, requests: u32) -> Self {
        self.pace.set_max_in_flight(requests);
        self
    }

    /// Sets the shortest time between the beginnings of two requests. The default is 3 ms, which
    /// limits a watch to 333 requests a second.
    pub const fn request_interval(mut self, interval: Duration) -> Self {
        self.pace.request_interval = interval;
        self
    }

    /// Sets the largest number of rows per page, at least 10. The default is 250. The server may
    /// limit it further.
    pub fn page_size(mut self, rows: u32) -> Self {
        self.scheduler = Scheduler::new(rows);
        self
    }

    /// Sets how many failures in a row are tolerated. The default is 10.
    ///
    /// This applies to failed requests, before `next` returns the error. It also applies to the
    /// unreadable record of one charge, before that charge ends as [`Failed`](Event::Failed).
    pub const fn max_failures(mut self, failures: u32) -> Self {
        self.max_failures = failures;
        self
    }

    /// Adds a charge.
    ///
    /// A charge that is already watched does not change. A charge that is already paid ends as
    /// [`Event::Paid`] without a request.
    pub fn add(&mut self, charge: &Charge) {
        self.add_saved(SavedCharge::of(charge, self.grace));
        if let Some(paid) = charge.to_paid()
            && let Some(slot) = self.charges.find(charge.id().as_str())
        {
            if self.charges.get(slot).is_some_and(Pending::has_ended) {
                // This replaces an event of the same charge that was not returned yet.
                self.events.retain(|event| event.id() != charge.id());
            }
            self.set_ended(slot);
            self.events.push_back(Event::Paid(paid));
        }
    }

    /// Removes a charge, so that it causes no event. Returns true if it was watched.
    pub fn remove(&mut self, id: &ChargeId) -> bool {
        let was_pending = self.charges.remove(id);
        if was_pending {
            // The charge may be added again. An old event must not end it then.
            self.events.retain(|event| event.id() != id);
        }
        was_pending
    }

    /// Checks this charge next, because a webhook has named it.
    ///
    /// The check does not wait for the end of a delay after a failure. It does nothing for a charge
    /// that is not watched.
    pub fn check_soon(&mut self, id: &ChargeId) {
        if self.charges.find(id.as_str()).is_some() {
            self.scheduler.read_urgently(id);
        }
    }

    /// Returns how many lanes may have a request in flight.
    pub(crate) const fn lanes(&self) -> usize {
        self.pace.max_in_flight
    }

    /// Returns the number of pending charges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.charges.len()
    }

    /// Returns true if no charge is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the pending charges, to save for a restart. They include every charge whose event
    /// was not returned yet.
    ///
    /// ```
    /// use strike_core::Watcher;
    ///
    /// fn save(watcher: &Watcher) -> serde_json::Result<String> {
    ///     serde_json::to_string(&watcher.snapshot())
    /// }
    ///
    /// fn load(watcher: &mut Watcher, saved: &str) -> serde_json::Result<()> {
    ///     watcher.restore(serde_json::from_str(saved)?);
    ///     Ok(())
    /// }
    /// # let _ = (save, load);
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> WatcherSnapshot {
        let pending = self.charges.iter().map(|(id, state)| SavedCharge {
            id: id.clone(),
            created: state.created,
            until: state.until,
            digest: state.digest,
        });
        WatcherSnapshot { version: Version1, pending: pending.collect() }
    }

    /// Adds the charges of a snapshot. Charges that are already watched do not change.
    pub fn restore(&mut self, watched: WatcherSnapshot) {
        watched.pending.into_iter().for_each(|saved| self.add_saved(saved));
    }

    /// Returns a machine that returns the next event, or `None` if no charge is pending.
    ///
    /// If you drop the machine before it ends, nothing is lost. It has one request in flight at a
    /// time: it is [`lane(0)`](Self::lane).
    pub const fn next(&mut self) -> NextEvent<'_> {
        self.lane(0)
    }

    /// Returns a machine like that of [`next`](Self::next), to have several requests in flight.
    ///
    /// Each lane has at most one request in flight. Every machine of the same lane continues it, and
    /// a poll without a reply counts it as lost. Drive each lane with a number below
    /// [`max_in_flight`](Self::max_in_flight). Poll all lanes without a request in flight again
    /// after each reply: it may bring events, and more to read. Any lane returns the next event,
    /// and no event is returned twice.
    ///
    /// [`SharedWatcher::lanes`](crate::machine::SharedWatcher::lanes) returns machines that do not
    /// borrow the watcher.
    pub const fn lane(&mut self, lane: usize) -> NextEvent<'_> {
        NextEvent::new(self, lane)
    }

    fn add_saved(&mut self, saved: SavedCharge) {
        if self.charges.find(saved.id.as_str()).is_none() {
            let state = Pending::new(&saved);
            self.unscheduled.extend(self.charges.insert(saved.id, state));
        }
    }

    /// Sets the first check of new charges. If there are very many, a poll does not set all.
    pub(super) fn schedule_new_charges(&mut self, now: Now) {
        if self.unscheduled.is_empty() {
            return;
        }
        self.started.get_or_insert(now);
        let later = self.unscheduled.len().saturating_sub(MOST_SCHEDULED);
        for slot in self.unscheduled.drain(later..) {
            if let Some(mut state) = self.charges.get(slot).copied() {
                state.start(&self.schedule, now);
                self.charges.set(slot, state);
                self.scheduler.expect(state.due);
            }
        }
        if self.unscheduled.is_empty() {
            self.unscheduled = Vec::new();
        }
    }

    /// Returns true if the next poll has more charges to schedule.
    pub(super) const fn has_unscheduled_charges(&self) -> bool {
        !self.unscheduled.is_empty()
    }

    /// Takes the next event from the queue, and removes its charge.
    pub(super) fn pop_event(&mut self) -> Option<Event> {
        while let Some(event) = self.events.pop_front() {
            // A charge that was added twice while paid has two events. The second is dropped.
            if self.charges.remove(event.id()) {
                return Some(event);
            }
        }
        None
    }

    /// Ends a charge with this event, unless it has ended already.
    pub(super) fn end(&mut self, slot: u32, event: Event) {
        if self.charges.get(slot).is_some_and(|state| !state.has_ended()) {
            self.set_ended(slot);
            self.events.push_back(event);
        }
    }

    fn set_ended(&mut self, slot: u32) {
        if let Some(mut state) = self.charges.get(slot).copied() {
            state.end();
            self.charges.set(slot, state);
        }
    }
}
