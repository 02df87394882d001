//! The service itself: a request and a moment in, a response out. It knows no socket, and sees the time only when
//! told.

use std::sync::Arc;
use std::time::Duration;

use strike_core::http::StatusCode;
use strike_core::{HttpRequest, HttpResponse, UnixMillis};

use crate::answer::{self, Audience, Refusal};
use crate::api;
use crate::changes::Changes;
use crate::clock::Clock;
use crate::control;
use crate::entropy::Entropy;
use crate::faults::{Course, Faults, Plan};
use crate::ledger::{Charge, Ledger};
use crate::node::{self, Node, Paid, PayError, Terms};

/// The most bytes of body that are read.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// The stream of randomness that faults draw from.
const FAULTS: u64 = 1;

pub(crate) struct Service {
    api_key: String,
    entropy: Entropy,
    clock: Clock,
    node: Box<dyn Node>,
    ledger: Ledger,
    requests: u64,
    changes: Arc<Changes>,
    pub(crate) faults: Faults,
    /// Whether what is asked for is only answered, and not done.
    rehearsing: bool,
}

impl Service {
    /// A service without charges.
    pub(crate) fn new(
        api_key: String,
        entropy: Entropy,
        clock: Clock,
        node: Box<dyn Node>,
        plan: Plan,
    ) -> Self {
        Self {
            api_key,
            faults: Faults::new(plan, entropy.beside(FAULTS)),
            rehearsing: false,
            entropy,
            clock,
            node,
            ledger: Ledger::default(),
            requests: 0,
            changes: Arc::default(),
        }
    }

    pub(crate) fn api_key(&self) -> &str {
        &self.api_key
    }

    pub(crate) fn payee(&self) -> String {
        self.node.payee()
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.changes.announce();
    }

    /// Where changes are told.
    #[cfg(feature = "server")]
    #[expect(dead_code, reason = "whoever needs to know comes next")]
    pub(crate) fn changes(&self) -> Arc<Changes> {
        Arc::clone(&self.changes)
    }

    pub(crate) const fn requests(&self) -> u64 {
        self.requests
    }

    pub(crate) fn charges(&self) -> usize {
        self.ledger.len()
    }

    /// What becomes of a request on its way, as the plan of faults has it.
    pub(crate) fn course(&mut self, request: &HttpRequest, now: UnixMillis) -> Course {
        let Some(due) = self.faults.due(request) else {
            return Course::plain(self.respond(request, now));
        };
        self.rehearsing = !due.processed;
        let response = self.respond(request, now);
        self.rehearsing = false;
        self.faults.course(due, request, response, now)
    }

    pub(crate) fn respond(&mut self, request: &HttpRequest, now: UnixMillis) -> HttpResponse {
        self.requests = self.requests.saturating_add(1);
        // Doubled and trailing slashes do not matter, as behind nginx.
        let path: Vec<&str> = request.uri().path().split('/').filter(|segment| !segment.is_empty()).collect();
        let audience = match path.first() {
            Some(&"sandbox") => Audience::SameOrigin,
            _ => Audience::AnyOrigin,
        };
        let outcome = match path.as_slice() {
            _ if request.body().len() > MAX_BODY => {
                Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large"))
            }
            ["api", "v1", path @ ..] => api::respond(self, path, request, now),
            ["sandbox", path @ ..] => control::respond(self, path, request, now),
            _ => Err(Refusal::not_found()),
        };
        answer::response(request, outcome, audience, now)
    }

    /// Makes a charge, and gives its JSON.
    pub(crate) fn create(&mut self, wanted: api::Wanted, now: UnixMillis) -> Result<String, Refusal> {
        let id = self.entropy.name("ch_");
        let preimage = self.entropy.bytes32();
        let payment_hash = node::payment_hash(&preimage);
        // The invoice counts whole seconds, and so does its expiry.
        let timestamp = Duration::from_secs(now.as_millis() / 1000);
        let expiry = wanted.expiry.map(Duration::from_secs);
        let terms = Terms {
            amount: wanted.amount,
            description: &wanted.description,
            payment_hash,
            payment_secret: self.entropy.bytes32(),
            timestamp,
            expiry,
        };
        let payment_request = self.node.invoice(&terms).map_err(|_| {
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the invoice could not be signed")
        })?;
        let charge = Charge {
            id,
            amount: wanted.amount,
            description: wanted.description,
            customer_id: wanted.customer_id,
            payment_request,
            payment_hash,
            preimage,
            paid: false,
            created: now,
            updated: now,
            expires: UnixMillis::from_secs(timestamp.as_secs())
                .saturating_add(expiry.unwrap_or(node::DEFAULT_EXPIRY)),
        };
        let answer = charge.to_json();
        if !self.rehearsing {
            self.ledger.push(charge);
            self.changes.announce();
        }
        Ok(answer)
    }

    pub(crate) fn charge(&self, id: &str) -> Option<&Charge> {
        self.ledger.get(id)
    }

    /// A page of charges, the newest first.
    pub(crate) fn page(&self, page: usize, size: usize) -> impl Iterator<Item = &Charge> {
        self.ledger.page(page, size)
    }

    /// Pays a charge, if a wallet still could.
    pub(crate) fn pay(&mut self, id: &str, now: UnixMillis) -> Result<Paid, PayError> {
        let charge = self.ledger.get_mut(id).ok_or(PayError::UnknownCharge)?;
        if charge.paid {
            return Err(PayError::AlreadyPaid);
        }
        if now >= charge.expires {
            return Err(PayError::Expired);
        }
        let preimage = self.node.settle(&charge.payment_request, &charge.preimage, now)?;
        charge.paid = true;
        charge.updated = now;
        self.changes.announce();
        Ok(Paid { preimage, payment_hash: charge.payment_hash, at: now })
    }
}
