//! The clocks of an instance. A test can move them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strike_async::{BoxFuture, Now, Timer, TokioTimer, UnixMillis};

/// A wait is at most this long. So it ends soon after the clock was moved.
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// The system's clocks, moved forward. Clones share the moves.
#[derive(Clone, Default)]
pub struct Clock {
    timer: Arc<TokioTimer>,
    ahead: Arc<Mutex<Duration>>,
    /// How far the wall clock of one instance is wrong, in milliseconds.
    skew: i64,
}

impl Clock {
    pub fn advance(&self, time: Duration) {
        *self.ahead.lock().unwrap() += time;
    }

    /// Returns a clock whose time of day is wrong.
    pub fn skewed(&self, millis: i64) -> Self {
        Self { skew: millis, ..self.clone() }
    }
}

impl Timer for Clock {
    fn now(&self) -> Now {
        let (now, ahead) = (self.timer.now(), *self.ahead.lock().unwrap());
        let unix = now.unix.saturating_add(ahead).as_millis().saturating_add_signed(self.skew);
        Now::new(now.monotonic + ahead, UnixMillis::from_millis(unix))
    }

    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.timer.wait(duration.min(LONGEST_WAIT))
    }
}
