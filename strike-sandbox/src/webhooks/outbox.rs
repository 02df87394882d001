//! What is to be delivered, and when: payments in, due requests out, outcomes in. It knows no socket, and sees the time
//! only when told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use strike_core::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use strike_core::{HttpRequest, UnixMillis};

use super::delivery::{DeliveryState, SendAgainError, WebhookDelivery};
use super::webhook::Webhook;
use crate::entropy::Entropy;

/// How many deliveries that are over are kept, and how many are listed.
const KEPT: usize = 10_000;

/// All deliveries of a sandbox.
pub(crate) struct Outbox {
    webhook: Option<Webhook>,
    entropy: Entropy,
    entries: BTreeMap<u64, Entry>,
    /// Those that wait, the next one first.
    waiting: BTreeSet<(UnixMillis, u64)>,
    /// Those that are over, in the order in which they ended.
    over: VecDeque<u64>,
    /// How many deliveries were made: the number of the last.
    made: u64,
    /// How many times anything was sent.
    sent: u64,
}

struct Entry {
    delivery: WebhookDelivery,
    body: Arc<str>,
    /// How many tries it had since it was made, or was sent again by hand.
    tries: u32,
    /// The sending whose outcome is awaited.
    awaits: Option<u64>,
}

/// One sending of one delivery. A late outcome finds its delivery by it, or nothing: never one that has been made since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(super) delivery: u64,
    sending: u64,
}

/// How a sending ended.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Answered(StatusCode),
    /// No answer, and why.
    Unanswered(String),
}

impl Outbox {
    /// An outbox that delivers to this receiver, or without one never.
    pub(crate) fn new(webhook: Option<Webhook>, entropy: Entropy) -> Self {
        Self {
            webhook,
            entropy,
            entries: BTreeMap::new(),
            waiting: BTreeSet::new(),
            over: VecDeque::new(),
            made: 0,
            sent: 0,
        }
    }

    #[cfg(feature = "server")]
    pub(crate) const fn webhook(&self) -> Option<&Webhook> {
        self.webhook.as_ref()
    }

    /// Learns that a charge is paid, of which this body tells.
    pub(crate) fn paid(&mut self, charge: &str, event: &str, now: UnixMillis) {
        let Some(webhook) = self.webhook.clone() else { return };
        let (charge, url): (Arc<str>, Arc<str>) = (charge.into(), webhook.url.to_string().into());
        let body: Arc<str> = event.into();
        for _ in 0..webhook.repeat {
            self.made = self.made.saturating_add(1);
            let id = self.made;
            // Both are always drawn, so that one option does not change what another one does.
            let held_back = self.entropy.duration(webhook.reorder);
            let unlucky = self.entropy.below(100) < u64::from(webhook.drop_percent);
            let due = now.saturating_add(webhook.delay).saturating_add(held_back);
            let dropped = unlucky || id.checked_rem(webhook.drop_every.into()) == Some(0);
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
            let entry = Entry { delivery, body: Arc::clone(&body), tries: 0, awaits: None };
            self.entries.insert(id, entry);
            if dropped {
                self.end(id);
            } else {
                self.waiting.insert((due, id));
            }
        }
    }

    /// When something is to be sent next; it may be long ago.
    #[cfg(feature = "server")]
    pub(crate) fn next_due(&self) -> Option<UnixMillis> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// The next request, if one is due. Its outcome is to be told.
    pub(crate) fn take(&mut self, now: UnixMillis) -> Option<(Ticket, HttpRequest)> {
        let webhook = self.webhook.as_ref()?;
        let (_, id) = self.waiting.first().copied().filter(|(due, _)| *due <= now)?;
        self.waiting.pop_first();
        let entry = self.entries.get_mut(&id)?;
        self.sent = self.sent.saturating_add(1);
        entry.awaits = Some(self.sent);
        entry.tries = entry.tries.saturating_add(1);
        entry.delivery.attempts = entry.delivery.attempts.saturating_add(1);
        entry.delivery.state = DeliveryState::Sending;
        Some((Ticket { delivery: id, sending: self.sent }, request(webhook, &entry.body)))
    }

    /// Learns how a sending ended.
    pub(crate) fn settle(&mut self, ticket: Ticket, outcome: &Outcome, now: UnixMillis) {
        let Some(webhook) = self.webhook.as_ref() else { return };
        let Some(entry) = self.entries.get_mut(&ticket.delivery) else { return };
        if entry.awaits != Some(ticket.sending) {
            return;
        }
        entry.awaits = None;
        (entry.delivery.status, entry.delivery.error) = match outcome {
            Outcome::Answered(status) if status.is_success() => (Some(status.as_u16()), None),
            Outcome::Answered(status) => {
                let error =
                    format!("the receiver answered {}, not a status of the two hundreds", status.as_u16());
                (Some(status.as_u16()), Some(error.into()))
            }
            Outcome::Unanswered(why) => (None, Some(why.as_str().into())),
        };
        if entry.delivery.error.is_none() {
            entry.delivery.state = DeliveryState::Delivered;
            self.end(ticket.delivery);
        } else if entry.tries < webhook.attempts {
            let doubled = 2_u32.saturating_pow(entry.tries.saturating_sub(1));
            entry.delivery.due = now.saturating_add(webhook.backoff.saturating_mul(doubled));
            entry.delivery.state = DeliveryState::Waiting;
            self.waiting.insert((entry.delivery.due, ticket.delivery));
        } else {
            entry.delivery.state = DeliveryState::Failed;
            self.end(ticket.delivery);
        }
    }

    /// Makes a delivery due at once, whatever became of it.
    pub(crate) fn send_again(&mut self, id: u64, now: UnixMillis) -> Result<WebhookDelivery, SendAgainError> {
        let entry = self.entries.get_mut(&id).ok_or(SendAgainError::Unknown)?;
        match entry.delivery.state {
            DeliveryState::Sending => return Err(SendAgainError::BeingSent),
            DeliveryState::Waiting => {
                self.waiting.remove(&(entry.delivery.due, id));
            }
            DeliveryState::Delivered | DeliveryState::Failed | DeliveryState::Dropped => {
                self.over.retain(|over| *over != id);
            }
        }
        entry.tries = 0;
        entry.delivery.due = now;
        entry.delivery.state = DeliveryState::Waiting;
        self.waiting.insert((now, id));
        Ok(entry.delivery.clone())
    }

    /// The deliveries, the newest first, as far as they are listed.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = &WebhookDelivery> {
        self.entries.values().rev().map(|entry| &entry.delivery).take(KEPT)
    }

    /// Forgets all deliveries, and draws from this stream from here on.
    pub(crate) fn reset(&mut self, entropy: Entropy) {
        // What is still on its way must not be taken for what is made from now on, so the sendings are counted on.
        *self = Self { sent: self.sent, ..Self::new(self.webhook.take(), entropy) };
    }

    /// Keeps a delivery that is over until many others are.
    fn end(&mut self, id: u64) {
        self.over.push_back(id);
        if self.over.len() > KEPT
            && let Some(oldest) = self.over.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

/// What the receiver gets. Only method, type and body are the service's for sure.
fn request(webhook: &Webhook, body: &str) -> HttpRequest {
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
    // One connection each: none that the receiver may have closed meanwhile is ever used.
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
        let take = |outbox: &mut Outbox| {
            outbox.paid("ch_1", "{}", now);
            outbox.take(now).expect("a webhook is due").0
        };
        let before = take(&mut outbox);
        outbox.reset(Entropy::from_seed(7));
        assert!(outbox.deliveries().next().is_none() && outbox.take(now).is_none());

        let after = take(&mut outbox);
        assert_eq!(before.delivery, after.delivery, "ids start again after a reset");
        let good = Outcome::Answered(StatusCode::OK);
        outbox.settle(before, &good, now);
        let states = |outbox: &Outbox| outbox.deliveries().map(WebhookDelivery::state).collect::<Vec<_>>();
        assert_eq!(states(&outbox), [DeliveryState::Sending]);
        outbox.settle(after, &good, now);
        assert_eq!(states(&outbox), [DeliveryState::Delivered]);
        // A second outcome for the same attempt is ignored.
        outbox.settle(after, &Outcome::Unanswered("late".to_owned()), now);
        assert_eq!(states(&outbox), [DeliveryState::Delivered]);
    }
}
