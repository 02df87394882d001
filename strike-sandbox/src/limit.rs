//! The rate limit: a number of requests per minute.

use std::time::Duration;

use strike_core::UnixMillis;

const MINUTE: Duration = Duration::from_secs(60);

/// The current minute and its number of requests.
#[derive(Clone, Default)]
pub(crate) struct Limit {
    minute_start: Option<UnixMillis>,
    used: u32,
}

impl Limit {
    /// Counts a request. The error is the number of seconds until the next minute starts.
    pub(crate) fn count(&mut self, per_minute: u32, now: UnixMillis) -> Result<(), u64> {
        let minute_end = match self.minute_start.map(|start| start.saturating_add(MINUTE)) {
            Some(end) if now < end => end,
            _ => {
                *self = Self { minute_start: Some(now), used: 0 };
                now.saturating_add(MINUTE)
            }
        };
        if self.used >= per_minute {
            return Err(minute_end.as_millis().saturating_sub(now.as_millis()).div_ceil(1000));
        }
        self.used = self.used.saturating_add(1);
        Ok(())
    }
}
