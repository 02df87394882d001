//! What time it is in the sandbox: the system's or a fixed one, moved forward on request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use strike_core::UnixMillis;

/// The last second that an invoice can carry, in the year 3058: its timestamp has 35 bits.
const LAST_SECOND: u64 = (1 << 35) - 1;

/// The sandbox's clock. It never runs beyond [`LAST_SECOND`].
#[derive(Debug)]
pub(crate) struct Clock {
    /// The moment at which a manual clock was set; `None` follows the system.
    set_to: Option<UnixMillis>,
    /// How far it was moved forward since, in milliseconds.
    ahead: AtomicU64,
}

impl Clock {
    pub(crate) const fn new(set_to: Option<UnixMillis>) -> Self {
        Self { set_to, ahead: AtomicU64::new(0) }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        let base = self.set_to.unwrap_or_else(system_time);
        let ahead = Duration::from_millis(self.ahead.load(Ordering::SeqCst));
        base.saturating_add(ahead).min(UnixMillis::from_secs(LAST_SECOND))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        let moved = |ahead: u64| Some(ahead.saturating_add(by));
        // The closure always gives a value, so this cannot fail.
        let _ = self.ahead.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
    }
}

/// A clock set before 1970 reads as 1970.
fn system_time() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis::from_millis(0).saturating_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_until_it_is_moved() {
        let clock = Clock::new(Some(UnixMillis::from_millis(1_500)));
        assert_eq!(clock.now(), UnixMillis::from_millis(1_500));
        clock.advance(Duration::from_millis(700));
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), UnixMillis::from_millis(3_200));
    }

    #[test]
    fn the_system_s_clock_can_be_moved_too() {
        let clock = Clock::new(None);
        let before = system_time();
        clock.advance(Duration::from_secs(3600));
        assert!(clock.now() >= before.saturating_add(Duration::from_secs(3600)));
    }

    #[test]
    fn time_ends_where_invoices_end() {
        let clock = Clock::new(Some(UnixMillis::from_millis(u64::MAX)));
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), UnixMillis::from_secs(34_359_738_367));
    }
}
