//! How often, how long and how far apart: retries, polling, and the jitter between them.

use std::time::Duration;

/// How an operation is retried, and what a single attempt may take.
///
/// Whether a failure *may* be retried is not a matter of policy: a create that may have left is never sent again.
///
/// ```
/// use std::time::Duration;
/// use strike_core::RetryPolicy;
///
/// let patient = RetryPolicy::default().attempts(5).timeout(Duration::from_secs(10));
/// assert_ne!(patient, RetryPolicy::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    pub(crate) attempts: u32,
    pub(crate) base: Duration,
    pub(crate) cap: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_body: usize,
    pub(crate) max_retry_after: Duration,
    pub(crate) reuse_connections_for_creates: bool,
}

impl Default for RetryPolicy {
    /// 3 attempts of 30 s and 1 MiB each; 200 ms to 5 s between them, jittered; `Retry-After` obeyed up to 60 s;
    /// a new connection for each create.
    fn default() -> Self {
        Self {
            attempts: 3,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_body: 1 << 20,
            max_retry_after: Duration::from_secs(60),
            reuse_connections_for_creates: false,
        }
    }
}

impl RetryPolicy {
    /// One attempt, no retries.
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// The most attempts, the first included: 1 to 100; beyond counts as the nearest.
    pub fn attempts(mut self, most: u32) -> Self {
        self.attempts = most.clamp(1, 100);
        self
    }

    /// The wait after the first failure is at most `base`, doubles from failure to failure, and is at most `cap`.
    /// The real wait is drawn evenly between zero and that ("full jitter").
    pub const fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// The most that one attempt may take, from looking up the name to the last byte of the answer.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The largest body that is read, in bytes.
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// The longest `Retry-After` that is obeyed, 60 s unless set. A longer one ends the operation, with the time in its
    /// [error](crate::Error::retry_after). A wait or a watch rests this long and looks again.
    pub const fn max_retry_after(mut self, longest: Duration) -> Self {
        self.max_retry_after = longest;
        self
    }

    /// Lets creates use a connection that earlier requests were sent on. The default is `false`.
    ///
    /// A server may close an idle connection at the moment a create is sent on it. The create then ends as
    /// [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown), although the server never saw it. Behind a host that
    /// closes connections without announcing it, this can happen to every create that follows a read.
    ///
    /// A new connection costs one round trip more per create, and two over TLS. Without a network, on two cores, it cost some 50 us over
    /// HTTP, and 0.3 to 0.7 ms over HTTPS with resumed sessions (`cargo bench -p strike-tests --bench connections`). Set this to `true` only if you make
    /// hundreds of charges a second and handle unknown outcomes.
    ///
    /// ```
    /// use strike_core::RetryPolicy;
    ///
    /// let busy = RetryPolicy::default().reuse_connections_for_creates(true);
    /// assert_ne!(busy, RetryPolicy::default());
    /// ```
    pub const fn reuse_connections_for_creates(mut self, reuse: bool) -> Self {
        self.reuse_connections_for_creates = reuse;
        self
    }

    /// How long an adapter's own transport tries to connect: 10 s, or half of an attempt if that is shorter, so that
    /// time running out while connecting can be told from time running out after sending.
    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_secs(10).min(self.timeout / 2)
    }

    /// The wait after the n-th failure, counted from 1.
    pub(crate) fn wait_after(&self, failures: u32, rng: &mut fastrand::Rng) -> Duration {
        let doublings = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let ceiling = self.base.saturating_mul(doublings).min(self.cap);
        let micros = u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(rng.u64(0..=micros))
    }
}
