//! Builds an endpoint with rules of your own.

use std::sync::Arc;

use http::{HeaderValue, Uri, header};

use crate::protocol::base_url::split;
use crate::protocol::dialects::{Dialect, Options};
use crate::protocol::endpoint::{self, Inner};
use crate::protocol::secret::Secret;
use crate::protocol::{Endpoint, WebhookSecret};
use crate::redaction::secrets::Secrets;
use crate::values::{InvalidInput, Network, Satoshi};

/// The largest amount that the Strike service accepted, in satoshi.
const SERVICE_MAX_SATOSHI: u64 = 4_294_967;

/// Builds an [`Endpoint`] with rules of your own. [`Endpoint::builder`] returns it for the Strike API;
/// [`phoenixd`](Self::phoenixd) and [`lnbits`](Self::lnbits) return it for the other backends.
#[derive(Debug, Clone)]
#[must_use]
pub struct EndpointBuilder {
    base_url: String,
    dialect: &'static dyn Dialect,
    secret: Secret,
    network: Network,
    plain_http: bool,
    path: bool,
    max_amount: Option<Satoshi>,
    check_invoices: bool,
    pub(super) options: Options,
}

impl EndpointBuilder {
    pub(super) fn new(
        base_url: &str,
        dialect: &'static dyn Dialect,
        secret: Secret,
        network: Network,
    ) -> Self {
        Self {
            base_url: base_url.to_owned(),
            dialect,
            secret,
            network,
            plain_http: false,
            path: dialect.properties().has_base_path,
            max_amount: Some(Satoshi::new(SERVICE_MAX_SATOSHI)),
            check_invoices: true,
            options: Options::default(),
        }
    }

    /// Permits plain `http` to other machines.
    ///
    /// The key is then sent unencrypted, and anyone on the path can read it. Use it only on a
    /// network that you trust.
    pub const fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Permits a base URL with a path for phoenixd and LNbits, which have none of their own.
    ///
    /// Use it for a reverse proxy that serves the backend below a path.
    pub const fn allow_path(mut self) -> Self {
        self.path = true;
        self
    }

    /// Asks the backend to send a webhook to this URL when a charge is paid.
    ///
    /// LNbits and phoenixd take it with each create. LNbits has no other setting for it. phoenixd
    /// also sends webhooks to the URLs of its configuration. [`build`](Self::build) rejects it for
    /// the Strike API, where it is a setting of the account.
    pub fn webhook_url(mut self, url: impl Into<String>) -> Self {
        self.options.webhook_url = Some(url.into());
        self
    }

    /// Sets the secret that verifies phoenixd's webhooks; see [`Endpoint::read_webhook`].
    pub fn webhook_secret(mut self, secret: WebhookSecret) -> Self {
        self.options.webhook_secret = Some(secret);
        self
    }

    /// Sets the largest amount of a charge. `None` leaves the limit to the server.
    ///
    /// The default for the Strike API is 4 294 967 satoshi, the limit of the service. The other
    /// backends have no default. [`build`](Self::build) rejects zero and amounts above
    /// [`Satoshi::MAX`].
    pub const fn max_amount(mut self, most: Option<Satoshi>) -> Self {
        self.max_amount = most;
        self
    }

    /// Sets whether the invoice of a new charge must match the order. The default is `true`.
    ///
    /// `false` is for mock servers that invent their invoices. Nothing then checks the invoice that
    /// the payer sees.
    pub const fn check_invoices(mut self, check: bool) -> Self {
        self.check_invoices = check;
        self
    }

    /// Builds the endpoint.
    ///
    /// # Errors
    /// Returns [`InvalidInput`] for
    ///
    /// - the URLs that [`Endpoint::new`] rejects
    /// - a path in the URL of phoenixd or LNbits, unless [`allow_path`](Self::allow_path) permits it
    /// - a network that the backend does not have
    /// - a [`webhook_url`](Self::webhook_url) that is not an `http` or `https` URL with a host, or that
    ///   the backend does not take
    /// - a [`max_amount`](Self::max_amount) that is zero or above [`Satoshi::MAX`].
    pub fn build(self) -> Result<Endpoint, InvalidInput> {
        let (scheme, authority, path) = split(&self.base_url, self.plain_http)?;
        if !self.path && !path.is_empty() {
            let rule = "the server's address without a path; `EndpointBuilder::allow_path` permits one";
            return Err(InvalidInput::new("base URL", rule));
        }
        self.dialect.check_setup(self.network, &self.options)?;
        if let Some(url) = &self.options.webhook_url {
            check_webhook_url(url)?;
        }
        if let Some(most) = self.max_amount
            && !(1..=Satoshi::MAX.get()).contains(&most.get())
        {
            let rule = format!("1 to {}", Satoshi::MAX);
            return Err(InvalidInput::new("max_amount", rule).found(most.get()));
        }
        let (name, value) = self.dialect.credential(self.secret.as_str());
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| InvalidInput::new("credential", "usable in a header"))?;
        value.set_sensitive(true);
        let headers = endpoint::headers((name, value));
        let (create_path, content_type) = self.dialect.create_target();
        let mut create_headers = headers.clone();
        create_headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let webhook_secret = self.options.webhook_secret.as_ref().map_or("", WebhookSecret::as_str);
        Ok(Endpoint(Arc::new(Inner {
            create_uri: endpoint::uri(scheme.clone(), authority.clone(), format!("{path}{create_path}"))?,
            scheme,
            authority,
            path,
            dialect: self.dialect,
            secrets: Secrets::of(&[self.secret.as_str(), webhook_secret]),
            headers,
            create_headers,
            network: self.network,
            max_amount: self.max_amount,
            check_invoices: self.check_invoices,
            options: self.options,
        })))
    }
}

/// Rejects a URL that a backend would reject after it had created the invoice.
fn check_webhook_url(url: &str) -> Result<(), InvalidInput> {
    let rule = "an `http://` or `https://` URL with a host, in at most 512 visible ASCII characters";
    let wrong = || InvalidInput::new("webhook_url", rule);
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    let is_visible = url.len() <= 512 && url.bytes().all(|byte| byte.is_ascii_graphic());
    if is_http && has_host && is_visible { Ok(()) } else { Err(wrong()) }
}
