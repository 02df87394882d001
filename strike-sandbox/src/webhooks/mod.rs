//! Webhooks: a POST to the shop after each payment, and all that can go wrong with one.

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
pub(crate) use outbox::{Outbox, Outcome, Ticket};
#[cfg(feature = "server")]
pub(crate) use post::Poster;
pub use webhook::Webhook;

impl SandboxBuilder {
    /// Tells this address of every payment. There is one per sandbox, as there was one per account: a second call
    /// takes the place of the first.
    ///
    /// A running sandbox posts by itself; in memory, [`Sandbox::next_webhook`] hands out what is due.
    pub fn webhook(mut self, webhook: Webhook) -> Self {
        self.webhook = Some(webhook);
        self
    }
}

impl Sandbox {
    /// The next webhook that is due by the sandbox's clock, in the order in which they became so, to be handed to
    /// the shop's own handler: a test in virtual time needs no socket.
    ///
    /// ```
    /// use std::time::Duration;
    /// use strike_core::http::{Request, StatusCode};
    /// use strike_core::{ChargeId, UnixMillis, webhook};
    /// use strike_sandbox::{DeliveryState, Sandbox, Webhook};
    ///
    /// let webhook = Webhook::to("http://shop.example/strike")?.delay(Duration::from_secs(60));
    /// let start = UnixMillis::from_secs(1_542_221_803);
    /// let sandbox = Sandbox::builder().api_key("sk_demo").clock_at(start).webhook(webhook).build();
    ///
    /// let create = Request::post(format!("{}charges", sandbox.base_url()))
    ///     .header("authorization", "Basic c2tfZGVtbzo=") // base64 of `sk_demo:`
    ///     .header("content-type", "application/x-www-form-urlencoded")
    ///     .body(b"amount=4200&currency=btc&description=tea".to_vec())?;
    /// let charge = String::from_utf8(sandbox.respond(&create).into_body())?;
    /// let id: ChargeId = charge.split('"').nth(3).unwrap_or_default().parse()?;
    /// sandbox.pay(&id)?;
    /// assert!(sandbox.next_webhook().is_none(), "not for a minute");
    ///
    /// sandbox.advance(Duration::from_secs(60));
    /// let due = sandbox.next_webhook().ok_or("one is due")?;
    /// assert_eq!(webhook::parse(due.request().body())?.id(), &id);
    /// due.answered(StatusCode::OK);
    /// assert_eq!(sandbox.deliveries()[0].state(), DeliveryState::Delivered);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A running sandbox takes the due ones itself, and leaves none here.
    #[must_use]
    pub fn next_webhook(&self) -> Option<DueWebhook> {
        let mut service = self.service();
        let now = service.clock().now();
        let (ticket, request) = service.next_webhook(now)?;
        Some(DueWebhook::new(self.clone(), ticket, request))
    }

    #[cfg(feature = "server")]
    pub(crate) fn webhook(&self) -> Option<Webhook> {
        self.service().outbox().webhook().cloned()
    }

    /// How long until a webhook is due, if the clock's running is enough to make one so.
    #[cfg(feature = "server")]
    fn until_next_webhook(&self) -> Option<std::time::Duration> {
        let service = self.service();
        service.clock().until(service.outbox().next_due()?)
    }

    /// What became of the webhooks, the newest first: the newest 10,000 of them. Those that still wait are all sent,
    /// however many they are.
    #[must_use]
    pub fn deliveries(&self) -> Vec<WebhookDelivery> {
        self.service().outbox().deliveries().cloned().collect()
    }

    /// Sends a delivery again, whatever became of it, and gives it as it stands now: waiting, and due at once. It is
    /// neither dropped nor delayed, and tried as often as a new one.
    ///
    /// # Errors
    /// [`SendAgainError`] if there is none of that number, or if it is on its way right now.
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
