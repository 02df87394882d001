//! `RetryPolicy`: the number of attempts, the waits between them, and the limits of each attempt.

use std::time::Duration;

use crate::machine::jitter::Jitter;

/// How operations are retried, and the limits of each attempt.
///
/// No policy makes the client repeat a create that may have arrived.
///
/// ```
/// use std::time::Duration;
/// use strike_core::RetryPolicy;
///
/// let policy = RetryPolicy::default().attempts(5).timeout(Duration::from_secs(10));
/// assert_eq!(policy.connect_timeout(), Duration::from_secs(5));
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
    /// | setting | default |
    /// | --- | --- |
    /// | [`attempts`](Self::attempts) | 3 |
    /// | [`backoff`](Self::backoff) | from 200 ms up to 5 s, with full jitter |
    /// | [`timeout`](Self::timeout) | 30 s for each attempt |
    /// | [`max_body`](Self::max_body) | 1 MiB |
    /// | [`max_retry_after`](Self::max_retry_after) | 60 s |
    /// | [`reuse_connections_for_creates`](Self::reuse_connections_for_creates) | `false` |
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
    /// Returns a policy with one attempt and no retries. The other settings have their defaults.
    pub fn never() -> Self {
        Self::default().attempts(1)
    }

    /// Sets the largest number of attempts, including the first. Values outside 1 to 100 are
    /// clamped.
    pub fn attempts(mut self, most: u32) -> Self {
        self.attempts = most.clamp(1, 100);
        self
    }

    /// Sets the waits between attempts.
    ///
    /// The longest wait is `base` after the first failure. It doubles with each failure, up to
    /// `cap`. The actual wait is random between zero and the longest wait ("full jitter").
    pub const fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// Limits the time of one attempt, from resolving the host name to the last byte of the
    /// response.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Limits the size of a response body, in bytes.
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets the longest `Retry-After` that the client waits for. The default is 60 s.
    ///
    /// A longer one ends the operation, and [`Error::retry_after`](crate::Error::retry_after)
    /// returns it. A wait and a watch do not end. They pause for this time and then poll again.
    pub const fn max_retry_after(mut self, longest: Duration) -> Self {
        self.max_retry_after = longest;
        self
    }

    /// Sets whether creates may use a connection on which earlier requests were sent. The default
    /// is `false`.
    ///
    /// A server may close an idle connection just when a create is sent on it. The create then ends
    /// as [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown), although the server never received
    /// it. Some servers close connections without announcing it. With such a server, every create
    /// that follows a read can fail this way.
    ///
    /// A new connection costs one more round trip per create, and two over TLS. Without a network,
    /// on two cores, it cost about 50 us over HTTP, and 0.3 to 0.7 ms over HTTPS with resumed
    /// sessions (`cargo bench -p strike-tests --bench connections`). Set this to `true` only if you
    /// create hundreds of charges per second and handle unknown outcomes.
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

    /// Returns how long the default transports try to connect: 10 s, or half of the
    /// [`timeout`](Self::timeout) if that is shorter.
    ///
    /// It is shorter than the timeout of the attempt. So a timeout while connecting can be told
    /// from one after sending.
    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_secs(10).min(self.timeout / 2)
    }

    /// Returns a random wait after this many failures.
    pub(crate) fn wait_after(&self, failures: u32, jitter: &mut Jitter) -> Duration {
        let doublings = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let longest = self.base.saturating_mul(doublings).min(self.cap);
        let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(jitter.up_to(micros))
    }
}
