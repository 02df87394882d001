//! The methods of the sandbox and its builder for the phoenixd API.

use strike_core::{Endpoint, EndpointBuilder, InvalidInput, Password, WebhookSecret};

use super::Phoenixd;
use crate::builder::SandboxBuilder;
use crate::sandbox::Sandbox;

impl SandboxBuilder {
    /// Sets the passwords, webhooks and figures of the phoenixd API. Default: [`Phoenixd::new`].
    ///
    /// A second call replaces the first settings. A data file does not store them: with passwords of
    /// your own, set them at each start.
    pub fn phoenixd(mut self, settings: Phoenixd) -> Self {
        self.phoenixd = settings;
        self
    }
}

impl Sandbox {
    /// Returns the base URL of the phoenixd API, without a trailing slash.
    ///
    /// It has the scheme, the host and the port of [`base_url`](Self::base_url), and no path.
    #[must_use]
    pub fn phoenixd_url(&self) -> &str {
        self.base_url().trim_end_matches("/api/v1/")
    }

    /// Returns the endpoint for a client that speaks phoenixd's dialect, with the limited password
    /// and the webhook secret.
    ///
    /// ```
    /// use strike_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::new();
    /// let endpoint = sandbox.phoenixd_endpoint()?;
    /// assert_eq!(endpoint.base_url(), "http://127.0.0.1/");
    /// # Ok::<(), strike_core::InvalidInput>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`] if a client would reject the settings: phoenixd has no signet or regtest,
    /// the password or the secret is not valid, or the server listens with plain HTTP on an address
    /// that is not a loopback address.
    pub fn phoenixd_endpoint(&self) -> Result<Endpoint, InvalidInput> {
        let password = Password::new(self.phoenixd_password())?;
        let secret = WebhookSecret::new(self.phoenixd_webhook_secret())?;
        EndpointBuilder::phoenixd(self.phoenixd_url(), password, self.network())
            .webhook_secret(secret)
            .build()
    }

    /// Returns the password of the phoenixd API that allows receiving only. Give it to clients.
    #[must_use]
    pub fn phoenixd_password(&self) -> String {
        self.service().phoenixd().limited_password().to_owned()
    }

    /// Returns the password of the phoenixd API that allows everything.
    ///
    /// The sandbox never sends a payment. The password is for tests that expect a client to reject
    /// it.
    #[must_use]
    pub fn phoenixd_full_password(&self) -> String {
        self.service().phoenixd().full_password().to_owned()
    }

    /// Returns the events of payments from now on, for websockets.
    #[cfg(feature = "server")]
    pub(crate) fn payment_events(&self) -> tokio::sync::broadcast::Receiver<std::sync::Arc<str>> {
        self.service().phoenixd().events()
    }

    /// Returns the key of the signatures in phoenixd's webhooks.
    ///
    /// The bytes of this text are the key. It is not decoded, although it is hex by default.
    #[must_use]
    pub fn phoenixd_webhook_secret(&self) -> String {
        self.service().phoenixd().webhook_secret().to_owned()
    }
}
