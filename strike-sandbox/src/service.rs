//! The service without I/O: takes a request and the current time, and returns a response.

use std::mem;
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
use crate::faults::{ActiveRules, Behavior, Plan};
use crate::ledger::{Charge, ExpireError, GroupOutcome, Ledger, ServiceState, StorageError};
use crate::limit::Limit;
use crate::node::{self, InvoiceFormat, InvoiceTerms, Node, Paid, PayError};
use crate::order::Order;
use crate::phoenixd;
use crate::quirks::Quirks;
use crate::response::{self, Audience, Document, ErrorResponse};
use crate::webhooks::{AttemptId, Outbox, Outcome, SendAgainError, Webhook, WebhookDelivery};

/// The largest request body, in bytes. A larger one gets a 413.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// The numbers of the random streams. Stream 0 is for ids and preimages.
const WEBHOOK_STREAM: u64 = 1;
const FAULT_STREAM: u64 = 2;

pub(crate) struct Service {
    api_key: String,
    network: Network,
    entropy: Entropy,
    clock: Clock,
    node: Box<dyn Node>,
    ledger: Ledger,
    outbox: Outbox,
    requests: u64,
    /// The number of valid creates so far, including failed ones.
    creates: u64,
    limit: Limit,
    quirks: Quirks,
    phoenixd: phoenixd::Account,
    changes: Arc<Changes>,
    faults: ActiveRules,
    /// While true, creates return a response but store nothing.
    dry_run: bool,
    /// The time of the latest change.
    changed_at: UnixMillis,
    /// The charges whose payments are not reported yet, because they are not stored yet.
    unreported: Vec<ChargeId>,
}

/// The initial state of a service.
pub(crate) struct Setup {
    pub(crate) api_key: String,
    pub(crate) network: Network,
    pub(crate) entropy: Entropy,
    pub(crate) clock: Clock,
    pub(crate) node: Box<dyn Node>,
    pub(crate) ledger: Ledger,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) quirks: Quirks,
    pub(crate) phoenixd: phoenixd::Account,
    pub(crate) faults: Plan,
}

impl Service {
    pub(crate) fn new(setup: Setup) -> Self {
        let Setup { api_key, network, entropy, clock, node, ledger, webhook, quirks, phoenixd, faults } =
            setup;
        // With a stream of its own, the webhooks do not depend on the number of charges.
        let outbox = Outbox::new(webhook, entropy.branch(WEBHOOK_STREAM));
        Self {
            api_key,
            network,
            faults: ActiveRules::new(faults, entropy.branch(FAULT_STREAM)),
            entropy,
            clock,
            node,
            ledger,
            outbox,
            requests: 0,
            creates: 0,
            limit: Limit::default(),
            quirks,
            phoenixd,
            changes: Arc::default(),
            dry_run: false,
            changed_at: UnixMillis::from_millis(0),
            unreported: Vec::new(),
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

    /// Returns the passwords and settings of the phoenixd API.
    pub(crate) const fn phoenixd(&self) -> &phoenixd::Account {
        &self.phoenixd
    }

    /// Counts a request of the account and applies the rate limit.
    pub(crate) fn admit(&mut self, now: UnixMillis) -> Result<(), ErrorResponse> {
        let Some(per_minute) = self.quirks.requests_per_minute else { return Ok(()) };
        self.limit.count(per_minute, now).map_err(|seconds| {
            ErrorResponse::too_many_requests((!self.quirks.without_retry_after).then_some(seconds))
        })
    }

    /// Counts a valid create and returns its number. The first one is 1.
    pub(crate) const fn count_create(&mut self) -> u64 {
        self.creates = self.creates.saturating_add(1);
        self.creates
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        // Whoever waits for these changes learns of an error. It does not stop the clock.
        let _ = self.commit();
        self.clock.advance(by);
        self.changed_at = self.clock.now();
        let state = self.state();
        // If this write fails, the next change writes the position of the clock again.
        let _ = self.ledger.save_state(&state);
        self.changes.announce();
    }

    /// Restores the initial state, except for the API key and the node's key.
    pub(crate) fn reset(&mut self) -> Result<(), StorageError> {
        // Whoever waits for these changes learns of an error. Then there is less to remove.
        let _ = self.commit();
        let (mut entropy, mut clock) = (Entropy::from_position(&self.entropy.position()), self.clock.clone());
        entropy.rewind();
        clock.reset();
        let (entropy_at, ahead, seen) = (entropy.position(), clock.ahead(), clock.now());
        self.ledger.clear(&ServiceState { entropy: entropy_at, ahead, seen })?;
        self.outbox.reset(entropy.branch(WEBHOOK_STREAM));
        self.faults.reset(entropy.branch(FAULT_STREAM));
        self.entropy = entropy;
        self.clock = clock;
        self.changed_at = seen;
        self.requests = 0;
        self.creates = 0;
        self.limit = Limit::default();
        self.changes.announce();
        Ok(())
    }

    /// Uses this seed for the ids and preimages of new charges.
    pub(crate) fn reseed(&mut self, seed: u64) {
        // Whoever waits for these changes learns of an error. They have no part in the seed.
        let _ = self.commit();
        self.entropy = Entropy::from_seed(seed);
        self.changed_at = self.clock.now();
        let state = self.state();
        // If this write fails, the next change writes the position of the stream again.
        let _ = self.ledger.save_state(&state);
    }

    /// Returns the counter of changes, for watchers.
    #[cfg(feature = "server")]
    pub(crate) fn changes(&self) -> Arc<Changes> {
        Arc::clone(&self.changes)
    }

    pub(crate) const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns the next webhook that is due. Report its outcome to
    /// [`finish_webhook`](Self::finish_webhook).
    pub(crate) fn next_webhook(&mut self, now: UnixMillis) -> Option<(AttemptId, HttpRequest)> {
        // Do not announce a call without a result: the dispatcher calls this after each change.
        let next = self.outbox.start_attempt(now)?;
        self.changes.announce();
        Some(next)
    }

    pub(crate) fn finish_webhook(&mut self, attempt: AttemptId, outcome: &Outcome, now: UnixMillis) {
        self.outbox.finish_attempt(attempt, outcome, now);
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

    pub(crate) const fn faults(&self) -> &ActiveRules {
        &self.faults
    }

    pub(crate) const fn faults_mut(&mut self) -> &mut ActiveRules {
        &mut self.faults
    }

    pub(crate) const fn requests(&self) -> u64 {
        self.requests
    }

    pub(crate) fn charges(&self) -> usize {
        self.ledger.len()
    }

    /// Responds to a request with the faults applied.
    pub(crate) fn respond_with_faults(&mut self, request: &HttpRequest, now: UnixMillis) -> Behavior {
        let Some(fault) = self.faults.select(request) else {
            return Behavior::Respond(self.respond(request, now));
        };
        let before = (self.creates, self.limit.clone());
        self.dry_run = !fault.processed;
        let response = self.respond(request, now);
        if mem::take(&mut self.dry_run) {
            // A request that was not processed must not affect later ones.
            (self.creates, self.limit) = before;
        }
        self.faults.apply(fault, request, response, now)
    }

    pub(crate) fn respond(&mut self, request: &HttpRequest, now: UnixMillis) -> HttpResponse {
        self.requests = self.requests.saturating_add(1);
        // As with nginx, double and trailing slashes are ignored and percent-encoding is decoded.
        let segments = request.uri().path().split('/').filter(|segment| !segment.is_empty());
        let decoded: Vec<_> =
            segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect();
        let path: Vec<&str> = decoded.iter().map(AsRef::as_ref).collect();
        if phoenixd::serves(&path) {
            return phoenixd::respond(self, &path, request, now);
        }
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

    /// Returns the response to a request whose changes could not be stored.
    pub(crate) fn storage_failed(
        &self,
        request: &HttpRequest,
        error: &StorageError,
        now: UnixMillis,
    ) -> HttpResponse {
        let error = ErrorResponse::from(error.clone());
        match request.uri().path().split('/').find(|segment| !segment.is_empty()) {
            None | Some("sandbox") => response::build(request, Err(error), Audience::SameOrigin, now),
            Some("api") => {
                let error = error.with_extra_keys(self.quirks.extra_keys);
                response::build(request, Err(error), Audience::AnyOrigin, now)
            }
            Some(_) => phoenixd::failed(error),
        }
    }

    /// Returns where to learn whether the latest changes are stored. `None` if all changes are.
    ///
    /// A response must wait for it: otherwise it could show a change that a crash undoes.
    pub(crate) fn uncommitted(&self) -> Option<GroupOutcome> {
        self.ledger.uncommitted()
    }

    /// Stores all changes since the last commit, and then reports them. If they cannot be stored,
    /// all of them are undone.
    pub(crate) fn commit(&mut self) -> Result<(), StorageError> {
        if self.ledger.uncommitted().is_none() {
            return Ok(());
        }
        let state = self.state();
        let outcome = self.ledger.commit(&state);
        match outcome {
            Ok(()) => self.report(),
            Err(_) => self.unreported.clear(),
        }
        outcome
    }

    /// Notes a change. Without a data file it is complete. With one, it is when it is committed.
    fn changed(&mut self, now: UnixMillis) {
        self.changed_at = now;
        if !self.ledger.is_stored() {
            self.report();
        }
    }

    /// Sends the webhooks and events of changes that are complete: a receiver that gets the charge
    /// must see it paid, also after a crash.
    fn report(&mut self) {
        for id in mem::take(&mut self.unreported) {
            if let Some(charge) = self.ledger.get(id.as_str()) {
                let now = charge.updated;
                self.outbox.charge_paid(charge.id.as_str(), &charge.to_event(&self.quirks), now);
                self.phoenixd.charge_paid(charge, &mut self.outbox, now);
            }
        }
        self.changes.announce();
    }

    /// Creates a charge and returns it as `show` shows it. In a dry run it is not stored.
    pub(crate) fn create<T>(
        &mut self,
        order: Order,
        now: UnixMillis,
        show: impl FnOnce(&Charge) -> T,
    ) -> Result<T, ErrorResponse> {
        let failed = |what| ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, what);
        let length = if self.quirks.long_ids { LONG_NAME_LENGTH } else { NAME_LENGTH };
        // A seed that is used twice generates the same charges again. Skip the ids that are in use,
        // with their preimages.
        let (id, preimage, payment_secret) = loop {
            let id = self.entropy.id(length);
            let (preimage, payment_secret) = (self.entropy.bytes32(), self.entropy.bytes32());
            if self.ledger.get(&id).is_none() {
                break (id, preimage, payment_secret);
            }
        };
        let id = ChargeId::new(id).map_err(|_| failed("no valid charge id could be generated"))?;
        let payment_hash = node::payment_hash(&preimage);
        // Timestamp and expiry of an invoice are in whole seconds.
        let timestamp = Duration::from_secs(now.as_millis() / 1000);
        let terms = InvoiceTerms {
            format: order.format,
            amount: order.amount,
            description: order.invoice_description(),
            payment_hash,
            payment_secret,
            timestamp,
            expiry: order.expiry,
        };
        let payment_request =
            self.node.invoice(&terms).map_err(|_| failed("the invoice could not be signed"))?;
        // phoenixd counts the expiry from the exact time of creation.
        let start = match order.format {
            InvoiceFormat::Phoenixd => now,
            _ => UnixMillis::from_secs(timestamp.as_secs()),
        };
        let charge = Charge {
            id,
            amount: order.amount,
            description: order.description.into(),
            customer_id: order.customer_id.map(Into::into),
            payment_request: payment_request.into(),
            payment_hash,
            preimage,
            paid: false,
            created: now,
            updated: now,
            expires: start.saturating_add(order.expiry.unwrap_or(node::DEFAULT_EXPIRY)),
            fee: 0,
            extras: order.extras.boxed(),
        };
        let shown = show(&charge);
        if !self.dry_run {
            self.ledger.push(charge);
            self.changed(now);
        }
        Ok(shown)
    }

    /// Returns the charge with this id or payment hash. A client of the phoenixd API knows only the
    /// hash.
    pub(crate) fn charge(&self, id: &str) -> Option<&Charge> {
        self.ledger.get(id)
    }

    /// Returns all charges, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Charge> {
        self.ledger.newest_first()
    }

    /// Returns a page of charges, newest first.
    pub(crate) fn page(&self, page: usize, size: usize) -> impl Iterator<Item = &Charge> {
        self.ledger.page(page, size)
    }

    /// Returns a page of the charges that the API's list contains at this time, newest first.
    ///
    /// With the quirk `list_lag`, new charges are missing.
    pub(crate) fn listed(&self, page: usize, size: usize, now: UnixMillis) -> impl Iterator<Item = &Charge> {
        self.ledger.page_until(now.saturating_sub(self.quirks.list_lag), page, size)
    }

    /// Pays a charge if it is unpaid and not expired.
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
        self.unreported.push(charge.id.clone());
        self.ledger.mark_paid(id, now, self.phoenixd.fee());
        self.changed(now);
        Ok(Paid { preimage, payment_hash, at: now })
    }

    /// Expires a charge now. An expired charge stays expired.
    pub(crate) fn expire(&mut self, id: &str, now: UnixMillis) -> Result<(), ExpireError> {
        let charge = self.ledger.get(id).ok_or(ExpireError::UnknownCharge)?;
        if charge.paid {
            return Err(ExpireError::AlreadyPaid);
        }
        self.ledger.expire(id, now);
        self.changed(now);
        Ok(())
    }

    /// Returns the state that the data file stores besides the charges.
    fn state(&self) -> ServiceState {
        ServiceState { entropy: self.entropy.position(), ahead: self.clock.ahead(), seen: self.changed_at }
    }
}

impl From<StorageError> for ErrorResponse {
    fn from(error: StorageError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}
