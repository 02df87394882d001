//! pystrike's lazy charge, as pure transitions: it talks to the server only when it must, and never again once paid.
//!
//! A [`Mirror`] is what a shop keeps of a charge. It says which request is needed for what the caller [`Query`]s, takes what
//! came of it, and can be serialised at any moment: what is restored says the truth.
//!
//! ```text
//!            create handed out            it worked
//!   Draft ───────────────────▶ InDoubt ──────────────▶ Pending ──paid──▶ Paid
//!     ▲                           │ ▲                     ▲                ▲
//!     └──── definite refusal ─────┘ └─ found by a look ───┘                │
//!     └──── abandon (a new key) ──┘        Known ──retrieved──┴────────────┘
//! ```

mod fetch;

pub use self::fetch::Fetch;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::client::CoreClient;
use crate::errors::{Error, ErrorKind, Mismatch};
use crate::invoice;
use crate::machine::CreateOnceOptions;
use crate::protocol::server_clock::{Expiry, expiry};
use crate::snapshot_version::Version1;
use crate::values::{Charge, ChargeId, NewCharge, Now, OrderKey, Satoshi, UnixMillis};

/// How far the local clock may be ahead of the server's.
const CLOCKS_APART: Duration = Duration::from_secs(24 * 60 * 60);

/// What the caller wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are the four things that a lazy charge can be asked")]
pub enum Query {
    /// The id: a charge that was never created is created.
    Id,
    /// What does not change, the payment request above all: asked for once.
    Charge,
    /// Whether it is paid: asked for again until it is.
    Paid,
    /// The latest news: created if there is no id, retrieved if there is one, nothing once paid.
    Update,
}

/// Where a mirror stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must answer all five")]
pub enum State {
    /// Nothing was sent.
    Draft,
    /// A create was handed out, and it is not known what came of it.
    InDoubt,
    /// The id is known, and nothing else.
    Known,
    /// The charge is known and unpaid, as far as is known.
    Pending,
    /// Paid, for ever.
    Paid,
}

/// A request that a mirror needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must carry out either")]
pub enum NextRequest {
    /// Create it, or find what was created: a [`CreateOnce`].
    Once(NewCharge, CreateOnceOptions),
    /// Retrieve it: a [`Get`].
    Get(ChargeId),
}

/// What an answer changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a shop that keeps mirrors must answer all of them")]
pub enum Change {
    /// Nothing: it was known, or older than what is known.
    Nothing,
    /// The charge is known now, or known better.
    Learned,
    /// It is paid, which was not known before.
    Paid,
    /// The create was refused: it is a draft again.
    Refused,
    /// It stays in doubt whether there is a charge.
    InDoubt,
}

/// A charge as a shop keeps it: perhaps not created, perhaps in doubt, known, or paid.
///
/// **Keeping it.** It serialises with serde, with a `version` in it. Each release reads what every earlier release has kept, from
/// 0.1 on; a version that is newer than the release is an error.
///
/// **Copies.** A clone, like a restored mirror, holds the same key. It looks for the charge before it creates one. Two copies that
/// are fetched through one client make one charge; two that are fetched at the same time by two clients can make two.
///
/// Five laws: paid stays paid; an id never changes; older news never overwrites newer; a create is in doubt from the moment
/// that it is handed out; only a definite refusal makes it a draft again.
///
/// ```
/// use strike_core::mirror::{NextRequest, Mirror, State, Query};
/// use strike_core::{NewCharge, OrderKey, UnixMillis};
///
/// let now = UnixMillis::from_secs(1_700_000_000);
/// let mut mirror = Mirror::draft(NewCharge::satoshis(4200, "tea"), OrderKey::from_entropy(7), now);
/// let Some(NextRequest::Once(..)) = mirror.ask(Query::Id) else { panic!() };
/// // The request is out: whatever happens now, this is the truth, and worth keeping before it is sent.
/// assert_eq!(mirror.state(), State::InDoubt);
/// let kept = serde_json::to_string(&mirror).unwrap();
/// assert_eq!(serde_json::from_str::<Mirror>(&kept).unwrap(), mirror);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirror {
    #[serde(default)]
    version: Version1,
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
enum Inner {
    Draft {
        order: NewCharge,
        key: OrderKey,
        /// Since when the key may be in use.
        since: UnixMillis,
    },
    InDoubt {
        order: NewCharge,
        key: OrderKey,
        since: UnixMillis,
    },
    Known {
        id: ChargeId,
    },
    Retrieved {
        #[serde(deserialize_with = "stored_charge")]
        charge: Charge,
    },
}

impl Mirror {
    const fn of_inner(inner: Inner) -> Self {
        Self { version: Version1, inner }
    }

    /// A charge that is not created before it is needed. The key must have been drawn just now, and for it alone.
    ///
    /// A later look goes back to a day before `now`, in case the local clock is ahead of the server's.
    #[must_use]
    pub fn draft(order: NewCharge, key: OrderKey, now: UnixMillis) -> Self {
        Self::of_inner(Inner::Draft { order, key, since: now.saturating_sub(CLOCKS_APART) })
    }

    /// A charge that exists, of which only the id is known.
    #[must_use]
    pub const fn known(id: ChargeId) -> Self {
        Self::of_inner(Inner::Known { id })
    }

    /// A charge that was read already.
    #[must_use]
    pub const fn of(charge: Charge) -> Self {
        Self::of_inner(Inner::Retrieved { charge })
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        match &self.inner {
            Inner::Draft { .. } => State::Draft,
            Inner::InDoubt { .. } => State::InDoubt,
            Inner::Known { .. } => State::Known,
            Inner::Retrieved { charge } if charge.is_paid() => State::Paid,
            Inner::Retrieved { .. } => State::Pending,
        }
    }

    /// The id, if it is known.
    #[must_use]
    pub const fn id(&self) -> Option<&ChargeId> {
        match &self.inner {
            Inner::Draft { .. } | Inner::InDoubt { .. } => None,
            Inner::Known { id } => Some(id),
            Inner::Retrieved { charge } => Some(charge.id()),
        }
    }

    /// The charge as last seen, if it was.
    #[must_use]
    pub const fn charge(&self) -> Option<&Charge> {
        if let Inner::Retrieved { charge } = &self.inner { Some(charge) } else { None }
    }

    /// The payment request, for a payer to see now; known as the charge is.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] of `invoice.expires_at` if the charge is unpaid and its invoice has expired, by the local clock less
    /// 10 minutes; [`ErrorKind::AlreadyFinished`] if the charge is not known.
    pub fn payment_request(&self, now: Now) -> Result<&str, Error> {
        let charge = self.require_charge()?;
        match charge.invoice() {
            Ok(invoice)
                if !charge.is_paid() && expiry(invoice.expires_at(), None, now) == Expiry::Expired =>
            {
                let mismatch = invoice::expired(invoice.expires_at(), now.unix);
                let error = Error::new("show the payment request", ErrorKind::Mismatch(mismatch));
                Err(error.with_charge(charge.clone()))
            }
            _ => Ok(charge.payment_request()),
        }
    }

    /// The amount in satoshi, which is known of all but a charge of which only the id is known.
    #[must_use]
    pub const fn amount(&self) -> Option<Satoshi> {
        match &self.inner {
            Inner::Draft { order, .. } | Inner::InDoubt { order, .. } => Some(order.amount()),
            Inner::Known { .. } => None,
            Inner::Retrieved { charge } => Some(charge.amount()),
        }
    }

    /// What is paid for, known as the amount is.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        match &self.inner {
            Inner::Draft { order, .. } | Inner::InDoubt { order, .. } => Some(order.description()),
            Inner::Known { .. } => None,
            Inner::Retrieved { charge } => Some(charge.description()),
        }
    }

    /// The caller's own reference, without the order key that travels with it; known as the amount is.
    #[must_use]
    pub fn customer_id(&self) -> Option<Option<&str>> {
        match &self.inner {
            Inner::Draft { order, .. } | Inner::InDoubt { order, .. } => Some(order.get_customer_id()),
            Inner::Known { .. } => None,
            Inner::Retrieved { charge } => Some(charge.customer_id()),
        }
    }

    /// The id, which is there after an [`Query::Id`] was fetched.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyFinished`] if it is not there.
    pub fn require_id(&self) -> Result<&ChargeId, Error> {
        self.id().ok_or_else(Error::finished)
    }

    /// The charge, which is there after any other [`Query`] was fetched.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyFinished`] if it is not there.
    pub fn require_charge(&self) -> Result<&Charge, Error> {
        self.charge().ok_or_else(Error::finished)
    }

    /// The key of a charge that is not known yet: while this is some, fetching may create the charge.
    #[must_use]
    pub const fn order_key(&self) -> Option<OrderKey> {
        match &self.inner {
            Inner::Draft { key, .. } | Inner::InDoubt { key, .. } => Some(*key),
            Inner::Known { .. } | Inner::Retrieved { .. } => None,
        }
    }

    /// Says which request is needed for that, if any. Handing out a create moves to [`State::InDoubt`] first, so that the
    /// mirror is true whenever it is kept. A draft looks for its charge before it creates one, since a copy of it may have
    /// created the charge.
    pub fn ask(&mut self, want: Query) -> Option<NextRequest> {
        match &self.inner {
            Inner::Draft { order, key, since } => {
                let (order, key, since) = (order.clone(), *key, *since);
                self.inner = Inner::InDoubt { order: order.clone(), key, since };
                Some(NextRequest::Once(order, CreateOnceOptions::with_key(key).since(since)))
            }
            Inner::InDoubt { order, key, since } => {
                Some(NextRequest::Once(order.clone(), CreateOnceOptions::recover(*key).since(*since)))
            }
            Inner::Known { .. } if want == Query::Id => None,
            Inner::Known { id } => Some(NextRequest::Get(id.clone())),
            Inner::Retrieved { charge } => {
                let settled = charge.is_paid() || matches!(want, Query::Id | Query::Charge);
                (!settled).then(|| NextRequest::Get(charge.id().clone()))
            }
        }
    }

    /// Takes what came of a request, once for each: the charge, or the error. Also learns the charge of an error that says that
    /// the clocks disagree about its expiry.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] if the charge is another than the mirror's: then nothing is learned.
    pub fn learn(&mut self, ask: &NextRequest, outcome: Result<&Charge, &Error>) -> Result<Change, Error> {
        match (&self.inner, outcome) {
            (Inner::Draft { .. } | Inner::InDoubt { .. }, Ok(charge)) => Ok(self.show(charge)),
            (Inner::Draft { .. } | Inner::InDoubt { .. }, Err(error))
                if error.disputed_charge().is_some() =>
            {
                // It is the mirror's charge, although nobody knows whether it can still be paid.
                Ok(error.disputed_charge().map_or(Change::Nothing, |charge| self.show(charge)))
            }
            (Inner::InDoubt { order, key, since }, Err(error)) => match ask {
                // The refusal of a create that was abandoned says nothing about the one that is in doubt.
                NextRequest::Once(_, once)
                    if once.key() == *key && !once.only_looks() && is_refusal(error) =>
                {
                    self.inner = Inner::Draft { order: order.clone(), key: *key, since: *since };
                    Ok(Change::Refused)
                }
                _ => Ok(Change::InDoubt),
            },
            (Inner::Known { id }, Ok(charge)) => {
                Mismatch::unless_equal("id", id.as_str(), charge.id().as_str())
                    .map_err(|mismatch| another(mismatch, charge))?;
                Ok(self.show(charge))
            }
            (Inner::Retrieved { charge: known }, Ok(charge)) => {
                Mismatch::unless_same_order(known, charge).map_err(|mismatch| another(mismatch, charge))?;
                let stale = known.is_paid() || (charge.updated() < known.updated() && !charge.is_paid());
                if stale || known == charge { Ok(Change::Nothing) } else { Ok(self.show(charge)) }
            }
            (Inner::Draft { .. } | Inner::Known { .. } | Inner::Retrieved { .. }, Err(_)) => {
                Ok(Change::Nothing)
            }
        }
    }

    /// Gives up on a create in doubt: a draft again, with a key drawn just now. Whoever does so accepts that there may be
    /// another charge, which nobody was shown. Does nothing in any other state.
    pub fn abandon(&mut self, key: OrderKey, now: UnixMillis) {
        if let Inner::InDoubt { order, .. } = &self.inner {
            *self = Self::draft(order.clone(), key, now);
        }
    }

    /// The machine that finds out what is wanted. When it has ended well, [`id`](Self::id) or [`charge`](Self::charge) are there.
    pub fn fetch<'a>(&'a mut self, want: Query, machines: &'a CoreClient) -> Fetch<'a> {
        self.fetch_with(want, machines, Box::default())
    }

    /// The same, with what is known of the mirror's [`order_key`](Self::order_key); see [`OrderMemory`](crate::machine::OrderMemory).
    pub const fn fetch_with<'a, G>(
        &'a mut self,
        want: Query,
        machines: &'a CoreClient,
        record: G,
    ) -> Fetch<'a, G> {
        Fetch::new(self, want, machines, record)
    }

    fn show(&mut self, charge: &Charge) -> Change {
        self.inner = Inner::Retrieved { charge: charge.clone() };
        if charge.is_paid() { Change::Paid } else { Change::Learned }
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror").field("state", &self.state()).field("id", &self.id()).finish_non_exhaustive()
    }
}

/// Whether nothing was created: whatever leaves that open ends as an unknown outcome, and a mismatch holds a charge.
fn is_refusal(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::OutcomeUnknown | ErrorKind::Mismatch(_) | ErrorKind::AlreadyFinished)
}

/// Reads a charge that a mirror has stored: it came from a response.
fn stored_charge<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Charge, D::Error> {
    Charge::deserialize(deserializer).map(Charge::mark_as_response)
}

/// A charge that is not the mirror's.
fn another(mismatch: Mismatch, charge: &Charge) -> Error {
    Error::new("compare with the charge that is known", ErrorKind::Mismatch(mismatch))
        .with_charge(charge.clone())
}
