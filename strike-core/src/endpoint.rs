//! Where a charge lives: a host, the key that opens it, and the network its invoices are for.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Uri, header};

use crate::error::{Error, ErrorKind, Mismatch};
use crate::input::InvalidInput;
use crate::machine::HttpRequest;
use crate::secrets::Secrets;
use crate::text;
use crate::transport::TransportError;
use crate::types::Satoshi;

/// The largest amount that the service accepted, in satoshi.
pub(crate) const SERVICE_MAX_SATOSHI: u64 = 4_294_967;

/// The bitcoin network that an endpoint's invoices are for.
///
/// ```
/// use strike_core::Network;
///
/// assert_eq!("testnet".parse(), Ok(Network::Testnet));
/// assert_eq!(Network::Bitcoin.invoice_prefix(), "lnbc");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "these are the networks of BOLT11, and a backend must answer each"
)]
pub enum Network {
    /// The main network: real money.
    Bitcoin,
    /// The public test network.
    Testnet,
    /// The signed test network.
    Signet,
    /// A network of one's own.
    Regtest,
}

impl Network {
    /// How a BOLT11 invoice of this network begins.
    #[must_use]
    pub const fn invoice_prefix(self) -> &'static str {
        match self {
            Self::Bitcoin => "lnbc",
            Self::Testnet => "lntb",
            Self::Signet => "lntbs",
            Self::Regtest => "lnbcrt",
        }
    }

    /// The network's usual name, which also parses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bitcoin => "bitcoin",
            Self::Testnet => "testnet",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Network {
    type Err = InvalidInput;

    /// Reads a network's name; `mainnet` is another for `bitcoin`.
    fn from_str(name: &str) -> Result<Self, InvalidInput> {
        match name {
            "bitcoin" | "mainnet" => Ok(Self::Bitcoin),
            "testnet" => Ok(Self::Testnet),
            "signet" => Ok(Self::Signet),
            "regtest" => Ok(Self::Regtest),
            _ => Err(InvalidInput::new("network", "bitcoin (or mainnet), testnet, signet or regtest")),
        }
    }
}

/// The secret that opens an account. It never prints itself.
///
/// ```
/// use strike_core::ApiKey;
///
/// let key = ApiKey::new("sk_demo")?;
/// assert_eq!(format!("{key:?}"), "ApiKey(redacted)");
/// assert!(ApiKey::new("sk_demo:password").is_err());
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes an account's key.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] unless it is 1 to 512 visible ASCII characters
    /// without a colon, since the key is sent as the user name of Basic authentication. A line break or a space
    /// is most often a slip in copying.
    pub fn new(key: impl Into<String>) -> Result<Self, Error> {
        let key = key.into();
        if (1..=512).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
            Ok(Self(key))
        } else {
            Err(InvalidInput::new("api key", "1 to 512 visible ASCII characters without a colon").into())
        }
    }

    /// The header that presents the key: Basic, the key as user, an empty password.
    fn authorization(&self) -> Result<HeaderValue, Error> {
        let credentials = data_encoding::BASE64.encode(format!("{}:", self.0).as_bytes());
        let mut value = HeaderValue::try_from(format!("Basic {credentials}"))
            .map_err(|_| InvalidInput::new("api key", "usable in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

/// A Strike-compatible host, an account there, and how far it is trusted.
///
/// Cloning is cheap. `Debug` shows the host but not the key.
///
/// ```
/// use strike_core::{ApiKey, Endpoint, Network};
///
/// let at = Endpoint::new("https://pay.example.com/api/v1/", ApiKey::new("sk_demo")?, Network::Bitcoin)?;
/// assert_eq!(at.base_url(), "https://pay.example.com/api/v1/");
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
    pub fn new(base_url: &str, key: ApiKey, network: Network) -> Result<Self, Error> {
        Self::builder(base_url, key, network).build()
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
    pub fn acinq_mainnet(key: ApiKey) -> Result<Self, Error> {
        Self::new("https://api.strike.acinq.co/api/v1/", key, Network::Bitcoin)
    }

    /// Where the hosted service's test network was until 2021: <https://api.dev.strike.acinq.co/api/v1/>.
    ///
    /// ACINQ has closed it, as [`acinq_mainnet`](Self::acinq_mainnet) says.
    ///
    /// # Errors
    /// None in practice.
    pub fn acinq_testnet(key: ApiKey) -> Result<Self, Error> {
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
        let mut below = core::error::Error::source(&error);
        let mut depth = 0;
        while let Some(cause) = below {
            depth += 1;
            let words = format!("{cause}\n{cause:?}");
            if depth > DEEPEST || self.0.secrets.are_in(words.as_bytes()) {
                let bare = TransportError::new(error.kind(), error.delivery());
                return Error::no_answer(asked, bare.with_source(text::REPEATS_THE_KEY));
            }
            below = cause.source();
        }
        Error::no_answer(asked, error)
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
    pub fn build(self) -> Result<Endpoint, Error> {
        let (scheme, authority, path) = split(&self.base_url, self.plain_http)?;
        let authorization = self.key.authorization()?;
        if let Some(most) = self.max_amount
            && !(1..=Satoshi::MAX.get()).contains(&most.get())
        {
            let rule = format!("1 to {}", Satoshi::MAX);
            return Err(InvalidInput::new("max_amount", rule).found(most.get()).into());
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

/// Takes a base URL apart, and refuses what could send a key astray.
fn split(base_url: &str, plain_http: bool) -> Result<(Scheme, Authority, String), InvalidInput> {
    let wrong = |rule: &'static str| InvalidInput::new("base URL", rule);
    let scheme = match base_url.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => Scheme::HTTPS,
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => Scheme::HTTP,
        _ => return Err(wrong("one that begins with `https://` (or `http://` for this machine)")),
    };
    // Other clients would encode these in their own way, and ask for another path.
    if !base_url.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)) {
        return Err(wrong("plain ASCII without spaces, with everything else percent-encoded"));
    }
    if base_url.contains(['#', '?']) {
        return Err(wrong("without a query or a fragment"));
    }
    let uri: Uri = base_url.parse().map_err(|_| wrong("a URL such as `https://host/api/v1/`"))?;
    let authority = uri.authority().cloned().ok_or_else(|| wrong("one that names a host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("without user information; the key is given apart"));
    }
    let host = authority.host();
    let port = authority.as_str().get(host.len()..).unwrap_or_default();
    if host.is_empty() || !(port.is_empty() || authority.port_u16().is_some_and(|port| port > 0)) {
        return Err(wrong("one with a host, and a port between 1 and 65535 if any"));
    }
    if scheme == Scheme::HTTP && !plain_http && !is_loopback(host) {
        return Err(wrong(
            "one that begins with `https://`, since the host is not this machine (or allow plain http on purpose)",
        ));
    }
    let mut path = String::new();
    for segment in uri.path().split('/').filter(|segment| !segment.is_empty()) {
        if matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..") {
            return Err(wrong("without `.` and `..` in its path"));
        }
        path.push('/');
        path.push_str(segment);
    }
    Ok((scheme, authority, path))
}

/// Whether a URL's host is this machine.
fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
