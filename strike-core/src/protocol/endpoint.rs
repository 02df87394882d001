//! Where a charge lives: a host, the key that opens it, and the network its invoices are for.

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

/// A Strike-compatible host, an account there, and how far it is trusted.
///
/// Cloning is cheap. `Debug` shows the host but not the key.
///
/// ```
/// use strike_core::{ApiKey, Endpoint, Network};
///
/// let endpoint = Endpoint::new("https://pay.example.com/api/v1/", ApiKey::new("sk_demo")?, Network::Bitcoin)?;
/// assert_eq!(endpoint.base_url(), "https://pay.example.com/api/v1/");
/// // A key does not travel in the clear, except on this machine or on purpose.
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
    /// A host with the rules that suit the service: https unless it is this machine, amounts up to
    /// 4 294 967 satoshi, invoices checked. [`builder`](Self::builder) can change them.
    ///
    /// The path of `base_url` is kept, whether it ends in a slash or not, and doubled slashes are made one.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a URL without `http://` or `https://`,
    /// without a host, with user information, a query, a fragment or dot segments, or with plain http to another machine.
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
    /// [`InvalidInput`] names the variable that is missing or not valid. It does not contain the value.
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

    /// The same, with rules that can be changed before it is built.
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

    /// Where the hosted service's main network was until 2021: <https://api.strike.acinq.co/api/v1/>.
    ///
    /// ACINQ has closed it, and its name does not resolve. This is for programs that move: name a compatible
    /// host with [`new`](Self::new), or start the sandbox.
    ///
    /// # Errors
    /// None in practice.
    pub fn acinq_mainnet(key: ApiKey) -> Result<Self, InvalidInput> {
        Self::new("https://api.strike.acinq.co/api/v1/", key, Network::Bitcoin)
    }

    /// Where the hosted service's test network was until 2021: <https://api.dev.strike.acinq.co/api/v1/>.
    ///
    /// ACINQ has closed it, as [`acinq_mainnet`](Self::acinq_mainnet) says.
    ///
    /// # Errors
    /// None in practice.
    pub fn acinq_testnet(key: ApiKey) -> Result<Self, InvalidInput> {
        Self::new("https://api.dev.strike.acinq.co/api/v1/", key, Network::Testnet)
    }

    /// The base URL, as it is used: it ends in a slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}://{}{}/", self.0.scheme, self.0.authority, self.0.path)
    }

    /// The network that its invoices must be for.
    #[must_use]
    pub fn network(&self) -> Network {
        self.0.network
    }

    /// The most that a charge may ask for; `None` if only the host itself limits it.
    #[must_use]
    pub fn max_amount(&self) -> Option<Satoshi> {
        self.0.max_amount
    }

    /// Whether the invoice of a new charge is compared with the order.
    #[must_use]
    pub fn checks_invoices(&self) -> bool {
        self.0.check_invoices
    }

    /// Whether the host is this machine: 127.0.0.0/8, ::1 or localhost.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.0.authority.host())
    }

    /// Whether this is one of ACINQ's hosts, which closed in 2021.
    pub(crate) fn is_closed_service(&self) -> bool {
        // A dot at the end says that the name is whole.
        let host = self.0.authority.host().to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        host == "acinq.co" || host.ends_with(".acinq.co")
    }

    /// The beginning of a text, fit for a log, or a word on why it is withheld: it repeats the key, or may hold a preimage.
    pub(crate) fn fit_for_log(&self, text: &str) -> String {
        self.0.secrets.withheld(text::shorten(text))
    }

    /// No answer came. Of the error below only what does not repeat the key is kept.
    pub(crate) fn no_answer(&self, asked: impl Into<String>, error: TransportError) -> Error {
        /// More errors below each other than these are withheld.
        const DEEPEST: usize = 20;
        let mut below = std::error::Error::source(&error);
        let mut depth = 0;
        while let Some(cause) = below {
            depth += 1;
            let words = format!("{cause}\n{cause:?}");
            if depth > DEEPEST || self.0.secrets.are_in(words.as_bytes()) {
                let bare = TransportError::new(error.kind(), error.delivery());
                return Error::no_response(asked, bare.with_source(text::REPEATS_THE_KEY));
            }
            below = cause.source();
        }
        Error::no_response(asked, error)
    }

    /// A mismatch, fit for a log: it holds the server's words, which could repeat the key or be endless, and the caller's,
    /// who could have mixed up a field.
    pub(crate) fn mismatch(&self, asked: impl Into<String>, mismatch: Mismatch) -> Error {
        let mismatch =
            mismatch.reworded(|mine| self.0.secrets.withheld(mine.into()), |found| self.fit_for_log(found));
        Error::new(asked, ErrorKind::Mismatch(mismatch))
    }

    /// Starts a request below the base path. `tail` begins with a slash and holds only what was checked.
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

/// An [`Endpoint`] in the making, with rules that can be changed.
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
    /// Lets the key travel in the clear, to whoever listens on the way. Only for a network that is trusted whole.
    pub const fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// The most that a charge may ask for, in satoshi; `None` leaves that to the host. 4 294 967 unless set,
    /// which was the service's limit. [`build`](Self::build) refuses zero, and what is above [`Satoshi::MAX`].
    pub const fn max_amount(mut self, most: Option<Satoshi>) -> Self {
        self.max_amount = most;
        self
    }

    /// Whether the invoice of a new charge must say what the order says; true unless set.
    ///
    /// `false` is for mocks that invent their invoices: what a payer is shown is then not checked at all.
    pub const fn check_invoices(mut self, check: bool) -> Self {
        self.check_invoices = check;
        self
    }

    /// The endpoint.
    ///
    /// # Errors
    /// As [`Endpoint::new`] says, or for a largest amount that is none.
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
