//! What a client is made of.

use std::fmt;

#[cfg(not(feature = "reqwest"))]
use strike_core::InvalidInput;
use strike_core::{CoreClient, Endpoint, Error, RetryPolicy};

use crate::client::{Client, Inner, Orders};
use crate::entropy;
use crate::timer::Timer;
use crate::transport::AsyncTransport;

/// A [`Client`] in the making.
#[must_use]
pub struct ClientBuilder {
    at: Endpoint,
    transport: Option<Box<dyn AsyncTransport>>,
    timer: Option<Box<dyn Timer>>,
    policy: RetryPolicy,
    seed: Option<u64>,
}

impl ClientBuilder {
    pub(crate) fn new(at: Endpoint) -> Self {
        Self { at, transport: None, timer: None, policy: RetryPolicy::default(), seed: None }
    }

    /// Moves the bytes with this, instead of reqwest.
    pub fn transport(mut self, transport: impl AsyncTransport + 'static) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// Reads the clocks and waits with this, instead of the system's clocks and tokio.
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.timer = Some(Box::new(timer));
        self
    }

    /// How operations are retried, and what one attempt may take.
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Makes every jitter follow from this number; for tests. Without it, the system draws one.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if no transport was given and none can be set up.
    pub fn build(self) -> Result<Client, Error> {
        let seed = match self.seed {
            Some(seed) => seed,
            None => entropy::seed()?,
        };
        let transport = match self.transport {
            Some(transport) => transport,
            None => usual(&self.policy)?,
        };
        let timer = match self.timer {
            Some(timer) => timer,
            None => usual_timer()?,
        };
        let machines = CoreClient::new(self.at, self.policy, seed);
        Ok(Client::from_inner(Inner { machines, transport, timer, orders: Orders::default() }))
    }
}

#[cfg(feature = "reqwest")]
fn usual(policy: &RetryPolicy) -> Result<Box<dyn AsyncTransport>, Error> {
    Ok(Box::new(crate::ReqwestTransport::builder().connect_timeout(policy.connect_timeout()).build()?))
}

#[cfg(not(feature = "reqwest"))]
fn usual(_: &RetryPolicy) -> Result<Box<dyn AsyncTransport>, Error> {
    Err(InvalidInput::new("transport", "given, since the feature `reqwest` is off").into())
}

#[cfg(feature = "tokio")]
#[expect(clippy::unnecessary_wraps, reason = "without tokio there is an error")]
fn usual_timer() -> Result<Box<dyn Timer>, Error> {
    Ok(Box::new(crate::TokioTimer::new()))
}

#[cfg(not(feature = "tokio"))]
fn usual_timer() -> Result<Box<dyn Timer>, Error> {
    Err(InvalidInput::new("timer", "given, since the feature `tokio` is off").into())
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("at", &self.at)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
