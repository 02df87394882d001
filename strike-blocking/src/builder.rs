//! What a client is made of.

use std::fmt;

#[cfg(not(feature = "ureq"))]
use strike_core::InvalidInput;
use strike_core::{CoreClient, Endpoint, Error, RetryPolicy};

use crate::client::{Client, Inner, Orders};
use crate::entropy;
use crate::timer::{SystemTimer, Timer};
use crate::transport::Transport;

/// A [`Client`] in the making.
#[must_use]
pub struct ClientBuilder {
    at: Endpoint,
    transport: Option<Box<dyn Transport>>,
    timer: Option<Box<dyn Timer>>,
    policy: RetryPolicy,
    seed: Option<u64>,
}

impl ClientBuilder {
    pub(crate) fn new(at: Endpoint) -> Self {
        Self { at, transport: None, timer: None, policy: RetryPolicy::default(), seed: None }
    }

    /// Moves the bytes with this, instead of ureq.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// Reads the clocks and waits with this, instead of the system's clocks and the thread.
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
        let timer = self.timer.unwrap_or_else(|| Box::new(SystemTimer::new()));
        let machines = CoreClient::new(self.at, self.policy, seed);
        Ok(Client::from_inner(Inner { machines, transport, timer, orders: Orders::default() }))
    }
}

#[cfg(feature = "ureq")]
fn usual(policy: &RetryPolicy) -> Result<Box<dyn Transport>, Error> {
    Ok(Box::new(crate::UreqTransport::builder().connect_timeout(policy.connect_timeout()).build()?))
}

#[cfg(not(feature = "ureq"))]
fn usual(_: &RetryPolicy) -> Result<Box<dyn Transport>, Error> {
    Err(InvalidInput::new("transport", "given, since the feature `ureq` is off").into())
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("at", &self.at)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
