//! `ClientBuilder`: the settings of a client.

use std::fmt;
use std::time::Duration;

use strike_core::{CoreClient, Endpoint, Error, Observer, RetryPolicy};

use crate::driver::Driver;
use crate::entropy;
use crate::timer::Timer;
use crate::transport::AsyncTransport;

/// Builds a [`Client`](crate::Client) with settings of your own.
///
/// ```
/// use std::time::Duration;
/// use strike_async::{ApiKey, Client, Endpoint, Network, RetryPolicy};
///
/// let endpoint = Endpoint::new("http://127.0.0.1:8420/", ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let client = Client::builder(endpoint)
///     .retry(RetryPolicy::default().attempts(5))
///     .timeout(Duration::from_secs(10))
///     .build()?;
/// # let _ = client;
/// # Ok::<(), strike_async::Error>(())
/// ```
#[must_use]
pub struct ClientBuilder {
    endpoint: Endpoint,
    transport: TransportChoice,
    timer: Option<Box<dyn Timer>>,
    observer: Option<Box<dyn Observer>>,
    policy: RetryPolicy,
    seed: Option<u64>,
}

enum TransportChoice {
    #[cfg(feature = "reqwest")]
    Reqwest,
    Given(Box<dyn AsyncTransport>),
}

impl ClientBuilder {
    #[cfg(feature = "reqwest")]
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self::with_choice(endpoint, TransportChoice::Reqwest)
    }

    pub(crate) fn with_transport(endpoint: Endpoint, transport: impl AsyncTransport + 'static) -> Self {
        Self::with_choice(endpoint, TransportChoice::Given(Box::new(transport)))
    }

    fn with_choice(endpoint: Endpoint, transport: TransportChoice) -> Self {
        let policy = RetryPolicy::default();
        Self { endpoint, transport, timer: None, observer: None, policy, seed: None }
    }

    /// Sends requests with this transport instead of reqwest.
    pub fn transport(mut self, transport: impl AsyncTransport + 'static) -> Self {
        self.transport = TransportChoice::Given(Box::new(transport));
        self
    }

    /// Reads clocks and waits with this timer instead of tokio's.
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.timer = Some(Box::new(timer));
        self
    }

    /// Calls this observer after each attempt, for logs and metrics. Its reports contain no key and
    /// no invoice.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Sets how operations are retried, and the limits of each attempt.
    ///
    /// It replaces earlier values of [`timeout`](Self::timeout) and [`max_body`](Self::max_body).
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Limits the time of one attempt, from resolving the host name to the last byte of the
    /// response. The default is 30 s.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.policy = self.policy.timeout(timeout);
        self
    }

    /// Limits the size of a response body, in bytes. The default is 1 MiB.
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.policy = self.policy.max_body(bytes);
        self
    }

    /// Sets the seed of all jitter, for tests. By default, the operating system provides a random
    /// seed.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    pub(crate) fn into_driver(self) -> Result<Driver, Error> {
        let seed = match self.seed {
            Some(seed) => seed,
            None => entropy::seed()?,
        };
        #[cfg_attr(
            not(feature = "reqwest"),
            expect(clippy::infallible_destructuring_match, reason = "there are two with the feature")
        )]
        let transport = match self.transport {
            TransportChoice::Given(transport) => transport,
            #[cfg(feature = "reqwest")]
            TransportChoice::Reqwest => {
                let connect_timeout = self.policy.connect_timeout();
                Box::new(crate::ReqwestTransport::builder().connect_timeout(connect_timeout).build()?)
            }
        };
        let timer = match self.timer {
            Some(timer) => timer,
            None => default_timer()?,
        };
        let core = CoreClient::new(self.endpoint, self.policy, seed);
        Ok(Driver::new(core, transport, timer, self.observer))
    }
}

#[cfg(feature = "tokio")]
#[expect(clippy::unnecessary_wraps, reason = "without tokio there is an error")]
fn default_timer() -> Result<Box<dyn Timer>, Error> {
    Ok(Box::new(crate::TokioTimer::new()))
}

#[cfg(not(feature = "tokio"))]
fn default_timer() -> Result<Box<dyn Timer>, Error> {
    let rule = "set with `ClientBuilder::timer`, because the feature `tokio` is off";
    Err(strike_core::InvalidInput::new("timer", rule).into())
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
