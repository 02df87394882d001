//! A wait on the monotonic clock.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::machine::Step;
use crate::values::Now;

/// A wait on the monotonic clock. If that clock runs backwards, the wait does not become longer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pause {
    left: Duration,
    last_reading: Duration,
}

impl Pause {
    pub(crate) const fn new(length: Duration, now: Now) -> Self {
        Self { left: length, last_reading: now.monotonic }
    }

    /// Returns how long it still lasts, or `None` if it is over.
    pub(crate) fn left(&mut self, now: Now) -> Option<Duration> {
        self.left = self.left.saturating_sub(now.monotonic.saturating_sub(self.last_reading));
        self.last_reading = now.monotonic;
        Some(self.left).filter(|left| !left.is_zero())
    }

    /// Breaks with [`Step::Wait`] until it is over.
    pub(crate) fn poll<T>(&mut self, now: Now) -> ControlFlow<Step<T>> {
        match self.left(now) {
            Some(left) => ControlFlow::Break(Step::Wait(left)),
            None => ControlFlow::Continue(()),
        }
    }
}
