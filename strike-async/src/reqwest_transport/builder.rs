//! How the reqwest transport is set up: roots of trust, a proxy, the time to connect, and reqwest's own options.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{ClientBuilder, Proxy, Url, redirect, retry};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use strike_core::{Error, InvalidInput, check_certificates};

use super::ReqwestTransport;
use crate::background::Background;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

type Configure = Box<dyn Fn(ClientBuilder) -> ClientBuilder + Send>;

/// A [`ReqwestTransport`] in the making.
///
/// ```no_run
/// use std::time::Duration;
/// use strike_async::ReqwestTransport;
///
/// let transport = ReqwestTransport::builder()
///     .connect_timeout(Duration::from_secs(3))
///     .ca_certificate(std::fs::read("our-ca.pem")?)
///     .proxy("http://user:password@proxy.example:3128")
///     .configure(|reqwest| reqwest.pool_max_idle_per_host(2))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct ReqwestTransportBuilder {
    connect_timeout: Duration,
    certificates: Vec<Vec<u8>>,
    proxy: Option<String>,
    #[cfg(feature = "platform-verifier")]
    platform_verifier: bool,
    configure: Option<Configure>,
}

impl ReqwestTransportBuilder {
    pub(super) fn new() -> Self {
        Self {
            connect_timeout: CONNECT_TIMEOUT,
            certificates: Vec::new(),
            proxy: None,
            #[cfg(feature = "platform-verifier")]
            platform_verifier: false,
            configure: None,
        }
    }

    /// How long a connection may take, from looking the name up to the end of the TLS handshake; 10 seconds
    /// unless set. The exchange's own timeout applies as well, so the shorter of the two ends a hanging one.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Trusts these certificates, one or more in PEM, **instead of** the public roots: a client talks to one
    /// host, and whoever has a certificate authority of their own wants no other. May be called several times.
    /// [`build`](Self::build) refuses a text unless every certificate that begins in it can be read.
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.certificates.push(pem.as_ref().to_vec());
        self
    }

    /// Goes through this proxy, an `http://` URL, with user and password in it if the proxy wants them.
    ///
    /// An https request goes through a tunnel that the proxy is asked for with `CONNECT`; a plain http one is
    /// handed to the proxy whole. This machine (127.0.0.0/8, ::1, localhost) is always reached directly.
    /// Without this call there is no proxy: the environment's variables are not read.
    pub fn proxy(mut self, url: &str) -> Self {
        self.proxy = Some(url.to_string());
        self
    }

    /// Trusts what the operating system trusts, instead of Mozilla's roots.
    /// [Certificates of one's own](Self::ca_certificate) come before it.
    #[cfg(feature = "platform-verifier")]
    pub fn platform_verifier(mut self) -> Self {
        self.platform_verifier = true;
        self
    }

    /// Changes reqwest's own options, on a builder that is already set up as above.
    ///
    /// What a transport owes is set again afterwards: no redirects, no retries, no decompression, HTTP/1.1, the system's resolver, the
    /// connect timeout, and the proxy, which is only ever the one given to [`proxy`](Self::proxy). Headers that
    /// are added by default here are sent with every request. Called twice, the second closure runs after the first.
    ///
    /// A closure runs once for each of the transport's two reqwest clients: one keeps connections, the other serves
    /// exchanges that demand a new one.
    pub fn configure(mut self, change: impl Fn(ClientBuilder) -> ClientBuilder + Send + 'static) -> Self {
        self.configure = Some(match self.configure.take() {
            Some(before) => Box::new(move |client| change(before(client))),
            None => Box::new(change),
        });
        self
    }

    /// The transport. It connects when it is first used, and may be built outside of a runtime.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](strike_core::ErrorKind::InvalidInput) for a certificate or a proxy that
    /// cannot be used, or if [`configure`](Self::configure) asked for what reqwest cannot do; the error names
    /// which of them, and shows none.
    pub fn build(self) -> Result<ReqwestTransport, Error> {
        let proxy = self.proxy.as_deref().map(parse_proxy).transpose()?;
        let proxied = proxy.is_some();
        // Its clones share the sessions that can be resumed.
        let tls = self.tls()?;
        let client = |change: fn(ClientBuilder) -> ClientBuilder| {
            let changed = change(self.configured(tls.clone(), proxy.clone()));
            changed
                .build()
                .map_err(|_| InvalidInput::new("reqwest configuration", "one that reqwest can build"))
        };
        let pooled = client(|reqwest| reqwest)?;
        let fresh = client(|reqwest| reqwest.pool_max_idle_per_host(0))?;
        Ok(ReqwestTransport { pooled, fresh, background: Background::default(), proxied })
    }

    fn configured(&self, tls: ClientConfig, proxy: Option<Url>) -> ClientBuilder {
        let prepared = ClientBuilder::new()
            .tls_backend_preconfigured(tls)
            // Below what servers allow, so that a kept connection has seldom ended before it is used again.
            .pool_idle_timeout(Duration::from_secs(15));
        let prepared = rules(prepared, self.connect_timeout, proxy.clone());
        match &self.configure {
            Some(change) => rules(change(prepared), self.connect_timeout, proxy),
            None => prepared,
        }
    }

    fn tls(&self) -> Result<ClientConfig, InvalidInput> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| InvalidInput::new("TLS provider", "one that speaks TLS 1.2 or 1.3"))?;
        let roots = if !self.certificates.is_empty() {
            parse_certificates(&self.certificates)?
        } else {
            #[cfg(feature = "platform-verifier")]
            if self.platform_verifier {
                use rustls_platform_verifier::BuilderVerifierExt as _;
                return Ok(config
                    .with_platform_verifier()
                    .map_err(|_| InvalidInput::new("platform verifier", "one that this system provides"))?
                    .with_no_client_auth());
            }
            webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
        };
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

/// What a transport owes, whatever else is configured.
fn rules(client: ClientBuilder, connect_timeout: Duration, proxy: Option<Url>) -> ClientBuilder {
    let client = client
        .redirect(redirect::Policy::none())
        .referer(false)
        // Below reqwest, hyper-util still takes a new connection where a kept one ended before anybody had
        // looked at the request. That one never left, so it may.
        .retry(retry::never().max_retries_per_request(0))
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .http1_only()
        // On by itself where another crate of the program switches on reqwest's feature `hickory-dns`.
        .no_hickory_dns()
        .connect_timeout(connect_timeout)
        // Forgets other proxies, and keeps reqwest from asking the environment.
        .no_proxy();
    match proxy {
        Some(proxy) => client.proxy(Proxy::custom(move |url| (!is_loopback(url)).then(|| proxy.clone()))),
        None => client,
    }
}

/// Whether a URL's host is this machine, which no proxy could reach.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn parse_proxy(url: &str) -> Result<Url, InvalidInput> {
    let wrong =
        || InvalidInput::new("proxy", "an `http://` URL with a host, such as `http://proxy.example:3128`");
    let url = Url::parse(url).map_err(|_| wrong())?;
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if url.scheme() == "http" && url.has_host() && plain { Ok(url) } else { Err(wrong()) }
}

fn parse_certificates(pems: &[Vec<u8>]) -> Result<RootCertStore, InvalidInput> {
    let wrong = || InvalidInput::new("ca certificate", "one or more certificates in PEM, each of them whole");
    let mut roots = RootCertStore::empty();
    for pem in pems {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|_| wrong())?).map_err(|_| wrong())?;
        }
        check_certificates(pem, roots.len().saturating_sub(before))?;
    }
    Ok(roots)
}

impl fmt::Debug for ReqwestTransportBuilder {
    /// Says whether there is a proxy, not which: its URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransportBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("ca_certificates", &self.certificates.len())
            .field("proxied", &self.proxy.is_some())
            .finish_non_exhaustive()
    }
}
