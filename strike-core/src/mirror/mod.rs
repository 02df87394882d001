//! A charge as a shop stores it: created when it is needed, read when it has to be, never read
//! again once it is paid.
//!
//! A [`Mirror`] holds what is known of one charge. Save it with the order at any time, and restore
//! it later. It works like pystrike's lazy charge:
//!
//! 1. Ask for something with a [`Query`], such as "is it paid?".
//! 2. [`Mirror::fetch`] returns a machine that sends the necessary requests, or none if the answer
//!    is known.
//! 3. Read the result with [`Mirror::state`], [`Mirror::charge`] and the other getters.
//!
//! A program with its own request handling calls [`Mirror::ask`] and [`Mirror::learn`] instead of
//! `fetch`.
//!
//! ```text
//!            create sent               created or found
//!   Draft ───────────────▶ InDoubt ───────────────────▶ Pending ───paid──▶ Paid
//!     ▲                       │                            ▲                ▲
//!     │    create rejected,   │                            │                │
//!     └────── abandon ────────┘            Known ───read───┴────────────────┘
//! ```

mod fetch;
mod state;
mod transitions;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

pub use self::fetch::Fetch;
pub use self::state::{Change, NextRequest, Query, State};

use crate::client::CoreClient;
use crate::errors::{Error, ErrorKind};
use crate::invoice;
use crate::protocol::server_clock::{Expiry, expiry};
use crate::snapshot_version::Version1;
use crate::values::{Charge, ChargeId, InvalidInput, NewCharge, Now, OrderKey, Satoshi, UnixMillis};

/// How far the local clock may be ahead of the server's when a draft is made.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// The known state of one charge, to save with the order.
///
/// These rules always hold:
///
/// - A paid charge stays paid.
/// - The id of a charge never changes.
/// - Older data never overwrites newer data.
/// - From the moment a create is returned by [`ask`](Self::ask), the mirror is
///   [`InDoubt`](State::InDoubt).
/// - Only a create that was definitely rejected makes it a [`Draft`](State::Draft) again, or a call
///   of [`abandon`](Self::abandon).
///
/// **Storage.** A mirror serializes with serde and contains a `version`. Each release reads the
/// mirrors of all earlier releases since 0.1. A mirror with a newer version is an error.
///
/// **Copies.** A clone and a restored mirror have the same order key. So they search for the charge
/// before they create one. Two copies that are fetched through one client create one charge. Two
/// copies that are fetched at the same time through two clients can create two. The crate
/// `strike-orders` stores mirrors in a database, and lets one process at a time fetch each.
///
/// ```
/// use strike_core::mirror::{Mirror, NextRequest, Query, State};
/// use strike_core::{NewCharge, OrderKey, Satoshi, UnixMillis};
///
/// let now = UnixMillis::from_secs(1_700_000_000);
/// let order = NewCharge::satoshis(4200, "tea");
/// let mut mirror = Mirror::draft(order, OrderKey::from_entropy(7), now);
/// assert_eq!(mirror.state(), State::Draft);
///
/// // Save the mirror before you send the request: then a restart cannot lose a charge.
/// let Some(NextRequest::Once(..)) = mirror.ask(Query::Id) else { panic!("expected a create") };
/// assert_eq!(mirror.state(), State::InDoubt);
/// let saved = serde_json::to_string(&mirror)?;
/// assert_eq!(serde_json::from_str::<Mirror>(&saved)?, mirror);
/// # Ok::<(), serde_json::Error>(())
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
        /// The key may have been used since this time. A search goes back to it.
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

    /// Returns the mirror of a charge that is created when it is needed.
    ///
    /// `key` must be a new random key that nothing else uses. `now` is the local time; a search for
    /// the charge goes back to a day before it, in case the local clock is ahead of the server's.
    #[must_use]
    pub fn draft(order: NewCharge, key: OrderKey, now: UnixMillis) -> Self {
        Self::of_inner(Inner::Draft { order, key, since: now.saturating_sub(MAX_CLOCK_DIFFERENCE) })
    }

    /// Returns the mirror of an existing charge of which only the id is known.
    ///
    /// ```
    /// use strike_core::mirror::{Mirror, State};
    ///
    /// let mirror = Mirror::known("ch_1".parse()?);
    /// assert_eq!(mirror.state(), State::Known);
    /// assert_eq!(mirror.amount(), None);
    /// # Ok::<(), strike_core::Error>(())
    /// ```
    #[must_use]
    pub const fn known(id: ChargeId) -> Self {
        Self::of_inner(Inner::Known { id })
    }

    /// Returns the mirror of a charge that was read already.
    #[must_use]
    pub const fn of(charge: Charge) -> Self {
        Self::of_inner(Inner::Retrieved { charge })
    }

    /// Returns a machine that sends the requests that the query needs.
    ///
    /// After it has ended without an error, [`id`](Self::id) or [`charge`](Self::charge) is known,
    /// as the [`Query`] says.
    ///
    /// ```
    /// use std::time::Duration;
    /// use strike_core::machine::{Machine, Step};
    /// use strike_core::mirror::{Mirror, Query};
    /// use strike_core::{ApiKey, CoreClient, Endpoint, Network, Now, RetryPolicy, UnixMillis};
    ///
    /// # fn main() -> Result<(), strike_core::Error> {
    /// let url = "http://127.0.0.1:8420/api/v1/";
    /// let endpoint = Endpoint::new(url, ApiKey::new("sk_demo")?, Network::Testnet)?;
    /// let client = CoreClient::new(endpoint, RetryPolicy::default(), 7);
    /// let mut mirror = Mirror::known("ch_1".parse()?);
    /// let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
    /// let mut fetch = mirror.fetch(Query::Paid, &client);
    /// let Step::Send(exchange) = fetch.poll(now) else { panic!("expected a request") };
    /// assert_eq!(exchange.request.uri().path(), "/api/v1/charges/ch_1");
    /// # Ok(()) }
    /// ```
    pub fn fetch<'a>(&'a mut self, query: Query, client: &'a CoreClient) -> Fetch<'a> {
        self.fetch_with(query, client, Box::default())
    }

    /// Does the same as [`fetch`](Self::fetch), with the record of the mirror's
    /// [`order_key`](Self::order_key).
    ///
    /// The record prevents a second charge if several copies of the mirror are fetched; see
    /// [`OrderMemory`](crate::machine::OrderMemory).
    pub const fn fetch_with<'a, G>(
        &'a mut self,
        query: Query,
        client: &'a CoreClient,
        record: G,
    ) -> Fetch<'a, G> {
        Fetch::new(self, query, client, record)
    }

    /// Returns the state.
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

    /// Returns the id, if it is known.
    #[must_use]
    pub const fn id(&self) -> Option<&ChargeId> {
        match &self.inner {
            Inner::Draft { .. } | Inner::InDoubt { .. } => None,
            Inner::Known { id } => Some(id),
            Inner::Retrieved { charge } => Some(charge.id()),
        }
    }

    /// Returns the id, or an error if it is not known. It is known after a fetch of any [`Query`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the id is not known yet.
    pub fn require_id(&self) -> Result<&ChargeId, Error> {
        self.id().ok_or_else(|| not_known("charge id", "known: fetch it first, with `Query::Id`"))
    }

    /// Returns the charge as last read, if it is known.
    #[must_use]
    pub const fn charge(&self) -> Option<&Charge> {
        if let Inner::Retrieved { charge } = &self.inner { Some(charge) } else { None }
    }

    /// Returns the charge as last read, or an error if it is not known. It is known after a fetch
    /// of any [`Query`] but [`Query::Id`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the charge is not known yet.
    pub fn require_charge(&self) -> Result<&Charge, Error> {
        self.charge().ok_or_else(|| not_known("charge", "known: fetch it first, with `Query::Charge`"))
    }

    /// Returns the payment request to show to the payer.
    ///
    /// # Errors
    /// - [`ErrorKind::Mismatch`] of `invoice.expires_at` if the charge is unpaid and its invoice
    ///   expired more than 10 minutes ago by the local clock.
    /// - [`ErrorKind::InvalidInput`] if the charge is not known yet.
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

    /// Returns the amount in satoshi. It is `None` only in [`State::Known`].
    #[must_use]
    pub const fn amount(&self) -> Option<Satoshi> {
        match &self.inner {
            Inner::Draft { order, .. } | Inner::InDoubt { order, .. } => Some(order.amount()),
            Inner::Known { .. } => None,
            Inner::Retrieved { charge } => Some(charge.amount()),
        }
    }

    /// Returns the description. It is `None` only in [`State::Known`].
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        match &self.inner {
            Inner::Draft { order, .. } | Inner::InDoubt { order, .. } => Some(order.description()),
            Inner::Known { .. } => None,
            Inner::Retrieved { charge } => Some(charge.description()),
        }
    }

    /// Returns your `customer_id`, without the order key that the SDK adds.
    ///
    /// The outer `Option` is `None` only in [`State::Known`]. The inner one is `None` if the charge
    /// has no `customer_id`.
    #[must_use]
    pub fn customer_id(&self) -> Option<Option<&str>> {
        match &self.inner {
            Inner::Draft { order, .. } | Inner::InDoubt { order, .. } => Some(order.get_customer_id()),
            Inner::Known { .. } => None,
            Inner::Retrieved { charge } => Some(charge.customer_id()),
        }
    }

    /// Returns the order key in [`State::Draft`] and [`State::InDoubt`]. In these states a fetch
    /// may create the charge.
    #[must_use]
    pub const fn order_key(&self) -> Option<OrderKey> {
        match &self.inner {
            Inner::Draft { key, .. } | Inner::InDoubt { key, .. } => Some(*key),
            Inner::Known { .. } | Inner::Retrieved { .. } => None,
        }
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror").field("state", &self.state()).field("id", &self.id()).finish_non_exhaustive()
    }
}

/// Returns the error for a value that was read before it was fetched. Its message is "`field` must
/// be `rule`".
fn not_known(field: &'static str, rule: &'static str) -> Error {
    InvalidInput::new(field, rule).into()
}

/// Reads a charge that a mirror has stored: it came from a response.
fn stored_charge<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Charge, D::Error> {
    Charge::deserialize(deserializer).map(Charge::mark_as_response)
}
