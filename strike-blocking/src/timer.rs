//! Clocks and waiting. This is the only file of the crate that reads the time.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use strike_core::{Now, UnixMillis};

/// Reads the clocks and waits. A test can implement it to skip waits.
///
/// ```
/// use std::time::Duration;
/// use strike_blocking::strike_core::Now;
/// use strike_blocking::{SystemTimer, Timer, Wake};
///
/// /// Waits at most one second at a time, to notice sooner that the computer was suspended.
/// struct ShortSteps(SystemTimer);
///
/// impl Timer for ShortSteps {
///     fn now(&self) -> Now {
///         self.0.now()
///     }
///
///     fn wait(&self, duration: Duration, wake: &Wake) {
///         wake.wait(duration.min(Duration::from_secs(1)));
///     }
/// }
///
/// let (timer, wake) = (ShortSteps(SystemTimer::new()), Wake::default());
/// wake.wake();
/// timer.wait(Duration::from_secs(3600), &wake); // returns at once
/// ```
pub trait Timer: Send + Sync {
    /// Reads both clocks.
    fn now(&self) -> Now;

    /// Waits for this long, or until `wake` ends the wait.
    ///
    /// It may return early, because the caller checks the clock again.
    fn wait(&self, duration: Duration, wake: &Wake);
}

impl<T: Timer + ?Sized> Timer for Arc<T> {
    fn now(&self) -> Now {
        (**self).now()
    }

    fn wait(&self, duration: Duration, wake: &Wake) {
        (**self).wait(duration, wake);
    }
}

/// The clocks of the operating system. It blocks the thread while it waits.
///
/// ```
/// use std::time::Duration;
/// use strike_blocking::{SystemTimer, Timer, Wake};
///
/// let timer = SystemTimer::new();
/// let before = timer.now();
/// timer.wait(Duration::from_millis(2), &Wake::default());
/// assert!(timer.now().monotonic - before.monotonic >= Duration::from_millis(2));
/// ```
pub struct SystemTimer {
    start: Instant,
}

impl SystemTimer {
    /// Creates a timer. Its monotonic clock is zero now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the timer is where the clock is read")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemTimer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SystemTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemTimer")
    }
}

impl Timer for SystemTimer {
    #[expect(clippy::disallowed_methods, reason = "the timer is where the clocks are read")]
    fn now(&self) -> Now {
        // A wall clock before 1970 counts as 1970. No invoice is older than that.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
        Now::new(self.start.elapsed(), UnixMillis::from_millis(millis))
    }

    fn wait(&self, duration: Duration, wake: &Wake) {
        wake.wait(duration);
    }
}

/// Ends the wait of another thread early. Clones share their state.
///
/// If no thread is waiting, a call to [`wake`](Self::wake) ends the next wait at once.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<(Mutex<bool>, Condvar)>);

impl Wake {
    /// Ends the wait of one thread. If none is waiting, ends the next wait.
    pub fn wake(&self) {
        let (woken, condition) = &*self.0;
        *woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        condition.notify_one();
    }

    /// Waits for this long, or until [`wake`](Self::wake) is called.
    ///
    /// `wake.wait(Duration::ZERO)` returns at once.
    pub fn wait(&self, duration: Duration) {
        let (woken, condition) = &*self.0;
        let guard = woken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = condition.wait_timeout_while(guard, duration, |woken| !*woken);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}
