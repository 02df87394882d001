//! The clocks and the pause: the only file of this crate that may read the time.

use std::sync::Arc;
use std::time::Duration;

use strike_core::Now;

use crate::transport::BoxFuture;

/// Tells the time and waits. A test brings one of its own and has an hour pass at once.
pub trait Timer: Send + Sync {
    /// Reads both clocks.
    fn now(&self) -> Now;

    /// Is ready after that long. Being ready earlier is harmless: whoever waits looks at the clock again.
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

    /// The system's clocks. It waits on a tokio runtime of this library's own.
    ///
    /// So it works in every runtime and every executor, also in a tokio runtime without timers. It does not follow
    /// `tokio::time::pause`: a test that has time pass at once brings a [`Timer`] of its own.
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
        /// A timer whose monotonic clock starts now, at zero.
        #[must_use]
        #[expect(clippy::disallowed_methods, reason = "this is the place where the clock is read")]
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
        #[expect(clippy::disallowed_methods, reason = "this is the place where the clocks are read")]
        fn now(&self) -> Now {
            // A wall clock set before 1970 counts as 1970: no invoice is older than that.
            let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let millis = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
            Now::new(self.start.elapsed(), UnixMillis::from_millis(millis))
        }

        #[expect(clippy::disallowed_methods, reason = "this is the place where the task sleeps")]
        fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
            Box::pin(async move {
                let Ok(task) = self.background.spawn(async move { tokio::time::sleep(duration).await })
                else {
                    // Without a thread to wait on: an early end is harmless, as long as others get their turn.
                    return tokio::task::yield_now().await;
                };
                task.await;
            })
        }
    }
}
