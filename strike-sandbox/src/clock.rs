//! The sandbox's clock: the system clock or a manual one. Both can be moved forward.

use std::time::{Duration, SystemTime};

use strike_core::UnixMillis;

/// The latest timestamp of an invoice, in the year 3058. The field has 35 bits.
const LAST_SECOND: u64 = (1 << 35) - 1;

/// The sandbox's clock. It stops at [`LAST_SECOND`].
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// The time of a manual clock. `None` means the system clock.
    set_to: Option<UnixMillis>,
    /// The total of all moves.
    ahead: Duration,
}

impl Clock {
    pub(crate) const fn new(set_to: Option<UnixMillis>) -> Self {
        Self { set_to, ahead: Duration::ZERO }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        let base = self.set_to.unwrap_or_else(system_time);
        base.saturating_add(self.ahead).min(UnixMillis::from_secs(LAST_SECOND))
    }

    /// Undoes all moves.
    pub(crate) const fn reset(&mut self) {
        self.ahead = Duration::ZERO;
    }

    /// Returns the real time until this moment. `None` for a manual clock, which does not run.
    #[cfg(feature = "server")]
    pub(crate) fn until(&self, moment: UnixMillis) -> Option<Duration> {
        let runs = self.set_to.is_none();
        runs.then(|| moment.saturating_since(self.now()))
    }

    /// Returns how far the clock was moved forward.
    pub(crate) const fn ahead(&self) -> Duration {
        self.ahead
    }

    /// Restores the clock of an earlier process. The clock never starts before `seen`, the latest
    /// time that the earlier process used.
    ///
    /// Otherwise new charges could be older than existing ones, and expired charges could be paid.
    #[cfg(feature = "sqlite")]
    pub(crate) fn resume(&mut self, ahead: Duration, seen: UnixMillis) {
        if let Some(moment) = &mut self.set_to {
            *moment = (*moment).max(seen);
        } else {
            self.ahead = ahead;
            let behind = seen.as_millis().saturating_sub(self.now().as_millis());
            self.advance(Duration::from_millis(behind));
        }
    }

    pub(crate) const fn advance(&mut self, by: Duration) {
        self.ahead = self.ahead.saturating_add(by);
    }
}

/// Returns the system time, or 1970 if the system clock is set to an earlier time.
fn system_time() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis::from_millis(0).saturating_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_clock_moves_only_when_advanced() {
        let mut clock = Clock::new(Some(UnixMillis::from_millis(1_500)));
        assert_eq!(clock.now(), UnixMillis::from_millis(1_500));
        clock.advance(Duration::from_millis(700));
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), UnixMillis::from_millis(3_200));
    }

    #[test]
    fn system_clock_can_be_advanced() {
        let mut clock = Clock::new(None);
        let before = system_time();
        clock.advance(Duration::from_secs(3600));
        assert!(clock.now() >= before.saturating_add(Duration::from_secs(3600)));
    }

    #[cfg(feature = "server")]
    #[test]
    fn until_returns_a_duration_only_for_the_system_clock() {
        let start = UnixMillis::from_millis(1_500);
        assert_eq!(Clock::new(Some(start)).until(start.saturating_add(Duration::from_secs(1))), None);
        let running = Clock::new(None);
        assert_eq!(running.until(start), Some(Duration::ZERO));
        let hour = Duration::from_secs(3600);
        assert!(running.until(running.now().saturating_add(hour)).is_some_and(|wait| wait <= hour));
        assert!(running.until(UnixMillis::from_secs(LAST_SECOND)).is_some_and(|wait| wait > hour));
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn resumed_clock_keeps_its_offset_and_never_goes_back() {
        let hour = Duration::from_secs(3600);
        let mut system = Clock::new(None);
        system.resume(hour, UnixMillis::from_millis(0));
        assert_eq!(system.ahead(), hour);
        let future = system_time().saturating_add(10 * hour);
        system.resume(hour, future);
        assert!(system.now() >= future && system.now() < future.saturating_add(hour));

        let mut manual = Clock::new(Some(UnixMillis::from_secs(10)));
        manual.resume(hour, UnixMillis::from_secs(9));
        assert_eq!(manual.now(), UnixMillis::from_secs(10));
        manual.resume(hour, UnixMillis::from_secs(11));
        assert_eq!(manual.now(), UnixMillis::from_secs(11));
    }

    #[test]
    fn clock_stops_at_the_latest_invoice_timestamp() {
        let mut clock = Clock::new(Some(UnixMillis::from_millis(u64::MAX)));
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), UnixMillis::from_secs(34_359_738_367));
    }
}
