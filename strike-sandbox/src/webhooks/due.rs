//! [`DueWebhook`]: a webhook that is ready to be sent.

use std::fmt;

use strike_core::HttpRequest;
use strike_core::http::StatusCode;

use super::outbox::{AttemptId, Outcome};
use crate::sandbox::Sandbox;

/// A webhook that is due, from [`Sandbox::next_webhook`].
///
/// Pass its [`request`](Self::request) to the receiver. Then report the result with
/// [`answered`](Self::answered) or [`unanswered`](Self::unanswered). Dropping it reports that no
/// response was received.
#[must_use = "dropping it reports that no response was received"]
pub struct DueWebhook {
    sandbox: Sandbox,
    attempt: AttemptId,
    request: HttpRequest,
    reported: bool,
}

impl DueWebhook {
    pub(super) const fn new(sandbox: Sandbox, attempt: AttemptId, request: HttpRequest) -> Self {
        Self { sandbox, attempt, request, reported: false }
    }

    /// Returns the number of its [delivery](crate::WebhookDelivery::id).
    #[must_use]
    pub const fn delivery(&self) -> u64 {
        self.attempt.delivery
    }

    /// Returns the request for the receiver: a POST of `{"object":"event","data":{...}}`.
    ///
    /// `data` is the charge, as the API's get returns it. A webhook of the phoenixd API has
    /// phoenixd's body and signature instead.
    #[must_use]
    pub const fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Returns the receiver. `None` if the sandbox was reset.
    #[cfg(feature = "server")]
    pub(super) fn receiver(&self) -> Option<std::sync::Arc<super::Webhook>> {
        self.sandbox.service().outbox().receiver(self.attempt)
    }

    /// Reports that the receiver responded with this status.
    ///
    /// With a 2xx status the webhook is delivered. Any other status, including a redirect, is a
    /// failure. The sandbox then retries as set with [`Webhook::retry`](crate::Webhook::retry).
    pub fn answered(mut self, status: StatusCode) {
        self.report(&Outcome::Response(status));
    }

    /// Reports that no response was received. The receiver may have got the webhook nevertheless.
    ///
    /// `reason` becomes the delivery's [error](crate::WebhookDelivery::error).
    pub fn unanswered(mut self, reason: impl Into<String>) {
        self.report(&Outcome::NoResponse(reason.into()));
    }

    fn report(&mut self, outcome: &Outcome) {
        self.reported = true;
        self.sandbox.finish_attempt(self.attempt, outcome);
    }
}

impl Drop for DueWebhook {
    fn drop(&mut self) {
        if !self.reported {
            self.report(&Outcome::NoResponse("no response was received".to_owned()));
        }
    }
}

impl Sandbox {
    fn finish_attempt(&self, attempt: AttemptId, outcome: &Outcome) {
        let mut service = self.service();
        let now = service.clock().now();
        service.finish_webhook(attempt, outcome, now);
    }
}

impl fmt::Debug for DueWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DueWebhook")
            .field("delivery", &self.attempt.delivery)
            .field("url", self.request.uri())
            .finish_non_exhaustive()
    }
}
