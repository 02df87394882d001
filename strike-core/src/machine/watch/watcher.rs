//! The watcher: its settings, and the charges that it watches.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::time::Duration;

use super::event::Event;
use super::in_flight::InFlight;
use super::next_event::NextEvent;
use super::pending::Pending;
use super::scheduler::Scheduler;
use super::snapshot::{SavedCharge, WatcherSnapshot};
use crate::machine::Schedule;
use crate::machine::context::Context;
use crate::machine::jitter::Jitter;
use crate::machine::pause::Pause;
use crate::snapshot_version::Version1;
use crate::values::{Charge, ChargeId, Now};

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
/// **Memory.** A pending charge takes about 140 bytes, so 100,000 charges take 14 MB.
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
    pub(super) rng: Jitter,
    pub(super) schedule: Schedule,
    pub(super) grace: Duration,
    pub(super) request_interval: Duration,
    pub(super) max_failures: u32,
    pub(super) pending: BTreeMap<ChargeId, Pending>,
    /// Charges added since the last poll. Only a poll brings the time, which their schedule needs.
    new_charges: BTreeMap<ChargeId, SavedCharge>,
    /// Events that were not returned yet. Their charges are still in `pending`.
    events: VecDeque<Event>,
    pub(super) scheduler: Scheduler,
    pub(super) in_flight: Option<InFlight>,
    /// The clocks when the first charge was scheduled, to ignore later jumps of the wall clock.
    pub(super) started: Option<Now>,
    /// The delay between any two requests.
    pub(super) until_next_request: Option<Pause>,
    /// The delay after a failure. [`Self::check_soon`] may interrupt it.
    pub(super) after_failure: Option<Pause>,
    /// The delay between two such interrupts.
    pub(super) since_interrupt: Option<Pause>,
    pub(super) failures_in_a_row: u32,
    /// Whether a charge was read since the last unreadable one. Then a further unreadable one is
    /// not the server's fault.
    pub(super) any_charge_was_readable: bool,
}

impl Watcher {
    pub(crate) fn new(context: Context) -> Self {
        Self {
            rng: context.jitter(),
            context,
            schedule: Schedule::default(),
            grace: Duration::from_secs(60),
            request_interval: Duration::from_millis(20),
            max_failures: 10,
            pending: BTreeMap::new(),
            new_charges: BTreeMap::new(),
            events: VecDeque::new(),
            scheduler: Scheduler::new(250),
            in_flight: None,
            started: None,
            until_next_request: None,
            after_failure: None,
            since_interrupt: None,
            failures_in_a_row: 0,
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

    /// Sets the shortest time between two requests. The default is 20 ms.
    pub const fn request_interval(mut self, interval: Duration) -> Self {
        self.request_interval = interval;
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
        if let Some(paid) = charge.to_paid() {
            // This replaces an event of the same charge that was not returned yet.
            if self.pending.get(charge.id()).is_some_and(|state| state.due == Pending::NEVER) {
                self.events.retain(|event| event.id() != charge.id());
            }
            self.events.push_back(Event::Paid(paid));
        }
    }

    /// Removes a charge, so that it causes no event. Returns true if it was watched.
    pub fn remove(&mut self, id: &ChargeId) -> bool {
        let was_new = self.new_charges.remove(id).is_some();
        let was_pending = self.pending.remove(id).is_some();
        if was_pending || was_new {
            // The charge may be added again. An old event must not end it then.
            self.events.retain(|event| event.id() != id);
        }
        was_pending || was_new
    }

    /// Checks this charge next, because a webhook has named it.
    ///
    /// The check does not wait for the end of a delay after a failure. It does nothing for a charge
    /// that is not watched.
    pub fn check_soon(&mut self, id: &ChargeId) {
        if self.pending.contains_key(id) || self.new_charges.contains_key(id) {
            self.scheduler.read_urgently(id);
        }
    }

    /// Returns the number of pending charges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len() + self.new_charges.len()
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
        let pending = self.pending.iter().map(|(id, state)| SavedCharge {
            id: id.clone(),
            created: state.created,
            until: state.until,
            digest: state.digest,
        });
        WatcherSnapshot {
            version: Version1,
            pending: pending.chain(self.new_charges.values().cloned()).collect(),
        }
    }

    /// Adds the charges of a snapshot. Charges that are already watched do not change.
    pub fn restore(&mut self, watched: WatcherSnapshot) {
        watched.pending.into_iter().for_each(|saved| self.add_saved(saved));
    }

    /// Returns a machine that returns the next event, or `None` if no charge is pending.
    ///
    /// If you drop the machine before it ends, nothing is lost.
    pub const fn next(&mut self) -> NextEvent<'_> {
        NextEvent::new(self)
    }

    fn add_saved(&mut self, saved: SavedCharge) {
        if !self.pending.contains_key(&saved.id) {
            self.new_charges.entry(saved.id.clone()).or_insert(saved);
        }
    }

    /// Sets the first check of each new charge.
    pub(super) fn schedule_new_charges(&mut self, now: Now) {
        // Without this, each event would cause a pass over all queued events.
        if self.new_charges.is_empty() {
            return;
        }
        self.started.get_or_insert(now);
        for (id, saved) in mem::take(&mut self.new_charges) {
            let new = Pending::new(&saved, &self.schedule, now);
            self.scheduler.expect(new.due);
            self.pending.entry(id).or_insert(new);
        }
        // A charge that was paid when it was added is not checked.
        for event in &self.events {
            if let Event::Paid(charge) = event
                && let Some(state) = self.pending.get_mut(charge.id())
            {
                state.due = Pending::NEVER;
            }
        }
    }

    /// Takes the next event from the queue, and removes its charge.
    pub(super) fn pop_event(&mut self) -> Option<Event> {
        while let Some(event) = self.events.pop_front() {
            // A charge that was added twice while paid has two events. The second is dropped.
            if self.pending.remove(event.id()).is_some() {
                return Some(event);
            }
        }
        None
    }

    /// Ends a charge with this event, unless it has ended already.
    pub(super) fn end(&mut self, id: &ChargeId, event: Event) {
        if let Some(state) = self.pending.get_mut(id)
            && state.due != Pending::NEVER
        {
            state.due = Pending::NEVER;
            self.events.push_back(event);
        }
    }
}
