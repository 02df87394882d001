//! Decides whether an invoice has expired, using the server's clock where it is known.

use std::time::Duration;

use http::{HeaderMap, header};

use crate::protocol::http_date;
use crate::values::{Now, UnixMillis};

/// The margin for a wrong local clock when it decides whether an invoice has expired: 10 minutes.
///
/// The server's clock decides whether an invoice has expired. The client reads it from the `Date`
/// header of the response. If there is no `Date`, or one before 2018, the client uses the local
/// clock minus this margin.
pub const CLOCK_MARGIN: Duration = Duration::from_secs(10 * 60);

/// The start of 2018, the year in which the hosted service opened. An earlier `Date` comes from a
/// clock that was not set.
const FIRST_DATE: UnixMillis = UnixMillis::from_secs(1_514_764_800);

/// Returns the `Date` of a response, or `None` if it is missing, malformed or before 2018.
pub(crate) fn date(headers: &HeaderMap) -> Option<UnixMillis> {
    let date = http_date::parse(headers.get(header::DATE)?.to_str().ok()?)?;
    (date >= FIRST_DATE).then_some(date)
}

/// Returns the server's time: its `Date`, or the local clock minus the margin.
pub(crate) fn server_time(date: Option<UnixMillis>, now: Now) -> UnixMillis {
    date.unwrap_or_else(|| now.unix.saturating_sub(CLOCK_MARGIN))
}

/// Whether an invoice has expired, according to the server's clock and the local clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// Not expired according to at least one clock, and the clocks differ by at most the margin.
    Payable,
    /// Expired according to every known clock.
    Expired,
    /// Expired according to the `Date`, but not according to the local clock, by more than the
    /// margin.
    Disputed,
}

/// Returns the earlier of two times: the server's and the local clock's.
///
/// Treating an invoice as expired too late is harmless. Doing it too early loses a payment or
/// creates a second payable invoice.
fn slowest_clock(date: Option<UnixMillis>, now: Now) -> UnixMillis {
    server_time(date, now).min(now.unix)
}

/// Compares an expiry with both clocks, so that a wrong `Date` alone cannot make an invoice count
/// as expired.
pub(crate) fn expiry(expires_at: UnixMillis, date: Option<UnixMillis>, now: Now) -> Expiry {
    if expires_at <= slowest_clock(date, now) {
        Expiry::Expired
    } else if expires_at <= server_time(date, now) && expires_at > now.unix.saturating_add(CLOCK_MARGIN) {
        Expiry::Disputed
    } else {
        Expiry::Payable
    }
}

/// Returns the time that is left until a deadline, by the clock that is behind.
///
/// Waits must also be limited by the monotonic clock, because the other clocks may stand still.
pub(crate) fn left(deadline: UnixMillis, date: Option<UnixMillis>, now: Now) -> Duration {
    deadline.saturating_since(slowest_clock(date, now))
}

/// Returns the reading that decides about expiry. Without a `Date`, the local clock alone decides, so
/// a jump ahead since `start` is taken out.
pub(crate) fn without_jump_ahead(date: Option<UnixMillis>, start: Option<Now>, now: Now) -> Now {
    let (None, Some(start)) = (date, start) else { return now };
    let passed = now.monotonic.saturating_sub(start.monotonic);
    Now::new(now.monotonic, now.unix.min(start.unix.saturating_add(passed)))
}

/// How long before the expiry a charge is read, if the expiry can hide a payment.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// Returns the time that is left until the read shortly before the expiry, by the server's clock.
/// `None` if that moment has passed.
pub(crate) fn until_last_look(
    expires_at: UnixMillis,
    date: Option<UnixMillis>,
    now: Now,
) -> Option<Duration> {
    let left = expires_at.saturating_sub(LAST_LOOK).saturating_since(date.unwrap_or(now.unix));
    Some(left).filter(|left| !left.is_zero())
}

/// Returns true if the expiry is so near that a read now is the one shortly before it.
pub(crate) fn is_last_look(expires_at: UnixMillis, date: Option<UnixMillis>, now: Now) -> bool {
    until_last_look(expires_at, date, now).is_none() && date.unwrap_or(now.unix) < expires_at
}

#[cfg(test)]
mod tests {
    use super::{CLOCK_MARGIN, Expiry, expiry, left};
    use crate::values::Now;
    use crate::values::UnixMillis;
    use std::time::Duration;

    #[test]
    fn expiry_needs_both_clocks() {
        let local = UnixMillis::from_secs(1_700_000_000);
        let now = Now::new(Duration::ZERO, local);
        let second = Duration::from_secs(1);
        let earlier = |by: Duration| local.saturating_sub(by);
        let later = |by: Duration| local.saturating_add(by);
        let hour = Duration::from_secs(3600);
        let far = UnixMillis::from_millis(u64::MAX);
        for (expires_at, date, expected) in [
            // Not expired by the server's clock, for several local clocks.
            (later(second), Some(local), Expiry::Payable),
            (earlier(hour), Some(earlier(hour + second)), Expiry::Payable),
            (far, Some(later(hour)), Expiry::Payable),
            // Expired by both clocks.
            (local, Some(local), Expiry::Expired),
            (earlier(hour), Some(local), Expiry::Expired),
            // Expired only by the server's clock, and within the margin.
            (later(second), Some(later(second)), Expiry::Payable),
            (later(CLOCK_MARGIN), Some(later(CLOCK_MARGIN)), Expiry::Payable),
            // Expired only by the server's clock, and not by the local clock with the margin.
            (later(CLOCK_MARGIN + second), Some(later(hour)), Expiry::Disputed),
            (later(hour), Some(UnixMillis::from_secs(4_102_444_800)), Expiry::Disputed),
            // No `Date`: only the local clock, minus the margin.
            (later(second), None, Expiry::Payable),
            (earlier(CLOCK_MARGIN - second), None, Expiry::Payable),
            (earlier(CLOCK_MARGIN), None, Expiry::Expired),
        ] {
            assert_eq!(expiry(expires_at, date, now), expected, "{expires_at:?} {date:?}");
        }
    }

    #[test]
    fn date_ahead_of_local_clock_does_not_shorten_a_wait() {
        let local = UnixMillis::from_secs(1_700_000_000);
        let now = Now::new(Duration::ZERO, local);
        let minutes = |n: i64| UnixMillis::from_secs(u64::try_from(1_700_000_000 + 60 * n).unwrap());
        for (deadline, date, expected) in [
            (minutes(0), Some(minutes(0)), 0),
            (minutes(1), Some(minutes(0)), 60),
            (minutes(5), Some(minutes(5)), 300),
            (minutes(10), Some(minutes(11)), 600),
            (minutes(60), Some(UnixMillis::from_millis(u64::MAX)), 3600),
            (minutes(-60), Some(minutes(60)), 0),
            // A server that is behind sets the expiry of its invoices by its own clock.
            (minutes(-60), Some(minutes(-60)), 0),
            (minutes(-60), Some(minutes(-61)), 60),
            (minutes(-10), None, 0),
            (minutes(-9), None, 60),
        ] {
            assert_eq!(left(deadline, date, now), Duration::from_secs(expected), "{deadline:?} {date:?}");
        }
    }
}
