//! `ReqwestTransportBuilder`: trusted certificates, proxy, connect timeout, and reqwest's own
//! options.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::{ClientBuilder, Proxy, Url, redirect, retry};
use rustls::ClientConfig;
use strike_core::{Error, InvalidInput};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::ReqwestTransport;
use super::target::Targets;
use super::tls;
use crate::background::Background;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a shared connection is checked while requests are under way. A connection that was lost
/// without notice would otherwise fail every request until the operating system gives it up.
#[cfg(feature = "http2")]
const PING: Duration = Duration::from_secs(10);

type Configure = Box<dyn Fn(ClientBuilder) -> ClientBuilder + Send>;

/// Builds a [`ReqwestTransport`] with settings of your own.
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
    runtime: Option<Handle>,
    versions: Versions,
    configure: Option<Configure>,
}

/// The HTTP versions to offer to a server.
#[derive(Debug, Clone, Copy)]
enum Versions {
    Http1,
    #[cfg(feature = "http2")]
    Http2OrHttp1,
}

impl ReqwestTransportBuilder {
    pub(super) fn new() -> Self {
        Self {
            connect_timeout: CONNECT_TIMEOUT,
            certificates: Vec::new(),
            proxy: None,
            #[cfg(feature = "platform-verifier")]
            platform_verifier: false,
            runtime: None,
            versions: Versions::Http1,
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
    /// An `https` request uses a `CONNECT` tunnel. A plain `http` request is sent to the proxy,
    /// which forwards it. Connections to this machine (127.0.0.0/8, `::1`, `localhost`) are always
    /// direct. By default there is no proxy; the proxy variables of the environment are not read.
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

    /// Runs connections on this tokio runtime, instead of on a thread of this library.
    ///
    /// Set it in a program that sends many requests at once. Each request then needs no handover to
    /// another thread. Pass `tokio::runtime::Handle::current()` from within the runtime.
    ///
    /// The runtime must have several threads (`rt-multi-thread`) and must have been built with
    /// `enable_all`, as `#[tokio::main]` does. Without its sockets and timers, tokio panics.
    /// Use the transport only while the runtime is running. After it has been shut down, every
    /// exchange fails with [`TransportErrorKind::Lost`](strike_core::TransportErrorKind::Lost).
    ///
    /// ```
    /// use strike_async::ReqwestTransport;
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), strike_async::Error> {
    ///     let runtime = tokio::runtime::Handle::current();
    ///     let transport = ReqwestTransport::builder().runtime(runtime).build()?;
    /// #   let _ = transport;
    ///     Ok(())
    /// }
    /// ```
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Uses HTTP/2 with a server that offers it over TLS, and HTTP/1.1 with every other server.
    ///
    /// All reads then share one connection. That saves connections and memory in a program that has
    /// many requests under way at once, for example one that watches thousands of charges. On a
    /// loopback interface it is slower than HTTP/1.1.
    ///
    /// - A create still gets a connection of its own, unless
    ///   [`RetryPolicy::reuse_connections_for_creates`](crate::RetryPolicy::reuse_connections_for_creates)
    ///   permits a kept one. The transport never sends it again, also not after a `GOAWAY` or a
    ///   `REFUSED_STREAM`. Such a create has an unknown outcome.
    /// - The server limits how many requests share a connection, often to 100 or 128. Further ones
    ///   wait, and their timeout includes that time.
    /// - While requests are under way, the transport pings the server every 10 s. A connection that
    ///   does not respond for another 10 s is closed.
    #[cfg(feature = "http2")]
    pub fn http2(mut self) -> Self {
        self.versions = Versions::Http2OrHttp1;
        self
    }

    /// Changes reqwest's own options. The closure gets a reqwest builder with the settings of this
    /// builder.
    ///
    /// These options are set again after the closure, because the transport depends on them:
    ///
    /// - no redirects, no retries and no decompression,
    /// - the HTTP versions, and the resolver of the operating system,
    /// - the connect timeout and the [`proxy`](Self::proxy) of this builder.
    ///
    /// Default headers that the closure adds are sent with every request. If you call this method
    /// again, the second closure runs after the first.
    ///
    /// Each closure runs twice, because the transport has two reqwest clients: one with a
    /// connection pool, and one for exchanges that require a new connection.
    pub fn configure(mut self, change: impl Fn(ClientBuilder) -> ClientBuilder + Send + 'static) -> Self {
        self.configure = Some(match self.configure.take() {
            Some(before) => Box::new(move |client| change(before(client))),
            None => Box::new(change),
        });
        self
    }

    /// Builds the transport. It connects on first use, and can be built outside of a runtime.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](strike_core::ErrorKind::InvalidInput) if a certificate,
    /// the proxy or the runtime is not valid, or if reqwest does not accept the options of
    /// [`configure`](Self::configure). The error names the setting, but does not contain its value.
    pub fn build(self) -> Result<ReqwestTransport, Error> {
        // A runtime with one thread runs only while its owner waits for it. Nothing would end an
        // exchange of another thread.
        if self.runtime.as_ref().is_some_and(|handle| handle.runtime_flavor() == RuntimeFlavor::CurrentThread)
        {
            return Err(InvalidInput::new("runtime", "a tokio runtime with several threads").into());
        }
        let proxy = self.proxy.as_deref().map(parse_proxy).transpose()?;
        let proxied = proxy.is_some();
        // Clones share the resumable TLS sessions.
        let tls = self.tls()?;
        let client = |change: fn(ClientBuilder) -> ClientBuilder| {
            let changed = change(self.configured(tls.clone(), proxy.clone()));
            changed.build().map_err(|_| InvalidInput::new("reqwest configuration", "valid for reqwest"))
        };
        let pooled = client(|reqwest| reqwest)?;
        let unpooled = client(|reqwest| reqwest.pool_max_idle_per_host(0))?;
        let (targets, background) = (Targets::default(), Background::on(self.runtime));
        Ok(ReqwestTransport { pooled, unpooled, targets, background, proxied })
    }

    fn configured(&self, tls: ClientConfig, proxy: Option<Url>) -> ClientBuilder {
        let prepared = ClientBuilder::new()
            .tls_backend_preconfigured(tls)
            // Shorter than the idle timeouts of most servers, so that the server seldom closes a
            // pooled connection first.
            .pool_idle_timeout(Duration::from_secs(15));
        let prepared = self.required_options(prepared, proxy.clone());
        match &self.configure {
            Some(change) => self.required_options(change(prepared), proxy),
            None => prepared,
        }
    }

    /// Sets the options that the transport depends on.
    fn required_options(&self, client: ClientBuilder, proxy: Option<Url>) -> ClientBuilder {
        let client = client
            .redirect(redirect::Policy::none())
            .referer(false)
            // hyper-util still opens a new connection if a pooled one was closed before the request was
            // used. That is safe, because nothing was sent.
            .retry(retry::never().max_retries_per_request(0))
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            // Enabled by default if another crate of the program enables reqwest's feature
            // `hickory-dns`.
            .no_hickory_dns()
            .connect_timeout(self.connect_timeout)
            // Removes other proxies. Without this, reqwest reads the proxy from the environment.
            .no_proxy();
        let client = match self.versions {
            Versions::Http1 => client.http1_only(),
            #[cfg(feature = "http2")]
            Versions::Http2OrHttp1 => client.http2_keep_alive_interval(PING).http2_keep_alive_timeout(PING),
        };
        match proxy {
            Some(proxy) => client.proxy(Proxy::custom(move |url| (!is_loopback(url)).then(|| proxy.clone()))),
            None => client,
        }
    }

    fn tls(&self) -> Result<ClientConfig, InvalidInput> {
        #[cfg(feature = "platform-verifier")]
        let mut config = tls::trusted(&self.certificates, self.platform_verifier)?;
        #[cfg(not(feature = "platform-verifier"))]
        let mut config = tls::trusted(&self.certificates, false)?;
        if !matches!(self.versions, Versions::Http1) {
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        Ok(config)
    }
}

/// Returns true if the host of a URL is this machine, which a proxy could not reach.
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

impl fmt::Debug for ReqwestTransportBuilder {
    /// Shows whether there is a proxy, but not its URL, which may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransportBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("ca_certificates", &self.certificates.len())
            .field("proxied", &self.proxy.is_some())
            .finish_non_exhaustive()
    }
}
