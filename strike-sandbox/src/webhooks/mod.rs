//! Webhooks: a POST to the shop after each payment, with optional delays, repeats, losses and
//! retries.

mod delivery;
#[cfg(feature = "server")]
mod dispatcher;
mod due;
mod outbox;
#[cfg(feature = "server")]
mod post;
#[cfg(feature = "server")]
mod post_error;
mod webhook;

use crate::builder::SandboxBuilder;
use crate::sandbox::Sandbox;

pub use delivery::{DeliveryState, SendAgainError, WebhookDelivery};
#[cfg(feature = "server")]
pub(crate) use dispatcher::dispatch;
pub use due::DueWebhook;
pub(crate) use outbox::{AttemptId, Message, Outbox, Outcome};
#[cfg(feature = "server")]
pub(crate) use post::check;
pub use webhook::Webhook;

impl SandboxBuilder {
    /// Sets the webhook to send after each payment. Default: none.
    ///
    /// A sandbox has one webhook of the service, as an account had. A second call replaces it.
    /// [`Phoenixd::webhook`](crate::Phoenixd::webhook) adds webhooks in phoenixd's format.
    ///
    /// A running sandbox posts webhooks itself. In memory, take them from
    /// [`Sandbox::next_webhook`].
    pub fn webhook(mut self, webhook: Webhook) -> Self {
        self.webhook = Some(webhook);
        self
    }
}

impl Sandbox {
    /// Returns the next webhook that is due by the sandbox's clock. `None` if there is none.
    ///
    /// Webhooks are returned in the order of their due times. Pass them to your handler to test it
    /// without a socket and without waiting. A running sandbox sends all webhooks itself, so it
    /// returns `None`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use strike_core::http::StatusCode;
    /// use strike_core::{NewCharge, webhook};
    /// use strike_sandbox::{DeliveryState, Sandbox, Webhook};
    ///
    /// let webhook = Webhook::to("http://shop.example/strike")?.delay(Duration::from_secs(60));
    /// let sandbox = Sandbox::builder().webhook(webhook).build();
    /// let charge = sandbox.create(NewCharge::satoshis(4200, "tea"))?;
    /// sandbox.pay(charge.id())?;
    /// assert!(sandbox.next_webhook().is_none(), "it is due after one minute");
    ///
    /// sandbox.advance(Duration::from_secs(60));
    /// let due = sandbox.next_webhook().ok_or("one is due")?;
    /// assert_eq!(webhook::parse(due.request().body())?.id(), charge.id());
    /// due.answered(StatusCode::OK);
    /// assert_eq!(sandbox.deliveries()[0].state(), DeliveryState::Delivered);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn next_webhook(&self) -> Option<DueWebhook> {
        let mut service = self.service();
        let now = service.clock().now();
        let (attempt, request) = service.next_webhook(now)?;
        Some(DueWebhook::new(self.clone(), attempt, request))
    }

    /// Returns the webhooks in the settings.
    #[cfg(feature = "server")]
    pub(crate) fn webhooks(&self) -> Vec<Webhook> {
        let service = self.service();
        let own = service.outbox().webhook().into_iter();
        own.chain(service.phoenixd().webhooks()).cloned().collect()
    }

    /// Returns the time until a webhook is due. `None` if there is none, or if the clock is manual.
    #[cfg(feature = "server")]
    fn until_next_webhook(&self) -> Option<std::time::Duration> {
        let service = self.service();
        service.clock().until(service.outbox().next_due()?)
    }

    /// Returns the newest 10,000 deliveries, newest first.
    ///
    /// All waiting deliveries are sent, even if there are more than 10,000.
    #[must_use]
    pub fn deliveries(&self) -> Vec<WebhookDelivery> {
        self.service().outbox().deliveries().cloned().collect()
    }

    /// Makes a delivery due again at once, whatever its state, and returns it.
    ///
    /// It is neither dropped nor delayed. It gets as many attempts as a new delivery.
    ///
    /// # Errors
    /// [`SendAgainError`] if no delivery has this number, or if it is being sent right now.
    ///
    /// ```
    /// use strike_sandbox::{Sandbox, SendAgainError};
    ///
    /// assert_eq!(Sandbox::new().send_again(1), Err(SendAgainError::Unknown));
    /// ```
    pub fn send_again(&self, delivery: u64) -> Result<WebhookDelivery, SendAgainError> {
        let mut service = self.service();
        let now = service.clock().now();
        service.send_again(delivery, now)
    }
}
