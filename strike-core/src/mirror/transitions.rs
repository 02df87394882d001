//! The transitions of a mirror: which request it needs, and what a result changes.

use super::{Change, Inner, Mirror, NextRequest, Query};
use crate::errors::{Error, ErrorKind, Mismatch};
use crate::machine::CreateOnceOptions;
use crate::values::{Charge, OrderKey, UnixMillis};

impl Mirror {
    /// Returns the request that this query needs, or `None` if the answer is known.
    ///
    /// A draft becomes [`InDoubt`](super::State::InDoubt) when this returns its create. Save the
    /// mirror before you send the request. The create searches for the charge first, because a copy
    /// of the mirror may have created it.
    ///
    /// ```
    /// use strike_core::mirror::{Mirror, NextRequest, Query};
    ///
    /// let mut mirror = Mirror::known("ch_1".parse()?);
    /// assert_eq!(mirror.ask(Query::Id), None);
    /// assert_eq!(mirror.ask(Query::Paid), Some(NextRequest::Get("ch_1".parse()?)));
    /// # Ok::<(), strike_core::Error>(())
    /// ```
    pub fn ask(&mut self, query: Query) -> Option<NextRequest> {
        match &self.inner {
            Inner::Draft { order, key, since } => {
                let (order, key, since) = (order.clone(), *key, *since);
                self.inner = Inner::InDoubt { order: order.clone(), key, since };
                Some(NextRequest::Once(order, CreateOnceOptions::with_key(key).since(since)))
            }
            Inner::InDoubt { order, key, since } => {
                Some(NextRequest::Once(order.clone(), CreateOnceOptions::recover(*key).since(*since)))
            }
            Inner::Known { .. } if query == Query::Id => None,
            Inner::Known { id } => Some(NextRequest::Get(id.clone())),
            Inner::Retrieved { charge } => {
                let is_answered = charge.is_paid() || matches!(query, Query::Id | Query::Charge);
                (!is_answered).then(|| NextRequest::Get(charge.id().clone()))
            }
        }
    }

    /// Takes the result of a request, and returns what changed. Call it once per request.
    ///
    /// Most errors change nothing, or only the state. If the error says that the clocks disagree
    /// about the charge's expiry, the mirror takes the charge from the error.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] if the charge is not the mirror's charge. The mirror does not change
    /// then.
    pub fn learn(&mut self, ask: &NextRequest, outcome: Result<&Charge, &Error>) -> Result<Change, Error> {
        match &self.inner {
            Inner::Draft { .. } | Inner::InDoubt { .. } => Ok(self.learn_create(ask, outcome)),
            Inner::Known { id } => {
                let Ok(charge) = outcome else { return Ok(Change::Nothing) };
                Mismatch::unless_equal("id", id.as_str(), charge.id().as_str())
                    .map_err(|mismatch| other_charge(mismatch, charge))?;
                Ok(self.replace(charge))
            }
            Inner::Retrieved { charge: known } => {
                let Ok(charge) = outcome else { return Ok(Change::Nothing) };
                Mismatch::unless_same_order(known, charge)
                    .map_err(|mismatch| other_charge(mismatch, charge))?;
                let is_older = known.is_paid() || (charge.updated() < known.updated() && !charge.is_paid());
                if is_older || known == charge { Ok(Change::Nothing) } else { Ok(self.replace(charge)) }
            }
        }
    }

    /// Takes the result of a create, or of a search for the charge of an earlier create.
    fn learn_create(&mut self, request: &NextRequest, outcome: Result<&Charge, &Error>) -> Change {
        let error = match outcome {
            Ok(charge) => return self.replace(charge),
            Err(error) => error,
        };
        if let Some(charge) = error.disputed_charge() {
            return self.replace(charge);
        }
        let Inner::InDoubt { order, key, since } = &self.inner else { return Change::Nothing };
        match request {
            // The create of an abandoned key may be rejected, too. That changes nothing for the
            // current key.
            NextRequest::Once(_, options)
                if options.key() == *key && !options.only_searches() && is_rejected(error) =>
            {
                self.inner = Inner::Draft { order: order.clone(), key: *key, since: *since };
                Change::Refused
            }
            _ => Change::InDoubt,
        }
    }

    /// Gives up a create with unknown outcome, and makes the mirror a draft with a new random key.
    ///
    /// The charge of the old key may exist, but no payer has seen its payment request. In any other
    /// state than [`InDoubt`](super::State::InDoubt) this does nothing.
    pub fn abandon(&mut self, key: OrderKey, now: UnixMillis) {
        if let Inner::InDoubt { order, .. } = &self.inner {
            *self = Self::draft(order.clone(), key, now);
        }
    }

    fn replace(&mut self, charge: &Charge) -> Change {
        self.inner = Inner::Retrieved { charge: charge.clone() };
        if charge.is_paid() { Change::Paid } else { Change::Learned }
    }
}

/// Returns true if the server definitely rejected the create.
fn is_rejected(error: &Error) -> bool {
    // A mismatch holds a charge, so it was created.
    !matches!(error.kind(), ErrorKind::OutcomeUnknown | ErrorKind::Mismatch(_) | ErrorKind::AlreadyFinished)
}

fn other_charge(mismatch: Mismatch, charge: &Charge) -> Error {
    Error::new("compare with the charge that is known", ErrorKind::Mismatch(mismatch))
        .with_charge(charge.clone())
}
