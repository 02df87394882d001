//! Clocks and waiting. This is the only file of the crate that reads the time.

use std::sync::Arc;
use std::time::Duration;

use strike_core::Now;

use crate::transport::BoxFuture;

/// Reads the clocks and waits. A test can implement it to skip waits.
///
/// ```
/// use std::sync::Mutex;
/// use std::time::Duration;
/// use strike_async::{BoxFuture, Now, Timer, UnixMillis};
///
/// /// A clock for tests. Every wait ends at once and advances the clock.
/// #[derive(Default)]
/// struct FakeTimer(Mutex<Duration>);
///
/// impl Timer for FakeTimer {
///     fn now(&self) -> Now {
///         let elapsed = *self.0.lock().unwrap();
///         Now::new(elapsed, UnixMillis::from_secs(1_700_000_000).saturating_add(elapsed))
///     }
///
///     fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
///         *self.0.lock().unwrap() += duration;
///         Box::pin(std::future::ready(()))
///     }
/// }
///
/// let timer = FakeTimer::default();
/// drop(timer.wait(Duration::from_secs(3600)));
/// assert_eq!(timer.now().monotonic, Duration::from_secs(3600));
/// ```
pub trait Timer: Send + Sync {
    /// Reads both clocks.
    fn now(&self) -> Now;

    /// Waits for this long. It may return early, because the caller checks the clock again.
    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()>;
}

impl<T: Timer + ?Sized> Timer for Arc<T> {
    fn now(&self) -> Now {
        (**self).now()
    }

    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
        (**self).wait(duration)
    }
}

#[cfg(feature = "tokio")]
pub use self::tokio_timer::TokioTimer;

#[cfg(feature = "tokio")]
mod tokio_timer {
    use std::fmt;
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    use strike_core::{Now, UnixMillis};

    use super::Timer;
    use crate::background::Background;
    use crate::transport::BoxFuture;

    /// The clocks of the operating system. It waits on a tokio runtime of this library.
    ///
    /// So it works in every runtime and executor, even in a tokio runtime without timers.
    /// `tokio::time::pause` has no effect on it. A test that skips waits needs its own [`Timer`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use strike_async::{Timer, TokioTimer};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let timer = TokioTimer::new();
    /// let before = timer.now();
    /// timer.wait(Duration::from_millis(2)).await;
    /// assert!(timer.now().monotonic - before.monotonic >= Duration::from_millis(2));
    /// # }
    /// ```
    pub struct TokioTimer {
        start: Instant,
        background: Background,
    }

    impl TokioTimer {
        /// Creates a timer. Its monotonic clock is zero now.
        #[must_use]
        #[expect(clippy::disallowed_methods, reason = "the timer is where the clock is read")]
        pub fn new() -> Self {
            Self { start: Instant::now(), background: Background::default() }
        }
    }

    impl Default for TokioTimer {
        fn default() -> Self {
            Self::new()
        }
    }

    impl fmt::Debug for TokioTimer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("TokioTimer")
        }
    }

    impl Timer for TokioTimer {
        #[expect(clippy::disallowed_methods, reason = "the timer is where the clocks are read")]
        fn now(&self) -> Now {
            // A wall clock before 1970 counts as 1970. No invoice is older than that.
            let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let millis = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
            Now::new(self.start.elapsed(), UnixMillis::from_millis(millis))
        }

        #[expect(clippy::disallowed_methods, reason = "the timer is where tasks sleep")]
        fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
            Box::pin(async move {
                let Ok(task) = self.background.spawn(async move { tokio::time::sleep(duration).await })
                else {
                    // The runtime could not be started. Returning early is allowed, but other tasks
                    // must be able to run.
                    return tokio::task::yield_now().await;
                };
                task.await;
            })
        }
    }
}
