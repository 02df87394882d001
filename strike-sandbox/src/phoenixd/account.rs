//! The passwords and figures of the node, and what happens when it receives a payment.

use std::sync::Arc;

use strike_core::UnixMillis;
#[cfg(feature = "server")]
use tokio::sync::broadcast;

use super::event::PaymentReceived;
use crate::guard::constant_time_eq;
use crate::ledger::Charge;
use crate::webhooks::{Outbox, Webhook};

/// What a password allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// Everything needed to receive payments.
    Limited,
    Full,
}

/// How many events a slow websocket may lag behind before it misses some.
#[cfg(feature = "server")]
const MAX_LAG: usize = 1024;

/// The settings of the phoenixd API, complete.
pub(crate) struct Account {
    full_password: String,
    limited_password: String,
    webhook_secret: String,
    webhooks: Vec<Arc<Webhook>>,
    /// In millisatoshi.
    fee: u64,
    /// In satoshi.
    fee_credit: u64,
    /// The events for websockets.
    #[cfg(feature = "server")]
    events: broadcast::Sender<Arc<str>>,
}

impl Account {
    pub(super) fn new(
        full_password: String,
        limited_password: String,
        webhook_secret: String,
        webhooks: Vec<Arc<Webhook>>,
        fee: u64,
        fee_credit: u64,
    ) -> Self {
        Self {
            full_password,
            limited_password,
            webhook_secret,
            webhooks,
            fee,
            fee_credit,
            #[cfg(feature = "server")]
            events: broadcast::channel(MAX_LAG).0,
        }
    }

    pub(crate) fn full_password(&self) -> &str {
        &self.full_password
    }

    pub(crate) fn limited_password(&self) -> &str {
        &self.limited_password
    }

    pub(crate) fn webhook_secret(&self) -> &str {
        &self.webhook_secret
    }

    /// Returns the webhooks in the settings, without those of single invoices.
    #[cfg(feature = "server")]
    pub(crate) fn webhooks(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.iter().map(AsRef::as_ref)
    }

    /// Returns what the node charges for receiving a payment, in millisatoshi.
    pub(crate) const fn fee(&self) -> u64 {
        self.fee
    }

    pub(super) const fn fee_credit(&self) -> u64 {
        self.fee_credit
    }

    /// Returns what a password allows. `None` if it is wrong.
    pub(super) fn access(&self, password: &[u8]) -> Option<Access> {
        if constant_time_eq(password, self.full_password.as_bytes()) {
            Some(Access::Full)
        } else {
            constant_time_eq(password, self.limited_password.as_bytes()).then_some(Access::Limited)
        }
    }

    /// Returns the events from now on, in the JSON of websockets.
    #[cfg(feature = "server")]
    pub(crate) fn events(&self) -> broadcast::Receiver<Arc<str>> {
        self.events.subscribe()
    }

    /// Reports a paid charge to the websockets, the webhooks of the node and that of the invoice.
    pub(crate) fn charge_paid(&self, charge: &Charge, outbox: &mut Outbox, now: UnixMillis) {
        let own = charge.extras.as_ref().and_then(|extras| extras.webhook_url.as_deref());
        // The URL was checked when the invoice was created.
        let own = own.and_then(|url| Webhook::to(url).ok()).map(Arc::new);
        let event = PaymentReceived::new(charge, now);
        let message = event.to_webhook(&self.webhook_secret);
        // An error means that no websocket is open. Events are not kept for later ones.
        #[cfg(feature = "server")]
        let _ = self.events.send(event.into_websocket().into());
        for webhook in self.webhooks.iter().chain(&own) {
            outbox.deliver(webhook, charge.id.as_str(), &message, now);
        }
    }
}
