//! Creates a charge, or finds out whether it was created: what to do when the answer to a create is lost.

use alloc::boxed::Box;
use core::mem;
use core::time::Duration;

use crate::call::{Call, Pause};
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind};
use crate::input::InvalidInput;
use crate::look::{Look, Reach, Seen};
use crate::machine::{Machine, Now, Reply, Step};
use crate::new_charge::NewCharge;
use crate::op::{Create, Operation};
use crate::order_key::{MAX_OWN, OrderKey};
use crate::policy::{RetryPolicy, Seeds};
use crate::types::{Charge, UnixMillis};

/// The rest before a look that counts: time for a request that was under way to land, and for the list to show it.
const REST: Duration = Duration::from_secs(2);

/// How a charge is created once.
///
/// ```
/// use strike_core::{Once, UnixMillis};
///
/// // Named after the order: looks whether it exists, creates it if not.
/// let once = Once::named("order-17");
/// // The order may be older than the usual two hours: look further back.
/// let once = once.since(UnixMillis::from_secs(1_700_000_000));
/// # let _ = once;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Once {
    key: OrderKey,
    first: First,
    since: Option<UnixMillis>,
    repost: bool,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// A look, and then a create: the key may have been used before.
    Look,
    /// The create: the key was drawn just now, so there is nothing to find.
    Post,
    /// Two looks, and no create: one was sent before.
    Recover,
}

impl Once {
    /// With the key of that name, such as the order's number. Looks first: the key may have been used before a restart.
    pub fn named(name: &str) -> Self {
        Self::with_key(OrderKey::named(name))
    }

    /// With a key that may have been used before. Looks first.
    pub const fn with_key(key: OrderKey) -> Self {
        Self { key, first: First::Look, since: None, repost: false }
    }

    /// With a key that was drawn just now and never used: creates at once.
    pub const fn fresh(key: OrderKey) -> Self {
        Self { key, first: First::Post, since: None, repost: false }
    }

    /// With a key whose create was sent before, with unknown outcome: only looks, twice if need be.
    pub const fn recover(key: OrderKey) -> Self {
        Self { key, first: First::Recover, since: None, repost: false }
    }

    /// How far back to look at least, by the server's clock: when the key was first used. Two hours unless set.
    pub const fn since(mut self, since: UnixMillis) -> Self {
        self.since = Some(since);
        self
    }

    /// Allows a second create when the first may have been lost and two looks found nothing. It is followed by a
    /// rest and one more look: should the first have landed late, the older of the two is returned, and nobody was shown the other.
    pub const fn repost(mut self, allow: bool) -> Self {
        self.repost = allow;
        self
    }

    /// Whether a create is the first thing sent.
    pub(crate) const fn posts_first(&self) -> bool {
        matches!(self.first, First::Post)
    }

    /// Whether nothing is created but what was sent before.
    pub(crate) const fn only_looks(&self) -> bool {
        matches!(self.first, First::Recover) && !self.repost
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> OrderKey {
        self.key
    }
}

impl From<&str> for Once {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<OrderKey> for Once {
    fn from(key: OrderKey) -> Self {
        Self::with_key(key)
    }
}

/// The charge of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must answer both: an adopted charge may be paid or expired"
)]
pub enum Made {
    /// It was created now.
    Created(Charge),
    /// It existed already: it may be paid, or expired.
    Adopted(Charge),
}

impl Made {
    /// The charge.
    #[must_use]
    pub const fn charge(&self) -> &Charge {
        match self {
            Self::Created(charge) | Self::Adopted(charge) => charge,
        }
    }

    /// The charge, taken out.
    #[must_use]
    pub fn into_charge(self) -> Charge {
        match self {
            Self::Created(charge) | Self::Adopted(charge) => charge,
        }
    }
}

/// Creates a charge once per key, as a [machine](crate::machine).
///
/// The API has no idempotency keys. `customer_id` carries ours (see [`OrderKey`]), and the list shows it. So a create with
/// unknown outcome is followed by a look through the list: everything newer than what was newest before, or the last two hours
/// by the server's clock. If nothing is found, a rest of 2 s and a second look; if nothing is found again, it ends as
/// [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown), and asking again later with the same key is the way on.
///
/// What is found must say what the order says, invoice included, like the answer to a create. Of several charges with the key,
/// the paid one counts, else the oldest. A host that does not return `customer_id` is a mismatch that names it.
///
/// **The law:** at most one invoice per key is returned, if a lost request lands, and the list shows it, before the last
/// look. Two machines that run with the same key at the same time are outside of it.
#[derive(Debug)]
pub struct CreateOnce {
    at: Endpoint,
    policy: RetryPolicy,
    seeds: Seeds,
    create: Create,
    /// Set if the caller's own reference leaves no room for the key.
    refused: Option<InvalidInput>,
    once: Once,
    reach: Reach,
    /// The failure that left it open whether there is a charge.
    doubt: Option<Error>,
    posted_again: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    Looking { look: Box<Look>, which: Which },
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

impl CreateOnce {
    /// Will create that charge once.
    #[must_use]
    pub fn new(
        order: NewCharge,
        once: impl Into<Once>,
        at: &Endpoint,
        policy: RetryPolicy,
        seed: u64,
    ) -> Self {
        let once = once.into();
        let own = order.customer_reference().unwrap_or_default();
        let units = own.encode_utf16().count();
        let refused = (units > MAX_OWN).then(|| {
            let rule = "at most 40 UTF-16 units, since the order key takes the rest";
            InvalidInput::new("customer_id", rule).found(units)
        });
        let customer_id = once.key.customer_id(own);
        Self {
            at: at.clone(),
            policy,
            seeds: Seeds::new(seed),
            create: Create::new(order.customer_id(customer_id)),
            refused,
            once,
            reach: Reach::Since(once.since),
            doubt: None,
            posted_again: false,
            state: State::Start,
        }
    }

    fn look(&self, which: Which) -> State {
        let look = Look::new(self.once.key, self.reach, &self.at, self.policy, self.seeds.draw());
        State::Looking { look: Box::new(look), which }
    }

    fn post(&self) -> State {
        let call = Call::new(self.create.clone(), &self.at, self.policy, self.seeds.draw());
        State::Posting(Box::new(call))
    }

    fn start(&mut self) -> Result<State, Error> {
        // Bad input ends it before anything is sent, a look included.
        if let Some(input) = self.refused.take() {
            return Err(Error::from(input).with_asked(self.create.asked()));
        }
        self.create.request(&self.at)?;
        Ok(match self.once.first {
            First::Look => self.look(Which::Before),
            First::Post => self.post(),
            First::Recover => self.look(Which::First),
        })
    }

    /// What a create led to.
    fn created(&mut self, result: Result<Charge, Error>, now: Now) -> Result<Next, Error> {
        match result {
            Ok(charge) if self.doubt.is_none() => Ok(Next::Done(Made::Created(charge))),
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
                None => error,
            }),
        }
    }

    /// What a look led to.
    fn looked(&mut self, result: Result<Seen, Error>, which: Which, now: Now) -> Result<Next, Error> {
        let seen = match result {
            Ok(seen) => seen,
            Err(error) if which == Which::Before => return Err(error),
            Err(error) => return Err(self.unknown(Some(error))),
        };
        if let Some(charge) = seen.charge {
            return Ok(Next::Done(Made::Adopted(self.create.accept(&self.at, charge)?)));
        }
        if !seen.complete {
            // A row that may be ours could not be read, or the list was too long: to create now could be a second time.
            let asked = "look for the order's charge in the list";
            let error = Error::new(asked, ErrorKind::Undecodable).with_status(200);
            return Err(if which == Which::Before { error } else { self.unknown(Some(error)) });
        }
        match which {
            Which::Before => {
                self.reach = Reach::Anchor(seen.newest);
                Ok(Next::State(self.post()))
            }
            Which::First => Ok(Next::State(State::Resting(Pause::new(REST, now), Which::Second))),
            Which::Second if self.once.repost => {
                self.doubt.get_or_insert_with(never_landed);
                self.posted_again = true;
                Ok(Next::State(self.post()))
            }
            Which::Second | Which::Last => Err(self.unknown(None)),
        }
    }

    /// The end that leaves it open, with what led to it.
    fn unknown(&mut self, below: Option<Error>) -> Error {
        match (self.doubt.take(), below) {
            (Some(doubt), _) => doubt,
            (None, Some(below)) => below.into_unknown(),
            (None, None) => never_landed(),
        }
    }
}

/// An outcome that stays unknown because the list does not show the charge.
fn never_landed() -> Error {
    Error::new("look for the order's charge in the list", ErrorKind::OutcomeUnknown)
}

enum Next {
    State(State),
    Done(Made),
}

impl Machine for CreateOnce {
    type Output = Made;

    fn poll(&mut self, now: Now) -> Step<Made> {
        loop {
            let next = match mem::replace(&mut self.state, State::Finished) {
                State::Start => self.start().map(Next::State),
                State::Looking { mut look, which } => match look.poll(now).ended() {
                    Ok(result) => self.looked(result, which, now),
                    Err(step) => {
                        self.state = State::Looking { look, which };
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
            State::Posting(call) => call.handle(reply, now),
            State::Start | State::Resting(..) | State::Finished => {}
        }
    }
}
