//! The queue of webhooks, without I/O: takes payments and outcomes, and returns due requests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use strike_core::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use strike_core::{HttpRequest, UnixMillis};

use super::delivery::{DeliveryState, SendAgainError, WebhookDelivery};
use super::webhook::Webhook;
use crate::entropy::Entropy;

/// The number of finished deliveries that are kept, and the number of deliveries that are listed.
const MAX_KEPT: usize = 10_000;

/// All deliveries of a sandbox.
pub(crate) struct Outbox {
    /// The receiver of the service's own webhooks.
    webhook: Option<Arc<Webhook>>,
    entropy: Entropy,
    entries: BTreeMap<u64, Entry>,
    /// The waiting deliveries, by due time.
    waiting: BTreeSet<(UnixMillis, u64)>,
    /// The finished deliveries, in the order in which they ended.
    finished: VecDeque<u64>,
    /// The number of deliveries so far, which is the id of the last one.
    created: u64,
    /// The number of attempts so far.
    attempts: u64,
}

struct Entry {
    delivery: WebhookDelivery,
    webhook: Arc<Webhook>,
    message: Message,
    /// The number of attempts since it was created, or since the last [`Outbox::send_again`].
    attempts: u32,
    /// The number of the attempt that is in progress.
    in_progress: Option<u64>,
}

/// Identifies one attempt of a delivery.
///
/// `attempt` is unique even after a reset. A late outcome from before the reset is therefore
/// ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttemptId {
    pub(super) delivery: u64,
    attempt: u64,
}

/// What a delivery sends.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) body: Arc<str>,
    /// A header that proves who sent the body.
    pub(crate) signature: Option<(HeaderName, HeaderValue)>,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Response(StatusCode),
    /// No response was received, for this reason.
    NoResponse(String),
}

impl Outbox {
    /// Creates an outbox. Without a webhook it never sends anything.
    pub(crate) fn new(webhook: Option<Webhook>, entropy: Entropy) -> Self {
        Self {
            webhook: webhook.map(Arc::new),
            entropy,
            entries: BTreeMap::new(),
            waiting: BTreeSet::new(),
            finished: VecDeque::new(),
            created: 0,
            attempts: 0,
        }
    }

    /// Returns the receiver of the service's own webhooks.
    #[cfg(feature = "server")]
    pub(crate) fn webhook(&self) -> Option<&Webhook> {
        self.webhook.as_deref()
    }

    /// Returns the receiver of a delivery, with its settings.
    #[cfg(feature = "server")]
    pub(crate) fn receiver(&self, attempt: AttemptId) -> Option<Arc<Webhook>> {
        self.entries.get(&attempt.delivery).map(|entry| Arc::clone(&entry.webhook))
    }

    /// Creates the deliveries of the service's own webhook for a paid charge. `event` is the body.
    pub(crate) fn charge_paid(&mut self, charge: &str, event: &str, now: UnixMillis) {
        let Some(webhook) = self.webhook.clone() else { return };
        self.deliver(&webhook, charge, &Message { body: event.into(), signature: None }, now);
    }

    /// Creates the deliveries of a message about a paid charge to a receiver.
    pub(crate) fn deliver(
        &mut self,
        webhook: &Arc<Webhook>,
        charge: &str,
        message: &Message,
        now: UnixMillis,
    ) {
        let (charge, url): (Arc<str>, Arc<str>) = (charge.into(), webhook.url.to_string().into());
        for _ in 0..webhook.repeat {
            self.created = self.created.saturating_add(1);
            let id = self.created;
            // Draw both numbers always, so that one setting does not change the effect of the
            // other.
            let extra_delay = self.entropy.duration(webhook.reorder);
            let dropped_at_random = self.entropy.below(100) < u64::from(webhook.drop_percent);
            let due = now.saturating_add(webhook.delay).saturating_add(extra_delay);
            let dropped = dropped_at_random || id.checked_rem(webhook.drop_every.into()) == Some(0);
            let delivery = WebhookDelivery {
                id,
                charge: Arc::clone(&charge),
                url: Arc::clone(&url),
                state: if dropped { DeliveryState::Dropped } else { DeliveryState::Waiting },
                attempts: 0,
                status: None,
                error: None,
                due,
                created: now,
            };
            let (webhook, message) = (Arc::clone(webhook), message.clone());
            let entry = Entry { delivery, webhook, message, attempts: 0, in_progress: None };
            self.entries.insert(id, entry);
            if dropped {
                self.finish(id);
            } else {
                self.waiting.insert((due, id));
            }
        }
    }

    /// Returns the due time of the next delivery. It may be in the past.
    #[cfg(feature = "server")]
    pub(crate) fn next_due(&self) -> Option<UnixMillis> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Starts the next attempt that is due. Report its outcome to
    /// [`finish_attempt`](Self::finish_attempt).
    pub(crate) fn start_attempt(&mut self, now: UnixMillis) -> Option<(AttemptId, HttpRequest)> {
        let (_, id) = self.waiting.first().copied().filter(|(due, _)| *due <= now)?;
        self.waiting.pop_first();
        let entry = self.entries.get_mut(&id)?;
        self.attempts = self.attempts.saturating_add(1);
        entry.in_progress = Some(self.attempts);
        entry.attempts = entry.attempts.saturating_add(1);
        entry.delivery.attempts = entry.delivery.attempts.saturating_add(1);
        entry.delivery.state = DeliveryState::Sending;
        Some((AttemptId { delivery: id, attempt: self.attempts }, request(&entry.webhook, &entry.message)))
    }

    /// Records the outcome of an attempt. An outcome of an attempt that is not in progress is
    /// ignored.
    pub(crate) fn finish_attempt(&mut self, attempt: AttemptId, outcome: &Outcome, now: UnixMillis) {
        let Some(entry) = self.entries.get_mut(&attempt.delivery) else { return };
        if entry.in_progress != Some(attempt.attempt) {
            return;
        }
        entry.in_progress = None;
        (entry.delivery.status, entry.delivery.error) = match outcome {
            Outcome::Response(status) if status.is_success() => (Some(status.as_u16()), None),
            Outcome::Response(status) => {
                let error = format!("the receiver responded with status {}, not 2xx", status.as_u16());
                (Some(status.as_u16()), Some(error.into()))
            }
            Outcome::NoResponse(reason) => (None, Some(reason.as_str().into())),
        };
        if entry.delivery.error.is_none() {
            entry.delivery.state = DeliveryState::Delivered;
            self.finish(attempt.delivery);
        } else if entry.attempts < entry.webhook.attempts {
            let doubled = 2_u32.saturating_pow(entry.attempts.saturating_sub(1));
            entry.delivery.due = now.saturating_add(entry.webhook.backoff.saturating_mul(doubled));
            entry.delivery.state = DeliveryState::Waiting;
            self.waiting.insert((entry.delivery.due, attempt.delivery));
        } else {
            entry.delivery.state = DeliveryState::Failed;
            self.finish(attempt.delivery);
        }
    }

    /// Makes a delivery due at once, whatever its state.
    pub(crate) fn send_again(&mut self, id: u64, now: UnixMillis) -> Result<WebhookDelivery, SendAgainError> {
        let entry = self.entries.get_mut(&id).ok_or(SendAgainError::Unknown)?;
        match entry.delivery.state {
            DeliveryState::Sending => return Err(SendAgainError::BeingSent),
            DeliveryState::Waiting => {
                self.waiting.remove(&(entry.delivery.due, id));
            }
            DeliveryState::Delivered | DeliveryState::Failed | DeliveryState::Dropped => {
                self.finished.retain(|finished| *finished != id);
            }
        }
        entry.attempts = 0;
        entry.delivery.due = now;
        entry.delivery.state = DeliveryState::Waiting;
        self.waiting.insert((now, id));
        Ok(entry.delivery.clone())
    }

    /// Returns the newest deliveries, newest first.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = &WebhookDelivery> {
        self.entries.values().rev().map(|entry| &entry.delivery).take(MAX_KEPT)
    }

    /// Deletes all deliveries and uses a new stream of random numbers.
    pub(crate) fn reset(&mut self, entropy: Entropy) {
        // Continue the numbers of attempts. Otherwise an outcome from before the reset could match
        // a new attempt.
        *self = Self { attempts: self.attempts, webhook: self.webhook.take(), ..Self::new(None, entropy) };
    }

    /// Marks a delivery as finished and removes the oldest one if there are too many.
    fn finish(&mut self, id: u64) {
        self.finished.push_back(id);
        if self.finished.len() > MAX_KEPT
            && let Some(oldest) = self.finished.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

/// Returns the request for the receiver. Method, content type and body are as recorded from the
/// service. phoenixd's have a signature beside them.
fn request(webhook: &Webhook, message: &Message) -> HttpRequest {
    let Message { body, signature } = message;
    let mut headers = HeaderMap::with_capacity(5);
    let host = webhook.url.authority().and_then(|host| HeaderValue::try_from(host.as_str()).ok());
    if let Some(host) = host {
        headers.insert(header::HOST, host);
    }
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("strike-sandbox/", env!("CARGO_PKG_VERSION"))),
    );
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    if let Some((name, value)) = signature {
        headers.insert(name, value.clone());
    }
    // Use one connection per request. The receiver may close an idle connection at any time.
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    let mut request = HttpRequest::new(body.as_bytes().to_vec());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = webhook.url.clone();
    *request.headers_mut() = headers;
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcome_from_before_a_reset_is_ignored() {
        let webhook = Webhook::to("http://127.0.0.1/strike").expect("a valid URL");
        let now = UnixMillis::from_secs(1_542_221_803);
        let mut outbox = Outbox::new(Some(webhook), Entropy::from_seed(7));
        let start_attempt = |outbox: &mut Outbox| {
            outbox.charge_paid("ch_1", "{}", now);
            outbox.start_attempt(now).expect("a webhook is due").0
        };
        let before = start_attempt(&mut outbox);
        outbox.reset(Entropy::from_seed(7));
        assert!(outbox.deliveries().next().is_none() && outbox.start_attempt(now).is_none());

        let after = start_attempt(&mut outbox);
        assert_eq!(before.delivery, after.delivery, "ids start again after a reset");
        let good = Outcome::Response(StatusCode::OK);
        outbox.finish_attempt(before, &good, now);
        let states = |outbox: &Outbox| outbox.deliveries().map(WebhookDelivery::state).collect::<Vec<_>>();
        assert_eq!(states(&outbox), [DeliveryState::Sending]);
        outbox.finish_attempt(after, &good, now);
        assert_eq!(states(&outbox), [DeliveryState::Delivered]);
        // A second outcome for the same attempt is ignored.
        outbox.finish_attempt(after, &Outcome::NoResponse("late".to_owned()), now);
        assert_eq!(states(&outbox), [DeliveryState::Delivered]);
    }
}
