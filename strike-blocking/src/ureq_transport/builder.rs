//! `UreqTransportBuilder`: trusted certificates, proxy, connect timeout, and ureq's own options.

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

/// The sizes of the buffers of each connection. ureq's own default, 128 KiB for each of them, costs
/// more time than a handshake.
const INPUT_BUFFER: usize = 16 << 10;
const OUTPUT_BUFFER: usize = 4 << 10;

type Configure = Box<dyn FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope> + Send>;

/// Builds a [`UreqTransport`] with settings of your own.
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

    /// Limits the time to connect, from resolving the host name to the end of the TLS handshake.
    /// The default is 10 s.
    ///
    /// The timeout of the exchange applies too, so the shorter of both limits counts.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Trusts these CA certificates **instead of** the public roots. `pem` holds one or more
    /// certificates.
    ///
    /// Call it again to add more. [`build`](Self::build) returns an error unless every certificate
    /// can be read.
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.certificates.push(pem.as_ref().to_vec());
        self
    }

    /// Sends requests through this proxy. `url` is an `http://` URL, which may contain a user and a
    /// password.
    ///
    /// Every request uses a `CONNECT` tunnel. Connections to this machine (127.0.0.0/8, `::1`,
    /// `localhost`) are always direct. By default there is no proxy; the proxy variables of the
    /// environment are not read.
    pub fn proxy(mut self, url: &str) -> Self {
        self.proxy = Some(url.to_string());
        self
    }

    /// Trusts the certificates that the operating system trusts, instead of Mozilla's roots.
    ///
    /// It has no effect together with [`ca_certificate`](Self::ca_certificate).
    #[cfg(feature = "platform-verifier")]
    pub fn platform_verifier(mut self) -> Self {
        self.platform_verifier = true;
        self
    }

    /// Changes ureq's own options. The closure gets the configuration with the settings of this
    /// builder.
    ///
    /// These options are set again after the closure, because the transport depends on them:
    ///
    /// - no redirects, and no error for any status,
    /// - no default headers,
    /// - the connect timeout and the [`proxy`](Self::proxy) of this builder.
    ///
    /// If you call this method again, the second closure runs after the first. The transport stores
    /// no cookies and decompresses no bodies, even if other crates enable these features of ureq.
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

    /// Builds the transport. It connects on first use.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](strike_core::ErrorKind::InvalidInput) if a certificate
    /// or the proxy is not valid. The error names the setting, but does not contain its value.
    pub fn build(mut self) -> Result<UreqTransport, Error> {
        let proxy = self.proxy.as_deref().map(parse_proxy).transpose()?;
        let proxied = proxy.is_some();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(self.roots()?)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER);
        let prepared = required_options(config, self.connect_timeout, proxy.clone());
        let changed = match self.configure.take() {
            Some(change) => required_options(change(prepared), self.connect_timeout, proxy),
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

/// Sets the options that the transport depends on.
fn required_options(
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
        // Without this, ureq reads the proxy from the environment.
        .proxy(proxy)
}

fn parse_proxy(url: &str) -> Result<Proxy, InvalidInput> {
    let wrong =
        || InvalidInput::new("proxy", "an `http://` URL with a host, such as `http://proxy.example:3128`");
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let has_host = uri.authority().is_some_and(|authority| {
        // ureq ignores an invalid port, so check it here.
        let tail = authority.as_str().rsplit('@').next().unwrap_or_default().get(authority.host().len()..);
        !authority.host().is_empty() && (tail == Some("") || authority.port_u16().is_some())
    });
    if uri.scheme_str() != Some("http") || !has_host || uri.path() != "/" || uri.query().is_some() {
        return Err(wrong());
    }
    Proxy::new(url).map_err(|_| wrong())
}

fn parse_certificates(pems: &[Vec<u8>]) -> Result<Vec<CertificateDer<'static>>, InvalidInput> {
    let wrong = || InvalidInput::new("ca certificate", "one or more complete certificates in PEM");
    let mut all = Vec::new();
    // ureq silently skips certificates that it cannot read, so parse them here first.
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
    /// Shows whether there is a proxy, but not its URL, which may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransportBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("ca_certificates", &self.certificates.len())
            .field("proxied", &self.proxy.is_some())
            .finish_non_exhaustive()
    }
}
