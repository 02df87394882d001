//! How the ureq transport is set up: roots of trust, a proxy, the time to connect, and ureq's own options.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use strike_core::{Error, InvalidInput, check_certificates, http::Uri};
use ureq::config::{Config, ConfigBuilder};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::typestate::AgentScope;
use ureq::{Agent, Proxy};

use super::UreqTransport;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

type Configure = Box<dyn FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope> + Send>;

/// A [`UreqTransport`] in the making.
///
/// ```no_run
/// use std::time::Duration;
/// use strike_blocking::UreqTransport;
///
/// let transport = UreqTransport::builder()
///     .connect_timeout(Duration::from_secs(3))
///     .ca_certificate(std::fs::read("our-ca.pem")?)
///     .proxy("http://user:password@proxy.example:3128")
///     .configure(|ureq| ureq.max_idle_connections(2))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct UreqTransportBuilder {
    connect_timeout: Duration,
    certificates: Vec<Vec<u8>>,
    proxy: Option<String>,
    #[cfg(feature = "platform-verifier")]
    platform_verifier: bool,
    configure: Option<Configure>,
}

impl UreqTransportBuilder {
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
    /// Every request goes through a tunnel that the proxy is asked for with `CONNECT`. This machine
    /// (127.0.0.0/8, ::1, localhost) is always reached directly. Without this call there is no proxy: the
    /// environment's variables are not read.
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

    /// Changes ureq's own options, on a configuration that is already set up as above.
    ///
    /// What a transport owes is set again afterwards: no redirects, every status an answer, no header of ureq's
    /// own, the connect timeout, and the proxy, which is only ever the one given to [`proxy`](Self::proxy).
    /// Called twice, the second closure runs after the first.
    ///
    /// No cookie is kept and no body is decompressed, whatever features of ureq other crates of the program switch on.
    pub fn configure(
        mut self,
        change: impl FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope> + Send + 'static,
    ) -> Self {
        self.configure = Some(match self.configure.take() {
            Some(before) => Box::new(move |config| change(before(config))),
            None => Box::new(change),
        });
        self
    }

    /// The transport. It connects when it is first used.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](strike_core::ErrorKind::InvalidInput) for a certificate or a proxy that
    /// cannot be used; the error names which of the two, and shows neither.
    pub fn build(mut self) -> Result<UreqTransport, Error> {
        let proxy = self.proxy.as_deref().map(parse_proxy).transpose()?;
        let proxied = proxy.is_some();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(self.roots()?)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let prepared = rules(Agent::config_builder().tls_config(tls), self.connect_timeout, proxy.clone());
        let changed = match self.configure.take() {
            Some(change) => rules(change(prepared), self.connect_timeout, proxy),
            None => prepared,
        };
        let config: Config = changed.build();
        Ok(UreqTransport::from_config(config, proxied))
    }

    fn roots(&self) -> Result<RootCerts, InvalidInput> {
        if !self.certificates.is_empty() {
            let certificates = parse_certificates(&self.certificates)?;
            return Ok(certificates.iter().map(|der| Certificate::from_der(der).to_owned()).into());
        }
        #[cfg(feature = "platform-verifier")]
        if self.platform_verifier {
            return Ok(RootCerts::PlatformVerifier);
        }
        Ok(RootCerts::WebPki)
    }
}

/// What a transport owes, whatever else is configured.
fn rules(
    config: ConfigBuilder<AgentScope>,
    connect_timeout: Duration,
    proxy: Option<Proxy>,
) -> ConfigBuilder<AgentScope> {
    config
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .timeout_connect(Some(connect_timeout.min(super::LONGEST)))
        // Unless told otherwise, ureq takes the proxy from the environment.
        .proxy(proxy)
}

fn parse_proxy(url: &str) -> Result<Proxy, InvalidInput> {
    let wrong =
        || InvalidInput::new("proxy", "an `http://` URL with a host, such as `http://proxy.example:3128`");
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let has_host = uri.authority().is_some_and(|authority| {
        // ureq would take a port that is not a number, or too large a one, for none.
        let tail = authority.as_str().rsplit('@').next().unwrap_or_default().get(authority.host().len()..);
        !authority.host().is_empty() && (tail == Some("") || authority.port_u16().is_some())
    });
    if uri.scheme_str() != Some("http") || !has_host || uri.path() != "/" || uri.query().is_some() {
        return Err(wrong());
    }
    Proxy::new(url).map_err(|_| wrong())
}

fn parse_certificates(pems: &[Vec<u8>]) -> Result<Vec<CertificateDer<'static>>, InvalidInput> {
    let wrong = || InvalidInput::new("ca certificate", "one or more certificates in PEM, each of them whole");
    let mut all = Vec::new();
    // ureq passes over what it cannot read, and would then trust nobody without saying so.
    let mut check = RootCertStore::empty();
    for pem in pems {
        let before = all.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| wrong())?;
            check.add(certificate.clone()).map_err(|_| wrong())?;
            all.push(certificate);
        }
        check_certificates(pem, all.len().saturating_sub(before))?;
    }
    Ok(all)
}

impl fmt::Debug for UreqTransportBuilder {
    /// Says whether there is a proxy, not which: its URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransportBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("ca_certificates", &self.certificates.len())
            .field("proxied", &self.proxy.is_some())
            .finish_non_exhaustive()
    }
}
