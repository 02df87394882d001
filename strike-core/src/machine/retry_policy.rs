//! How operations are retried, and the limits of one attempt.

use std::time::Duration;

/// How operations are retried, and the limits of a single attempt.
///
/// A policy cannot make an unsafe retry: a create that may have reached the server is never sent
/// again. The table in [`Call`](crate::machine::Call) shows which failures are retried.
///
/// ```
/// use std::time::Duration;
/// use strike_core::RetryPolicy;
///
/// let policy = RetryPolicy::default().attempts(5).timeout(Duration::from_secs(10));
/// assert_ne!(policy, RetryPolicy::default());
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
    /// Returns the default policy:
    ///
    /// | setting | value |
    /// | --- | --- |
    /// | attempts | 3 |
    /// | timeout of an attempt | 30 s |
    /// | largest response body | 1 MiB |
    /// | backoff | at most 200 ms after the first failure, doubled with each failure, up to 5 s; with full jitter |
    /// | longest `Retry-After` | 60 s |
    /// | connections for creates | a new one for each create |
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
    /// Returns the default policy with one attempt, which means no retries.
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// Sets the maximum number of attempts, including the first: 1 to 100. Other values are clamped
    /// to this range.
    pub fn attempts(mut self, most: u32) -> Self {
        self.attempts = most.clamp(1, 100);
        self
    }

    /// Sets the backoff. The upper limit of the delay is `base` after the first failure. It doubles
    /// with each failure, up to `cap`.
    ///
    /// The delay is a random value between zero and that limit ("full jitter").
    ///
    /// ```
    /// use std::time::Duration;
    /// use strike_core::RetryPolicy;
    ///
    /// // At most 1 s after the first failure, 2 s after the second, 4 s after the third, then 5 s.
    /// let slow = RetryPolicy::default()
    ///     .attempts(6)
    ///     .backoff(Duration::from_secs(1), Duration::from_secs(5));
    /// # let _ = slow;
    /// ```
    pub const fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// Sets the timeout of one attempt, from the name lookup to the last byte of the response. The
    /// default is 30 s.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the size of the largest response body that is read, in bytes. The default is 1 MiB.
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets the longest `Retry-After` delay that is obeyed. The default is 60 s.
    ///
    /// A longer one ends the operation with an error that holds the
    /// [delay](crate::Error::retry_after). A [`WaitPaid`](crate::machine::WaitPaid) or a
    /// [`Watcher`](crate::Watcher) waits for this long and then checks again.
    pub const fn max_retry_after(mut self, longest: Duration) -> Self {
        self.max_retry_after = longest;
        self
    }

    /// Lets creates use a connection that earlier requests were sent on. The default is `false`.
    ///
    /// A server may close an idle connection at the moment a create is sent on it. The create then
    /// ends as [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown), although the server never saw
    /// it. If the server closes connections without an announcement, this can happen to every
    /// create that follows a read.
    ///
    /// A new connection costs one more round trip per create, or two over TLS. On the loopback
    /// interface of a machine with two cores it took about 50 us over HTTP, and 0.3 to 0.7 ms over
    /// HTTPS with resumed sessions (`cargo bench -p strike-tests --bench connections`). Set this to
    /// `true` only if you create hundreds of charges per second and handle unknown outcomes.
    ///
    /// ```
    /// use strike_core::RetryPolicy;
    ///
    /// let policy = RetryPolicy::default().reuse_connections_for_creates(true);
    /// assert_ne!(policy, RetryPolicy::default());
    /// ```
    pub const fn reuse_connections_for_creates(mut self, reuse: bool) -> Self {
        self.reuse_connections_for_creates = reuse;
        self
    }

    /// Returns the connect timeout of the adapters' own transports: 10 s, or half the
    /// [timeout](Self::timeout) of an attempt if that is shorter.
    ///
    /// It is shorter than the timeout of the attempt, so that a timeout while connecting, when
    /// nothing was sent, can be distinguished from a timeout after sending.
    ///
    /// ```
    /// use std::time::Duration;
    /// use strike_core::RetryPolicy;
    ///
    /// assert_eq!(RetryPolicy::default().connect_timeout(), Duration::from_secs(10));
    /// let policy = RetryPolicy::default().timeout(Duration::from_secs(4));
    /// assert_eq!(policy.connect_timeout(), Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_secs(10).min(self.timeout / 2)
    }

    /// Returns a random delay for the retry after this many failures.
    pub(crate) fn wait_after(&self, failures: u32, rng: &mut fastrand::Rng) -> Duration {
        let doublings = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let ceiling = self.base.saturating_mul(doublings).min(self.cap);
        let micros = u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(rng.u64(0..=micros))
    }
}
