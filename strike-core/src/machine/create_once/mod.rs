//! Creates a charge, or finds out whether it was created: what to do when the answer to a create is lost.
//!
//! What the caller says is in `once.rs`, the result in `made.rs`, and the search through the list in `look.rs`.

mod key_search;
mod options;
mod outcome;

use std::mem;
use std::ops::DerefMut;
use std::time::Duration;

pub use self::options::CreateOnceOptions;
pub use self::outcome::CreateOutcome;

use self::key_search::{Gap, Look, MOST_PAGES, Reach, Seen};
use self::options::First;
use crate::errors::{Advice, Error, ErrorKind, Mismatch};
use crate::invoice;
use crate::machine::context::Context;
use crate::machine::order_memory::Known;
use crate::machine::pause::Pause;
use crate::machine::{Call, Machine, OrderRecord, Step};
use crate::protocol::server_clock::{Expiry, expiry, server_time};
use crate::protocol::{Create, Get, Operation};
use crate::transport::Reply;
use crate::values::new_charge::MAX_EXPIRY_SEC;
use crate::values::order_key::{MAX_ATTEMPTS, MAX_OWN};
use crate::values::{Charge, ChargeId, InvalidInput, NewCharge, Now, OrderKey, PaidCharge, UnixMillis};

/// The rest before a look that counts: time for a request that was under way to land, and for the list to show it.
const REST: Duration = Duration::from_secs(2);

/// Creates a charge once per key, as a [machine](crate::machine).
///
/// The API has no idempotency keys. `customer_id` carries ours (see [`OrderKey`]), and the list shows it. So before the create,
/// and after one with unknown outcome, the machine looks for the key in the list. If nothing is found after a create in doubt,
/// it rests for 2 s and looks again; if nothing is found again, it ends as
/// [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown), and the way on is to call again later with the same key.
///
/// The look reads the whole list in pages of 250, up to 1000 pages, or back to [`CreateOnceOptions::since`]. A longer list is an error that
/// asks for `since`, [`Incomplete`](crate::ErrorKind::Incomplete), and nothing is created. So is a list that grows faster than it
/// is read.
///
/// What is found must say what the order says, invoice included, like the answer to a create. Of several charges with the key,
/// a paid one counts, else the oldest of the last attempt. A host that does not return `customer_id` is a mismatch that names it.
/// A charge is reported as [expired](CreateOutcome::Expired) only after a read of that charge, and only if the server's `Date` and the local
/// clock both say so. If the `Date` says so while the local clock is more than 10 minutes before the expiry, the machine ends with a
/// mismatch of `date`.
///
/// **At most one payable invoice per key is returned**
///
/// | who calls with the same key | holds |
/// | --- | --- |
/// | machines that share a [`OrderRecord`], one after the other, as all calls of one client and its clones do | always, for the 10,000 orders that were used last; a create in doubt blocks another for 10 minutes |
/// | another process, or the same one after a restart | if a lost request lands, and the list shows the charge, before the second one looks: wait for the timeout of a request, and for as long as the list lags |
/// | two processes at the same moment | not: put a lock, or a unique row in a database, around the call |
///
/// `G` is what holds the record: an adapter passes the guard of a lock; [`new`](Self::new) makes a record for this machine alone.
#[derive(Debug)]
pub struct CreateOnce<G = Box<OrderRecord>> {
    context: Context,
    order: NewCharge,
    once: CreateOnceOptions,
    record: G,
    /// Which of the order's invoices this is about, counted from 1.
    attempt: u8,
    reach: Reach,
    /// The failure that left it open whether there is a charge.
    doubt: Option<Error>,
    posted_again: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    Looking {
        look: Box<Look>,
        which: Which,
    },
    /// Reads the charge of that attempt.
    Reading {
        get: Box<Call<Get>>,
        attempt: u8,
    },
    Posting(Box<Call<Create>>),
    Resting(Pause, Which),
    Finished,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Before anything was sent.
    Before,
    /// After a create in doubt.
    First,
    /// After the rest.
    Second,
    /// After a second create.
    Last,
}

/// How a charge was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// In a list, which may be stale.
    Listed,
    /// By a read of its own.
    Read,
}

impl<G: DerefMut<Target = OrderRecord>> CreateOnce<G> {
    /// Will create that charge once, and remember that in the key's record.
    pub(crate) fn new(
        order: NewCharge,
        once: impl Into<CreateOnceOptions>,
        record: G,
        context: Context,
    ) -> Self {
        let once = once.into();
        Self {
            context,
            order,
            once,
            record,
            attempt: once.attempt,
            reach: once.since.map_or(Reach::All, Reach::Since),
            doubt: None,
            posted_again: false,
            state: State::Start,
        }
    }

    /// The create of an attempt.
    fn create(&self, attempt: u8) -> Create {
        let own = self.order.get_customer_id().unwrap_or_default();
        Create::new(self.order.clone().customer_id(self.once.key.customer_id_of_attempt(attempt, own)))
    }

    /// What the machine is doing, for errors: nobody asked for a page of the list.
    fn asked(&self, doing: &str) -> String {
        format!("create charge of {} once: {doing}", self.order.amount())
    }

    fn look(&self, which: Which) -> State {
        let wanted = (self.once.key, self.attempt);
        let look = Look::new(wanted, self.reach, self.context.fork());
        State::Looking { look: Box::new(look), which }
    }

    fn read(&self, id: ChargeId, attempt: u8) -> State {
        let get = Call::new(Get::new(id), self.context.fork());
        State::Reading { get: Box::new(get), attempt }
    }

    fn post(&mut self, now: Now) -> State {
        let newest_before = if let Reach::Anchor(newest) = self.reach { Some(newest) } else { None };
        self.record.0 = Some(Known::Posted { attempt: self.attempt, at: now.monotonic, newest_before });
        let create = self.create(self.attempt);
        State::Posting(Box::new(Call::new(create, self.context.fork())))
    }

    /// Refuses bad input before anything is sent, a look included.
    fn check_input(&self) -> Result<(), Error> {
        let units = self.order.get_customer_id().unwrap_or_default().encode_utf16().count();
        let refused = if units > MAX_OWN {
            let rule = "at most 40 UTF-16 units, since the order key takes the rest";
            Err(InvalidInput::new("customer_id", rule).found(units))
        } else if self.attempt > MAX_ATTEMPTS {
            Err(InvalidInput::new("attempt", "one of 58 of the same order: give the order a new name"))
        } else {
            Ok(())
        };
        let create = self.create(self.attempt);
        refused.map_err(|input| Error::from(input).with_operation(create.describe()))?;
        create.request(&self.context.endpoint).map(drop)
    }

    fn start(&mut self, now: Now) -> Result<State, Error> {
        self.check_input()?;
        match self.record.recall(now) {
            Some(Known::Made { attempt, id }) if attempt >= self.attempt => {
                return Ok(self.read(id, attempt));
            }
            Some(Known::Posted { attempt, newest_before, .. }) if attempt >= self.attempt => {
                self.attempt = attempt;
                self.reach = newest_before.map_or(self.reach, Reach::Anchor);
                return Ok(self.look(Which::First));
            }
            _ => {}
        }
        Ok(match self.once.first {
            First::Look => self.look(Which::Before),
            First::Post => {
                // Whatever comes of it is new.
                self.reach = Reach::Since(self.once.since.unwrap_or(now.unix));
                self.post(now)
            }
            First::Recover => self.look(Which::First),
        })
    }

    /// What a create led to.
    fn created(&mut self, result: Result<Charge, Error>, now: Now) -> Result<Next, Error> {
        match result {
            Ok(charge) if self.doubt.is_none() => {
                self.record.0 = Some(Known::Made { attempt: self.attempt, id: charge.id().clone() });
                Ok(Next::Done(match PaidCharge::new(charge) {
                    Ok(paid) => CreateOutcome::Paid(paid),
                    Err(charge) => CreateOutcome::Payable(charge),
                }))
            }
            // The first create may have landed, too: only the list tells which of the two counts.
            Ok(_) => Ok(Next::State(State::Resting(Pause::new(REST, now), Which::Last))),
            Err(error) if *error.kind() == ErrorKind::OutcomeUnknown => {
                self.doubt.get_or_insert(error);
                Ok(Next::State(if self.posted_again {
                    State::Resting(Pause::new(REST, now), Which::Last)
                } else {
                    self.look(Which::First)
                }))
            }
            // Once one attempt was in doubt, a refusal of the next is not the whole answer.
            Err(error) => Err(match self.doubt.take() {
                Some(doubt) => doubt.followed_by(error),
                None => {
                    if !matches!(error.kind(), ErrorKind::Mismatch(_)) {
                        self.record.0 = None;
                    }
                    error
                }
            }),
        }
    }

    /// What a look led to.
    fn looked(&mut self, result: Result<Seen, Error>, which: Which, now: Now) -> Result<Next, Error> {
        let asked = self.asked("look for it in the list");
        let seen = match result {
            Ok(seen) => seen,
            Err(error) if which == Which::Before => return Err(error.with_operation(asked)),
            Err(error) => return Err(self.unknown(Some(error.with_operation(asked)))),
        };
        if let Some((attempt, charge)) = seen.charge {
            self.attempt = self.attempt.max(seen.last_attempt);
            return self.found(charge, attempt, Found::Listed, seen.server_time, now);
        }
        if let Some(gap) = seen.gap {
            // To create now could be a second time.
            let error = self.passed_over(gap);
            return Err(match which {
                Which::Before if *error.kind() == ErrorKind::Incomplete => {
                    error.with_advice(Advice::SetSince)
                }
                Which::Before => error,
                _ => self.unknown(Some(error)),
            });
        }
        match which {
            Which::Before => {
                self.reach = Reach::Anchor(seen.newest);
                Ok(Next::State(self.post(now)))
            }
            Which::First => Ok(Next::State(State::Resting(Pause::new(REST, now), Which::Second))),
            Which::Second if self.once.repost => {
                self.doubt.get_or_insert_with(|| never_landed(asked));
                self.posted_again = true;
                Ok(Next::State(self.post(now)))
            }
            Which::Second | Which::Last => Err(self.unknown(None)),
        }
    }

    /// Why the charge can have been passed over.
    fn passed_over(&self, gap: Gap) -> Error {
        let within = match gap {
            Gap::Row(row) => {
                let asked = self.asked(&format!("look for it in the list, {}", row.name()));
                return row.into_error().with_operation(asked);
            }
            Gap::Outrun => "that grows faster than it is read".to_owned(),
            Gap::TooLong => format!("of more than {MOST_PAGES} pages"),
        };
        Error::new(self.asked(&format!("look for it in a list {within}")), ErrorKind::Incomplete)
    }

    /// What a read led to.
    fn was_read(
        &mut self,
        result: Result<Charge, Error>,
        attempt: u8,
        date: Option<UnixMillis>,
        now: Now,
    ) -> Result<Next, Error> {
        match result {
            Ok(charge) => self.found(charge, attempt, Found::Read, date, now),
            // The host no longer knows it, or not yet: it is looked for, and nothing is created before the doubt has passed.
            Err(error) if *error.kind() == ErrorKind::NotFound && attempt >= self.attempt => {
                self.attempt = attempt;
                self.record.0 = Some(Known::Posted { attempt, at: now.monotonic, newest_before: None });
                self.doubt.get_or_insert(error.into_unknown());
                Ok(Next::State(self.look(Which::First)))
            }
            Err(error) => {
                let asked = self.asked("read its charge");
                Err(error.with_operation(asked).into_unknown())
            }
        }
    }

    /// Takes a charge of the key, and says what to do with it.
    fn found(
        &mut self,
        charge: Charge,
        attempt: u8,
        found: Found,
        date: Option<UnixMillis>,
        now: Now,
    ) -> Result<Next, Error> {
        let charge = self.accept(charge, attempt)?;
        self.record.0 = Some(Known::Made { attempt, id: charge.id().clone() });
        let charge = match PaidCharge::new(charge) {
            Ok(paid) => return Ok(Next::Done(CreateOutcome::Paid(paid))),
            Err(charge) => charge,
        };
        let expires_at = charge.invoice().ok().map_or_else(
            || charge.created().saturating_add(Duration::from_secs(MAX_EXPIRY_SEC.into())),
            |invoice| invoice.expires_at(),
        );
        match (expiry(expires_at, date, now), found) {
            (Expiry::Payable, _) => Ok(Next::Done(CreateOutcome::Payable(charge))),
            // The list may be stale: the last word before money is given up comes from the charge itself.
            (Expiry::Expired | Expiry::Disputed, Found::Listed) => {
                Ok(Next::State(self.read(charge.id().clone(), attempt)))
            }
            (Expiry::Expired, Found::Read) => {
                let next =
                    CreateOnceOptions { attempt: attempt.saturating_add(1), first: First::Look, ..self.once };
                Ok(Next::Done(CreateOutcome::Expired { charge, next }))
            }
            // By one of the clocks it can still be paid, so another invoice could be a second one.
            (Expiry::Disputed, Found::Read) => {
                let expected = format!("within 10 minutes of the local clock, {}", now.unix);
                let mismatch = Mismatch::new("date", expected, server_time(date, now));
                let error = self.context.endpoint.mismatch(self.asked("judge its expiry"), mismatch);
                Err(error.with_advice(Advice::CheckClock).with_charge(charge))
            }
        }
    }

    /// Takes a charge as the order's, or says how it differs.
    fn accept(&self, charge: Charge, attempt: u8) -> Result<Charge, Error> {
        if attempt >= self.attempt {
            return self
                .create(attempt)
                .accept(&self.context.endpoint, charge)
                .map_err(|error| self.differs(error));
        }
        // An earlier invoice of the order that was paid after all: its price may have been another one.
        let compared = if self.context.endpoint.checks_invoices() {
            invoice::compare(&charge, self.context.endpoint.network()).map(drop)
        } else {
            Ok(())
        };
        match compared {
            Ok(()) => Ok(charge),
            Err(mismatch) => Err(self
                .context
                .endpoint
                .mismatch(self.asked("accept a paid charge"), mismatch)
                .with_charge(charge)),
        }
    }

    /// A charge that was found and is not what was ordered. If it is sound in itself, and nothing that this call sent can have
    /// led to it, the caller has used the key for another order.
    fn differs(&self, error: Error) -> Error {
        let fields = ["amount", "amount_satoshi", "description", "customer_id"];
        let in_order =
            matches!(error.kind(), ErrorKind::Mismatch(mismatch) if fields.contains(&mismatch.field()));
        let reused =
            in_order && self.doubt.is_none() && error.charge().is_some_and(|charge| self.is_sound(charge));
        let error = error.with_operation(self.asked("accept the charge that was found"));
        if reused { error.with_advice(Advice::CheckOrder) } else { error }
    }

    /// Whether a charge has this key, and agrees with itself.
    fn is_sound(&self, charge: &Charge) -> bool {
        let read = charge.raw_customer_id().and_then(OrderKey::read_attempt);
        read.is_some_and(|(key, _, _)| key == self.once.key)
            && charge.amount == charge.amount_satoshi.get()
            && (!self.context.endpoint.checks_invoices()
                || invoice::compare(charge, self.context.endpoint.network()).is_ok())
    }

    /// The end that leaves it open, with what led to it.
    fn unknown(&mut self, below: Option<Error>) -> Error {
        match (self.doubt.take(), below) {
            (Some(doubt), _) => doubt,
            (None, Some(below)) => below.into_unknown(),
            (None, None) => never_landed(self.asked("look for it in the list")),
        }
    }
}

/// An outcome that stays unknown because the list does not show the charge.
fn never_landed(asked: String) -> Error {
    Error::new(asked, ErrorKind::OutcomeUnknown)
}

enum Next {
    State(State),
    Done(CreateOutcome),
}

impl<G: DerefMut<Target = OrderRecord>> Machine for CreateOnce<G> {
    type Output = CreateOutcome;

    fn poll(&mut self, now: Now) -> Step<CreateOutcome> {
        loop {
            let next = match mem::replace(&mut self.state, State::Finished) {
                State::Start => self.start(now).map(Next::State),
                State::Looking { mut look, which } => match look.poll(now).ended() {
                    Ok(result) => self.looked(result, which, now),
                    Err(step) => {
                        self.state = State::Looking { look, which };
                        return step;
                    }
                },
                State::Reading { mut get, attempt } => match get.poll(now).ended() {
                    Ok(result) => self.was_read(result, attempt, get.server_time(), now),
                    Err(step) => {
                        self.state = State::Reading { get, attempt };
                        return step;
                    }
                },
                State::Posting(mut call) => match call.poll(now).ended() {
                    Ok(result) => self.created(result, now),
                    Err(step) => {
                        self.state = State::Posting(call);
                        return step;
                    }
                },
                State::Resting(mut pause, which) => match pause.left(now) {
                    None => Ok(Next::State(self.look(which))),
                    Some(left) => {
                        self.state = State::Resting(pause, which);
                        return Step::Wait(left);
                    }
                },
                State::Finished => Err(Error::finished()),
            };
            match next {
                Ok(Next::State(state)) => self.state = state,
                Ok(Next::Done(made)) => return Step::Done(Ok(made)),
                Err(error) => return Step::Done(Err(error)),
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        match &mut self.state {
            State::Looking { look, .. } => look.handle(reply, now),
            State::Reading { get, .. } => get.handle(reply, now),
            State::Posting(call) => call.handle(reply, now),
            State::Start | State::Resting(..) | State::Finished => {}
        }
    }
}
