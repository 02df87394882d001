//! The `Endpoint` type: the base URL, credential, dialect and network of an account, and the checks
//! for its responses.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use crate::errors::{Error, ErrorKind, Mismatch};
use crate::protocol::base_url::is_loopback;
use crate::protocol::dialects::{Dialect, Options, Properties, Strike};
use crate::protocol::{ApiKey, EndpointBuilder};
use crate::redaction::secrets::Secrets;
use crate::redaction::text;
use crate::transport::{HttpRequest, TransportError};
use crate::values::{InvalidInput, Network, Satoshi};
use crate::webhook::{InvalidWebhook, MAX_BODY, Notification};

/// A server and an account there: base URL, credential, backend, bitcoin network and checks.
///
/// | backend | constructor |
/// | --- | --- |
/// | phoenixd, ACINQ's node | [`Endpoint::phoenixd`] |
/// | LNbits | [`Endpoint::lnbits`] |
/// | a server that is compatible with the Strike API | [`Endpoint::new`] |
///
/// Everything else is the same for all backends. Cloning is cheap. `Debug` shows the base URL but not the key.
///
/// ```
/// use strike_core::{ApiKey, Endpoint, Network};
///
/// let endpoint = Endpoint::new("https://pay.example.com/api/v1/", ApiKey::new("sk_demo")?, Network::Bitcoin)?;
/// assert_eq!(endpoint.base_url(), "https://pay.example.com/api/v1/");
/// // Plain http would expose the key, so it is accepted only for this machine.
/// assert!(Endpoint::new("http://pay.example.com/", ApiKey::new("sk_demo")?, Network::Bitcoin).is_err());
/// assert!(Endpoint::new("http://127.0.0.1:8420/", ApiKey::new("sk_demo")?, Network::Testnet).is_ok());
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Endpoint(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) path: String,
    pub(super) dialect: &'static dyn Dialect,
    /// The headers of requests without and with a body.
    pub(super) headers: HeaderMap,
    pub(super) create_headers: HeaderMap,
    pub(super) create_uri: Uri,
    pub(super) secrets: Secrets,
    pub(super) network: Network,
    pub(super) max_amount: Option<Satoshi>,
    pub(super) check_invoices: bool,
    pub(super) options: Options,
}

impl Endpoint {
    /// Creates an endpoint with the default rules. [`builder`](Self::builder) can change them:
    ///
    /// - `https` is required, unless the host is this machine.
    /// - A charge has at most 4 294 967 satoshi.
    /// - The invoice of a new charge is compared with the order.
    ///
    /// Requests go below the path of `base_url`. A slash at its end makes no difference, and
    /// repeated slashes count as one.
    ///
    /// # Errors
    /// Returns [`InvalidInput`] if the URL
    ///
    /// - does not start with `https://` or `http://`, or has no host,
    /// - has user information, a query, a fragment, or `.` or `..` segments,
    /// - uses plain `http` and the host is not this machine.
    pub fn new(base_url: &str, key: ApiKey, network: Network) -> Result<Self, InvalidInput> {
        Self::builder(base_url, key, network).build()
    }

    /// Creates an endpoint from variables, which `read` returns by name.
    ///
    /// | variable | value |
    /// | --- | --- |
    /// | `STRIKE_BACKEND` | `strike` (the default), `phoenixd` or `lnbits` |
    /// | `STRIKE_BASE_URL` | the base URL, such as `https://pay.example.com/api/v1/` |
    /// | `STRIKE_API_KEY` | the API key of the account, phoenixd's limited password, or LNbits' invoice key |
    /// | `STRIKE_NETWORK` | `bitcoin`, `testnet`, `signet` or `regtest` |
    /// | `STRIKE_WEBHOOK_URL` | optional: see [`EndpointBuilder::webhook_url`] |
    /// | `STRIKE_WEBHOOK_SECRET` | optional: see [`EndpointBuilder::webhook_secret`] |
    ///
    /// `Client::from_env()` of the adapters reads them from the environment.
    ///
    /// ```
    /// use strike_core::Endpoint;
    ///
    /// let error = Endpoint::from_variables(|_| None).unwrap_err();
    /// assert_eq!(error.to_string(), "STRIKE_BASE_URL must be set");
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`] names the variable that is missing or not valid. It does not contain the
    /// value.
    pub fn from_variables(
        mut read: impl FnMut(&'static str) -> Option<OsString>,
    ) -> Result<Self, InvalidInput> {
        let mut optional = |name| {
            let text = |value: OsString| value.into_string().map_err(|_| InvalidInput::new(name, "UTF-8"));
            read(name).map(text).transpose()
        };
        let wrong = |name| move |input: InvalidInput| InvalidInput::new(name, input.rule().to_owned());
        let backend = optional("STRIKE_BACKEND")?;
        let webhook_url = optional("STRIKE_WEBHOOK_URL")?;
        let webhook_secret = optional("STRIKE_WEBHOOK_SECRET")?;
        let mut required = |name| optional(name)?.ok_or_else(|| InvalidInput::new(name, "set"));
        let base_url = required("STRIKE_BASE_URL")?;
        let key = required("STRIKE_API_KEY")?;
        let key_is_wrong = wrong("STRIKE_API_KEY");
        let network = required("STRIKE_NETWORK")?.parse().map_err(wrong("STRIKE_NETWORK"))?;
        let mut builder = match backend.as_deref() {
            None | Some("strike") => Self::builder(&base_url, key.parse().map_err(key_is_wrong)?, network),
            Some("phoenixd") => {
                EndpointBuilder::phoenixd(&base_url, key.parse().map_err(key_is_wrong)?, network)
            }
            Some("lnbits") => EndpointBuilder::lnbits(&base_url, key.parse().map_err(key_is_wrong)?, network),
            Some(_) => return Err(InvalidInput::new("STRIKE_BACKEND", "`strike`, `phoenixd` or `lnbits`")),
        };
        if let Some(url) = webhook_url {
            builder = builder.webhook_url(url);
        }
        if let Some(secret) = webhook_secret {
            builder = builder.webhook_secret(secret.parse().map_err(wrong("STRIKE_WEBHOOK_SECRET"))?);
        }
        builder.build().map_err(|input| match input.field() {
            "network" => wrong("STRIKE_NETWORK")(input),
            "webhook_url" => wrong("STRIKE_WEBHOOK_URL")(input),
            _ => wrong("STRIKE_BASE_URL")(input),
        })
    }

    /// Starts building an endpoint with rules of your own.
    ///
    /// ```
    /// use strike_core::{ApiKey, Endpoint, Network, Satoshi};
    ///
    /// let endpoint = Endpoint::builder("https://pay.example.com/", ApiKey::new("sk_demo")?, Network::Bitcoin)
    ///     .max_amount(Some(Satoshi::new(100_000)))
    ///     .build()?;
    /// assert_eq!(endpoint.max_amount(), Some(Satoshi::new(100_000)));
    /// # Ok::<(), strike_core::Error>(())
    /// ```
    pub fn builder(base_url: &str, key: ApiKey, network: Network) -> EndpointBuilder {
        EndpointBuilder::new(base_url, &Strike, key.into_secret(), network)
    }

    /// Creates an endpoint for ACINQ's closed service on the main network:
    /// <https://api.strike.acinq.co/api/v1/>.
    ///
    /// ACINQ closed the service in 2021, and its host name no longer resolves. This constructor
    /// helps programs that migrate. Replace it by [`new`](Self::new) with a compatible server, or
    /// use the sandbox.
    ///
    /// # Errors
    /// It never fails in practice.
    pub fn acinq_mainnet(key: ApiKey) -> Result<Self, InvalidInput> {
        Self::new("https://api.strike.acinq.co/api/v1/", key, Network::Bitcoin)
    }

    /// Creates an endpoint for ACINQ's closed service on the test network:
    /// <https://api.dev.strike.acinq.co/api/v1/>.
    ///
    /// See [`acinq_mainnet`](Self::acinq_mainnet).
    ///
    /// # Errors
    /// It never fails in practice.
    pub fn acinq_testnet(key: ApiKey) -> Result<Self, InvalidInput> {
        Self::new("https://api.dev.strike.acinq.co/api/v1/", key, Network::Testnet)
    }

    /// Returns the normalized base URL. It ends in a slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}://{}{}/", self.0.scheme, self.0.authority, self.0.path)
    }

    /// Returns the network that invoices must be for.
    #[must_use]
    pub fn network(&self) -> Network {
        self.0.network
    }

    /// Returns the largest amount of a charge, or `None` if the client sets no limit.
    #[must_use]
    pub fn max_amount(&self) -> Option<Satoshi> {
        self.0.max_amount
    }

    /// Returns true if the invoice of a new charge is compared with the order.
    #[must_use]
    pub fn checks_invoices(&self) -> bool {
        self.0.check_invoices
    }

    /// Returns true if the host is this machine: 127.0.0.0/8, `::1` or `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.0.authority.host())
    }

    /// Returns true if the host is one of ACINQ's, which closed in 2021.
    pub(crate) fn is_closed_service(&self) -> bool {
        // A fully qualified name may end in a dot.
        let host = self.0.authority.host().to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        host == "acinq.co" || host.ends_with(".acinq.co")
    }

    /// Returns the start of a text for logs and errors.
    ///
    /// A text that repeats the key or may contain a preimage is replaced by the reason for
    /// withholding it.
    pub(crate) fn fit_for_log(&self, text: &str) -> String {
        self.0.secrets.withheld(text::shorten(text))
    }

    /// Returns the error of an operation that got no response.
    ///
    /// If a source of the transport's error repeats the key, all its sources are replaced by a
    /// note.
    pub(crate) fn no_answer(&self, operation: impl Into<String>, error: TransportError) -> Error {
        /// Longer source chains are withheld, because checking them could take forever.
        const MAX_SOURCES: usize = 20;
        let mut source = std::error::Error::source(&error);
        let mut depth = 0;
        while let Some(cause) = source {
            depth += 1;
            let words = format!("{cause}\n{cause:?}");
            if depth > MAX_SOURCES || self.0.secrets.are_in(words.as_bytes()) {
                let bare = TransportError::new(error.kind(), error.delivery());
                return Error::no_response(operation, bare.with_source(text::REPEATS_THE_KEY));
            }
            source = cause.source();
        }
        Error::no_response(operation, error)
    }

    /// Returns the error for a response that does not match the request.
    ///
    /// The server's value could repeat the key or be very long. The caller could have put the key
    /// into the wrong field. So both values are redacted.
    pub(crate) fn mismatch(&self, operation: impl Into<String>, mismatch: Mismatch) -> Error {
        let mismatch = mismatch
            .reworded(|expected| self.0.secrets.withheld(expected.into()), |found| self.fit_for_log(found));
        Error::new(operation, ErrorKind::Mismatch(mismatch))
    }

    /// Returns the dialect of the backend.
    pub(super) fn dialect(&self) -> &'static dyn Dialect {
        self.0.dialect
    }

    /// Returns what the machines need to know about the backend.
    pub(crate) fn properties(&self) -> Properties {
        self.0.dialect.properties()
    }

    /// Returns the settings for the dialect.
    pub(super) fn options(&self) -> &Options {
        &self.0.options
    }

    /// Reads a webhook of this backend. Pass all headers and the bytes of the body as they arrived.
    ///
    /// | backend | what is verified |
    /// | --- | --- |
    /// | phoenixd | the signature, with [`EndpointBuilder::webhook_secret`], before anything is parsed |
    /// | LNbits, Strike | nothing: the webhook has no signature, and anyone can send one |
    ///
    /// A webhook is only a hint, even with a signature: it may be replayed. Confirm it with a read
    /// of the charge; see [`webhook`](crate::webhook).
    ///
    /// ```
    /// use strike_core::{ApiKey, Endpoint, Network, http::HeaderMap};
    ///
    /// let endpoint = Endpoint::lnbits("https://wallet.example.com", ApiKey::new("key")?, Network::Bitcoin)?;
    /// let body = format!(r#""{{\"payment_hash\":\"{}\"}}""#, "ab".repeat(32));
    /// let notification = endpoint.read_webhook(&HeaderMap::new(), body.as_bytes())?;
    /// assert_eq!(notification.id().as_str(), "ab".repeat(32));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidWebhook`] says what is wrong. A body above [`MAX_BODY`](crate::webhook::MAX_BODY)
    /// is rejected without being parsed.
    pub fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notification, InvalidWebhook> {
        if body.len() > MAX_BODY {
            return Err(InvalidWebhook::TooLarge);
        }
        self.dialect().webhook(headers, body, self.options()).map(Notification::new)
    }

    /// Returns the path of the base URL, without a slash at its end.
    pub(super) fn base_path(&self) -> &str {
        &self.0.path
    }

    /// Creates a request without a body.
    pub(super) fn request(&self, method: Method, path: String) -> Result<HttpRequest, Error> {
        let inner = &*self.0;
        let headers = if method == Method::GET { &inner.headers } else { &inner.create_headers };
        let uri = uri(inner.scheme.clone(), inner.authority.clone(), path)?;
        Ok(request(method, uri, headers.clone(), Vec::new()))
    }

    /// Creates the request that creates a charge.
    pub(super) fn create_request(&self, body: String) -> HttpRequest {
        let inner = &*self.0;
        request(Method::POST, inner.create_uri.clone(), inner.create_headers.clone(), body.into_bytes())
    }
}

/// Returns a URI of these parts.
pub(super) fn uri(scheme: Scheme, authority: Authority, path: String) -> Result<Uri, InvalidInput> {
    let unusable = || InvalidInput::new("path", "usable in a URL");
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(scheme);
    parts.authority = Some(authority);
    parts.path_and_query = Some(PathAndQuery::try_from(path).map_err(|_| unusable())?);
    Uri::from_parts(parts).map_err(|_| unusable())
}

fn request(method: Method, uri: Uri, headers: HeaderMap, body: Vec<u8>) -> HttpRequest {
    let mut request = HttpRequest::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

/// Returns the headers of each request. A clone of them is cheaper than inserting them one by one.
pub(super) fn headers((name, value): (HeaderName, HeaderValue)) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(name, value);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers
}

const USER_AGENT: &str = concat!("strike-rust/", env!("CARGO_PKG_VERSION"));

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("base_url", &self.base_url())
            .field("backend", &self.0.dialect)
            .field("network", &self.0.network)
            .field("key", &"redacted")
            .finish_non_exhaustive()
    }
}
