//! A webhook that is due: a request for the receiver, and a place to say what came of it.

use std::fmt;

use strike_core::HttpRequest;
use strike_core::http::StatusCode;

use super::outbox::{Outcome, Ticket};
use crate::sandbox::Sandbox;

/// A webhook that is due, from [`Sandbox::next_webhook`]: hand its request to the receiver, then say how that went.
///
/// Dropping it says that nobody answered, which is what many receivers of the service did.
#[must_use = "dropping it says that nobody answered"]
pub struct DueWebhook {
    sandbox: Sandbox,
    ticket: Ticket,
    request: HttpRequest,
    settled: bool,
}

impl DueWebhook {
    pub(super) const fn new(sandbox: Sandbox, ticket: Ticket, request: HttpRequest) -> Self {
        Self { sandbox, ticket, request, settled: false }
    }

    /// The number of its [delivery](crate::WebhookDelivery::id).
    #[must_use]
    pub const fn delivery(&self) -> u64 {
        self.ticket.delivery
    }

    /// What the receiver gets: a POST of `{"object":"event","data":{...the charge, as a get shows it...}}`.
    #[must_use]
    pub const fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The receiver answered with this status. One of the two hundreds delivers it; any other, a redirect included, is
    /// a failure, after which it may be due [again](crate::Webhook::retry).
    pub fn answered(mut self, status: StatusCode) {
        self.settle(&Outcome::Answered(status));
    }

    /// No answer came, and why, in words for [`WebhookDelivery::error`](crate::WebhookDelivery::error). It may have arrived.
    pub fn unanswered(mut self, why: impl Into<String>) {
        self.settle(&Outcome::Unanswered(why.into()));
    }

    fn settle(&mut self, outcome: &Outcome) {
        self.settled = true;
        self.sandbox.settle(self.ticket, outcome);
    }
}

impl Drop for DueWebhook {
    fn drop(&mut self) {
        if !self.settled {
            self.settle(&Outcome::Unanswered("nobody answered".to_owned()));
        }
    }
}

impl Sandbox {
    fn settle(&self, ticket: Ticket, outcome: &Outcome) {
        let mut service = self.service();
        let now = service.clock().now();
        service.settle_webhook(ticket, outcome, now);
    }
}

impl fmt::Debug for DueWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DueWebhook")
            .field("delivery", &self.ticket.delivery)
            .field("url", self.request.uri())
            .finish_non_exhaustive()
    }
}
