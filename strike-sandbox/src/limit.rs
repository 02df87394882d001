//! Counts an account's requests against so many a minute.

use std::time::Duration;

use strike_core::UnixMillis;

const MINUTE: Duration = Duration::from_secs(60);

/// The minute that is running, and how many requests it has seen.
#[derive(Clone, Default)]
pub(crate) struct Limit {
    since: Option<UnixMillis>,
    used: u32,
}

impl Limit {
    /// Counts a request, or says in how many seconds there is room again.
    pub(crate) fn count(&mut self, per_minute: u32, now: UnixMillis) -> Result<(), u64> {
        let over = match self.since.map(|since| since.saturating_add(MINUTE)) {
            Some(over) if now < over => over,
            _ => {
                *self = Self { since: Some(now), used: 0 };
                now.saturating_add(MINUTE)
            }
        };
        if self.used >= per_minute {
            return Err(over.as_millis().saturating_sub(now.as_millis()).div_ceil(1000));
        }
        self.used = self.used.saturating_add(1);
        Ok(())
    }
}
