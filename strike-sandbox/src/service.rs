//! [`Service`]: the state of a sandbox, and the requests that change it. It does no network I/O.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use strike_core::http::StatusCode;
use strike_core::{ChargeId, HttpRequest, HttpResponse, Network, UnixMillis};

use crate::api;
use crate::changes::Changes;
use crate::clock::Clock;
use crate::control;
#[cfg(feature = "dashboard")]
use crate::dashboard;
use crate::entropy::{Entropy, LONG_NAME_LENGTH, NAME_LENGTH};
#[cfg(feature = "server")]
use crate::events;
use crate::faults::{Course, Faults, Plan};
use crate::ledger::{Charge, ExpireError, Ledger, ServiceState, StorageError};
use crate::limit::Limit;
use crate::node::{self, InvoiceTerms, Node, Paid, PayError};
use crate::quirks::Quirks;
use crate::response::{self, Audience, Document, ErrorResponse};
use crate::webhooks::{Outbox, Outcome, SendAgainError, Ticket, Webhook, WebhookDelivery};

/// The maximum length of a request body, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// The random streams other than the one for ids and preimages.
const WEBHOOKS: u64 = 1;
const FAULTS: u64 = 2;

pub(crate) struct Service {
    api_key: String,
    network: Network,
    entropy: Entropy,
    clock: Clock,
    node: Box<dyn Node>,
    ledger: Ledger,
    outbox: Outbox,
    requests: u64,
    /// The number of valid creates.
    creates: u64,
    limit: Limit,
    quirks: Quirks,
    changes: Arc<Changes>,
    faults: Faults,
    /// If true, requests get a response but change nothing.
    rehearsing: bool,
}

/// The initial values of a service.
pub(crate) struct Setup {
    pub(crate) api_key: String,
    pub(crate) network: Network,
    pub(crate) entropy: Entropy,
    pub(crate) clock: Clock,
    pub(crate) node: Box<dyn Node>,
    pub(crate) ledger: Ledger,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) quirks: Quirks,
    pub(crate) faults: Plan,
}

impl Service {
    pub(crate) fn new(setup: Setup) -> Self {
        let Setup { api_key, network, entropy, clock, node, ledger, webhook, quirks, faults } = setup;
        // Webhooks have their own stream, so that they and the charges do not affect each other's draws.
        let outbox = Outbox::new(webhook, entropy.branch(WEBHOOKS));
        Self {
            api_key,
            network,
            faults: Faults::new(faults, entropy.branch(FAULTS)),
            entropy,
            clock,
            node,
            ledger,
            outbox,
            requests: 0,
            creates: 0,
            limit: Limit::default(),
            quirks,
            changes: Arc::default(),
            rehearsing: false,
        }
    }

    pub(crate) fn api_key(&self) -> &str {
        &self.api_key
    }

    pub(crate) const fn network(&self) -> Network {
        self.network
    }

    pub(crate) fn payee(&self) -> String {
        self.node.payee()
    }

    pub(crate) const fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// Counts a request against the request limit.
    pub(crate) fn admit(&mut self, now: UnixMillis) -> Result<(), ErrorResponse> {
        let Some(per_minute) = self.quirks.requests_per_minute else { return Ok(()) };
        self.limit.count(per_minute, now).map_err(|seconds| {
            ErrorResponse::too_many_requests((!self.quirks.without_retry_after).then_some(seconds))
        })
    }

    /// Counts a create and returns its number, from 1.
    pub(crate) const fn count_create(&mut self) -> u64 {
        self.creates = self.creates.saturating_add(1);
        self.creates
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        let state = self.state(self.clock.now());
        // An error is ignored here: each later change writes the clock's position again.
        let _ = self.ledger.save_state(&state);
        self.changes.announce();
    }

    /// Restores the initial state, except for the API key and the node.
    pub(crate) fn reset(&mut self) -> Result<(), StorageError> {
        let (mut entropy, mut clock) = (Entropy::from_position(&self.entropy.position()), self.clock.clone());
        entropy.rewind();
        clock.reset();
        let (entropy_at, ahead, seen) = (entropy.position(), clock.ahead(), clock.now());
        self.ledger.clear(&ServiceState { entropy: entropy_at, ahead, seen })?;
        self.outbox.reset(entropy.branch(WEBHOOKS));
        self.faults.reset(entropy.branch(FAULTS));
        self.entropy = entropy;
        self.clock = clock;
        self.requests = 0;
        self.creates = 0;
        self.limit = Limit::default();
        self.changes.announce();
        Ok(())
    }

    /// Draws ids and preimages from this seed from here on.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.entropy = Entropy::from_seed(seed);
        let state = self.state(self.clock.now());
        // If it cannot be written now, it is with the next change, as the clock is.
        let _ = self.ledger.save_state(&state);
    }

    /// Where changes are told.
    #[cfg(feature = "server")]
    pub(crate) fn changes(&self) -> Arc<Changes> {
        Arc::clone(&self.changes)
    }

    pub(crate) const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The next webhook that is due; its outcome is to be [told](Self::settle_webhook).
    pub(crate) fn next_webhook(&mut self, now: UnixMillis) -> Option<(Ticket, HttpRequest)> {
        // Told only when there was one: the dispatcher looks whenever something is told.
        let next = self.outbox.take(now)?;
        self.changes.announce();
        Some(next)
    }

    pub(crate) fn settle_webhook(&mut self, ticket: Ticket, outcome: &Outcome, now: UnixMillis) {
        self.outbox.settle(ticket, outcome, now);
        self.changes.announce();
    }

    pub(crate) fn send_again(
        &mut self,
        delivery: u64,
        now: UnixMillis,
    ) -> Result<WebhookDelivery, SendAgainError> {
        let again = self.outbox.send_again(delivery, now)?;
        self.changes.announce();
        Ok(again)
    }

    pub(crate) const fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) const fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    pub(crate) const fn requests(&self) -> u64 {
        self.requests
    }

    pub(crate) fn charges(&self) -> usize {
        self.ledger.len()
    }

    /// Handles a request and applies the faults to its response.
    pub(crate) fn course(&mut self, request: &HttpRequest, now: UnixMillis) -> Course {
        let Some(due) = self.faults.due(request) else {
            return Course::Plain(self.respond(request, now));
        };
        let before = (self.creates, self.limit.clone());
        self.rehearsing = !due.processed;
        let response = self.respond(request, now);
        if std::mem::take(&mut self.rehearsing) {
            // A request that did not take effect must not be counted.
            (self.creates, self.limit) = before;
        }
        self.faults.course(due, request, response, now)
    }

    pub(crate) fn respond(&mut self, request: &HttpRequest, now: UnixMillis) -> HttpResponse {
        self.requests = self.requests.saturating_add(1);
        // Like nginx, ignore repeated and trailing slashes, and decode percent-encoding.
        let segments = request.uri().path().split('/').filter(|segment| !segment.is_empty());
        let decoded: Vec<_> =
            segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect();
        let path: Vec<&str> = decoded.iter().map(AsRef::as_ref).collect();
        let audience = match path.first() {
            Some(&"sandbox") | None => Audience::SameOrigin,
            _ => Audience::AnyOrigin,
        };
        let outcome = match path.as_slice() {
            _ if request.body().len() > MAX_BODY => {
                Err(ErrorResponse::new(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large"))
            }
            ["api", "v1", path @ ..] => api::respond(self, path, request, now).map(Document::from),
            #[cfg(feature = "dashboard")]
            [] | ["sandbox", "page", ..] | ["sandbox", "charges", _, "qr.svg" | "qr.txt"] => {
                dashboard::respond(self, &path, request)
            }
            #[cfg(feature = "server")]
            ["sandbox", "events"] => events::respond(self, request),
            ["sandbox", path @ ..] => control::respond(self, path, request, now).map(Document::from),
            _ => Err(ErrorResponse::not_found()),
        };
        response::build(request, outcome, audience, now)
    }

    /// Creates a charge.
    pub(crate) fn create(
        &mut self,
        new_charge: api::NewCharge,
        now: UnixMillis,
    ) -> Result<Charge, ErrorResponse> {
        let failed = |what| ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, what);
        let length = if self.quirks.long_ids { LONG_NAME_LENGTH } else { NAME_LENGTH };
        // A repeated seed draws the same ids. Skip those in use together with their preimages, so that
        // no preimage is used twice.
        let (id, preimage, payment_secret) = loop {
            let id = self.entropy.id(length);
            let (preimage, payment_secret) = (self.entropy.bytes32(), self.entropy.bytes32());
            if self.ledger.get(&id).is_none() {
                break (id, preimage, payment_secret);
            }
        };
        let id = ChargeId::new(id).map_err(|_| failed("no id could be drawn"))?;
        let payment_hash = node::payment_hash(&preimage);
        // Invoices have timestamps and expiries in whole seconds.
        let timestamp = Duration::from_secs(now.as_millis() / 1000);
        let expiry = new_charge.expiry.map(Duration::from_secs);
        let terms = InvoiceTerms {
            amount: new_charge.amount,
            description: &new_charge.description,
            payment_hash,
            payment_secret,
            timestamp,
            expiry,
        };
        let payment_request =
            self.node.invoice(&terms).map_err(|_| failed("the invoice could not be signed"))?;
        let charge = Charge {
            id,
            amount: new_charge.amount,
            description: new_charge.description.into(),
            customer_id: new_charge.customer_id.map(Into::into),
            payment_request: payment_request.into(),
            payment_hash,
            preimage,
            paid: false,
            created: now,
            updated: now,
            expires: UnixMillis::from_secs(timestamp.as_secs())
                .saturating_add(expiry.unwrap_or(node::DEFAULT_EXPIRY)),
        };
        if !self.rehearsing {
            let state = self.state(now);
            self.ledger.push(charge.clone(), &state)?;
            self.changes.announce();
        }
        Ok(charge)
    }

    pub(crate) fn charge(&self, id: &str) -> Option<&Charge> {
        self.ledger.get(id)
    }

    /// Returns a page of charges, newest first.
    pub(crate) fn page(&self, page: usize, size: usize) -> impl Iterator<Item = &Charge> {
        self.ledger.page(page, size)
    }

    /// Returns a page of the charges in the API's list at that time, newest first.
    pub(crate) fn listed(&self, page: usize, size: usize, now: UnixMillis) -> impl Iterator<Item = &Charge> {
        self.ledger.page_until(now.saturating_sub(self.quirks.list_lag), page, size)
    }

    /// Pays a charge that is neither paid nor expired.
    pub(crate) fn pay(&mut self, id: &str, now: UnixMillis) -> Result<Paid, PayError> {
        let charge = self.ledger.get(id).ok_or(PayError::UnknownCharge)?;
        if charge.paid {
            return Err(PayError::AlreadyPaid);
        }
        if now >= charge.expires {
            return Err(PayError::Expired);
        }
        let preimage = self.node.settle(&charge.payment_request, &charge.preimage, now)?;
        let payment_hash = charge.payment_hash;
        let state = self.state(now);
        self.ledger.mark_paid(id, now, &state).map_err(|_| PayError::Storage)?;
        // Send webhooks after the change, so that a receiver that gets the charge sees it paid.
        if let Some(charge) = self.ledger.get(id) {
            self.outbox.paid(id, &charge.to_event(&self.quirks), now);
        }
        self.changes.announce();
        Ok(Paid { preimage, payment_hash, at: now })
    }

    /// Makes an unpaid charge expire now.
    pub(crate) fn expire(&mut self, id: &str, now: UnixMillis) -> Result<(), ExpireError> {
        let charge = self.ledger.get(id).ok_or(ExpireError::UnknownCharge)?;
        if charge.paid {
            return Err(ExpireError::AlreadyPaid);
        }
        let state = self.state(now);
        self.ledger.expire(id, now, &state).map_err(|_| ExpireError::Storage)?;
        self.changes.announce();
        Ok(())
    }

    /// Returns the state that the journal stores with each change.
    fn state(&self, seen: UnixMillis) -> ServiceState {
        ServiceState { entropy: self.entropy.position(), ahead: self.clock.ahead(), seen }
    }
}

impl From<StorageError> for ErrorResponse {
    fn from(error: StorageError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}
