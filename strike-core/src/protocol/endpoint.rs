//! The `Endpoint` type: the base URL, API key and network of an account, and the checks for its
//! responses.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Uri, header};

use crate::errors::{Error, ErrorKind, Mismatch};
use crate::protocol::api_key::ApiKey;
use crate::protocol::base_url::{is_loopback, split};
use crate::redaction::secrets::Secrets;
use crate::redaction::text;
use crate::transport::{HttpRequest, TransportError};
use crate::values::{InvalidInput, Network, Satoshi};

/// The largest amount that the service accepted, in satoshi.
pub(crate) const SERVICE_MAX_SATOSHI: u64 = 4_294_967;

/// A Strike-compatible server and an account there: base URL, API key, bitcoin network and checks.
///
/// Cloning is cheap. `Debug` shows the base URL but not the key.
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
pub struct Endpoint(Arc<Inner>);

struct Inner {
    scheme: Scheme,
    authority: Authority,
    path: String,
    authorization: HeaderValue,
    secrets: Secrets,
    network: Network,
    max_amount: Option<Satoshi>,
    check_invoices: bool,
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

    /// Creates an endpoint from three variables, which `read` returns by name.
    ///
    /// | variable | value |
    /// | --- | --- |
    /// | `STRIKE_BASE_URL` | the base URL, such as `https://pay.example.com/api/v1/` |
    /// | `STRIKE_API_KEY` | the API key of the account |
    /// | `STRIKE_NETWORK` | `bitcoin`, `testnet`, `signet` or `regtest` |
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
        let mut variable = |name| {
            let value = read(name).ok_or_else(|| InvalidInput::new(name, "set"))?;
            value.into_string().map_err(|_| InvalidInput::new(name, "UTF-8"))
        };
        let wrong = |name| move |input: InvalidInput| InvalidInput::new(name, input.rule().to_owned());
        let base_url = variable("STRIKE_BASE_URL")?;
        let key = variable("STRIKE_API_KEY")?.parse().map_err(wrong("STRIKE_API_KEY"))?;
        let network = variable("STRIKE_NETWORK")?.parse().map_err(wrong("STRIKE_NETWORK"))?;
        Self::new(&base_url, key, network).map_err(wrong("STRIKE_BASE_URL"))
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
        EndpointBuilder {
            base_url: base_url.to_string(),
            key,
            network,
            plain_http: false,
            max_amount: Some(Satoshi::new(SERVICE_MAX_SATOSHI)),
            check_invoices: true,
        }
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

    /// Creates a request below the base path. `tail` starts with a slash and must be validated by
    /// the caller.
    pub(crate) fn request(&self, method: Method, tail: &str, body: Vec<u8>) -> Result<HttpRequest, Error> {
        let inner = &*self.0;
        let unusable = |_| InvalidInput::new("path", "usable in a URL");
        let mut target = String::with_capacity(inner.path.len() + tail.len());
        target.push_str(&inner.path);
        target.push_str(tail);
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(inner.scheme.clone());
        parts.authority = Some(inner.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(target).map_err(unusable)?);

        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::AUTHORIZATION, inner.authorization.clone());
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let mut request = HttpRequest::new(body);
        *request.method_mut() = method;
        *request.uri_mut() =
            Uri::from_parts(parts).map_err(|_| InvalidInput::new("path", "usable in a URL"))?;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

const USER_AGENT: &str = concat!("strike-rust/", env!("CARGO_PKG_VERSION"));

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("base_url", &self.base_url())
            .field("network", &self.0.network)
            .field("key", &"redacted")
            .finish_non_exhaustive()
    }
}

/// Builds an [`Endpoint`] with rules of your own. [`Endpoint::builder`] returns it.
#[derive(Debug, Clone)]
#[must_use]
pub struct EndpointBuilder {
    base_url: String,
    key: ApiKey,
    network: Network,
    plain_http: bool,
    max_amount: Option<Satoshi>,
    check_invoices: bool,
}

impl EndpointBuilder {
    /// Permits plain `http` to other machines.
    ///
    /// The key is then sent unencrypted, and anyone on the path can read it. Use it only on a
    /// network that you trust.
    pub const fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Sets the largest amount of a charge. `None` leaves the limit to the server.
    ///
    /// The default is 4 294 967 satoshi, the limit of the service. [`build`](Self::build) rejects
    /// zero and amounts above [`Satoshi::MAX`].
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
    /// Returns [`InvalidInput`] for the URLs that [`Endpoint::new`] rejects, and for a
    /// [`max_amount`](Self::max_amount) that is zero or above [`Satoshi::MAX`].
    pub fn build(self) -> Result<Endpoint, InvalidInput> {
        let (scheme, authority, path) = split(&self.base_url, self.plain_http)?;
        let authorization = self.key.authorization()?;
        if let Some(most) = self.max_amount
            && !(1..=Satoshi::MAX.get()).contains(&most.get())
        {
            let rule = format!("1 to {}", Satoshi::MAX);
            return Err(InvalidInput::new("max_amount", rule).found(most.get()));
        }
        Ok(Endpoint(Arc::new(Inner {
            scheme,
            authority,
            path,
            secrets: Secrets::of(&authorization),
            authorization,
            network: self.network,
            max_amount: self.max_amount,
            check_invoices: self.check_invoices,
        })))
    }
}
