//! [`Phoenixd`]: the settings of the phoenixd API.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "server")]
use std::time::Duration;

use strike_core::Satoshi;

use super::Account;
use crate::node::NodeKey;
use crate::webhooks::Webhook;

/// The settings of the phoenixd API that every sandbox has beside the API of the service.
///
/// The defaults are those of a node whose payments cost nothing. The passwords and the webhook
/// secret are 64 hex digits, derived from the node's key. They are the same in every run with the
/// same [seed](crate::SandboxBuilder::seed) or data file.
///
/// ```
/// use strike_core::Satoshi;
/// use strike_sandbox::{Phoenixd, Sandbox, Webhook};
///
/// let settings = Phoenixd::new()
///     .limited_password("limited")
///     .webhook(Webhook::to("http://127.0.0.1:3000/phoenixd")?)
///     .fee_millisatoshi(4_000)
///     .fee_credit(Satoshi::new(1_500));
/// let sandbox = Sandbox::builder().phoenixd(settings).build();
/// assert_eq!(sandbox.phoenixd_password(), "limited");
/// assert_eq!(sandbox.phoenixd_full_password().len(), 64);
/// assert_eq!(sandbox.phoenixd_url(), "http://127.0.0.1");
/// # Ok::<(), strike_core::InvalidInput>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Phoenixd {
    full_password: Option<String>,
    limited_password: Option<String>,
    webhook_secret: Option<String>,
    webhooks: Vec<Arc<Webhook>>,
    /// In millisatoshi.
    fee: u64,
    /// In satoshi.
    fee_credit: u64,
    #[cfg(feature = "server")]
    pub(crate) opens_after: Duration,
}

impl Phoenixd {
    /// Creates the default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the password for everything: phoenixd's `http-password`.
    pub fn full_password(mut self, password: impl Into<String>) -> Self {
        self.full_password = Some(password.into());
        self
    }

    /// Sets the password for receiving payments: phoenixd's `http-password-limited-access`.
    pub fn limited_password(mut self, password: impl Into<String>) -> Self {
        self.limited_password = Some(password.into());
        self
    }

    /// Sets the key of the webhooks' signatures: phoenixd's `webhook-secret`.
    ///
    /// The bytes of this text are the key, even if it looks like hex.
    pub fn webhook_secret(mut self, secret: impl Into<String>) -> Self {
        self.webhook_secret = Some(secret.into());
        self
    }

    /// Adds a webhook in phoenixd's format, for every payment. Each call adds another.
    ///
    /// phoenixd sends each webhook once, whatever the response. The options of [`Webhook`] change
    /// that. An invoice may also have a webhook of its own, in `webhookUrl`.
    pub fn webhook(mut self, webhook: Webhook) -> Self {
        self.webhooks.push(Arc::new(webhook));
        self
    }

    /// Sets what the node charges for receiving a payment, in millisatoshi. Default: 0.
    ///
    /// The fee is subtracted from the amount received, which may become negative. The payment
    /// counts as paid nevertheless.
    pub const fn fee_millisatoshi(mut self, fee: u64) -> Self {
        self.fee = fee;
        self
    }

    /// Sets the fee credit that `getbalance` shows. Default: 0.
    pub const fn fee_credit(mut self, credit: Satoshi) -> Self {
        self.fee_credit = credit.get();
        self
    }

    /// Keeps the port closed until this long after the start, by the sandbox's clock. Default: 0.
    ///
    /// phoenixd opens its port only once it is connected. Until then, connections are refused. This
    /// applies to the whole port of a running sandbox, not only to the phoenixd API.
    #[cfg(feature = "server")]
    pub const fn opens_after(mut self, delay: Duration) -> Self {
        self.opens_after = delay;
        self
    }

    /// Fills in the passwords and the secret that were not set.
    pub(crate) fn account(self, node_key: NodeKey) -> Account {
        let or_derived = |text: Option<String>, name| text.unwrap_or_else(|| node_key.derive(name));
        Account::new(
            or_derived(self.full_password, "http-password"),
            or_derived(self.limited_password, "http-password-limited-access"),
            or_derived(self.webhook_secret, "webhook-secret"),
            self.webhooks,
            self.fee,
            self.fee_credit,
        )
    }
}

impl fmt::Debug for Phoenixd {
    /// Omits the passwords and the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phoenixd")
            .field("webhooks", &self.webhooks)
            .field("fee", &self.fee)
            .field("fee_credit", &self.fee_credit)
            .finish_non_exhaustive()
    }
}
