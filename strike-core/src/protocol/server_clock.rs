//! Judges an invoice's expiry by the server's clock, as far as that clock is known.

use std::time::Duration;

use http::{HeaderMap, header};

use crate::protocol::http_date;
use crate::values::{Now, UnixMillis};

/// How far the local clock may be wrong before it counts against an invoice: 10 minutes.
///
/// The server's clock decides whether an invoice has expired. It is the `Date` of the response. Where there is none, or one
/// before 2018, the client uses the local clock less this margin.
pub const CLOCK_MARGIN: Duration = Duration::from_secs(10 * 60);

/// When the hosted service opened, in 2018. A `Date` before it comes from a clock that was never set.
const FIRST_DATE: UnixMillis = UnixMillis::from_secs(1_514_764_800);

/// Returns the `Date` of a response, if it has one that can be read and be right.
pub(crate) fn date(headers: &HeaderMap) -> Option<UnixMillis> {
    let date = http_date::parse(headers.get(header::DATE)?.to_str().ok()?)?;
    (date >= FIRST_DATE).then_some(date)
}

/// Returns the server's time: its `Date`, or the local clock less the margin.
pub(crate) fn server_time(date: Option<UnixMillis>, now: Now) -> UnixMillis {
    date.unwrap_or_else(|| now.unix.saturating_sub(CLOCK_MARGIN))
}

/// Whether an invoice has expired, as far as the clocks agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// One of the clocks says that it has not expired, and the other is not far from that.
    Payable,
    /// Every clock that is known says that it has expired.
    Expired,
    /// The `Date` says that it has expired. The local clock says, by more than the margin, that it has not.
    Disputed,
}

/// Returns the earliest that it is by any clock: the `Date` or the local clock, whichever is behind the other.
///
/// Giving up money a little late is harmless. Giving it up early loses a payment, or makes a second payable invoice.
fn slowest_clock(date: Option<UnixMillis>, now: Now) -> UnixMillis {
    server_time(date, now).min(now.unix)
}

/// Compares an expiry with both clocks, so that one wrong `Date` is not enough to give up an invoice.
pub(crate) fn expiry(expires_at: UnixMillis, date: Option<UnixMillis>, now: Now) -> Expiry {
    if expires_at <= slowest_clock(date, now) {
        Expiry::Expired
    } else if expires_at <= server_time(date, now) && expires_at > now.unix.saturating_add(CLOCK_MARGIN) {
        Expiry::Disputed
    } else {
        Expiry::Payable
    }
}

/// Returns how long it is until a moment, for a wait that ends then, by the clock that is behind the other.
///
/// Whoever waits also ends by the monotonic clock, so that no clock makes a wait endless.
pub(crate) fn left(moment: UnixMillis, date: Option<UnixMillis>, now: Now) -> Duration {
    moment.saturating_since(slowest_clock(date, now))
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
            // The server's clock says that it has not expired, whatever the local one says.
            (later(second), Some(local), Expiry::Payable),
            (earlier(hour), Some(earlier(hour + second)), Expiry::Payable),
            (far, Some(later(hour)), Expiry::Payable),
            // Both clocks say so, within the margin.
            (local, Some(local), Expiry::Expired),
            (earlier(hour), Some(local), Expiry::Expired),
            // Only the server's clock says so, and it may be that much fast.
            (later(second), Some(later(second)), Expiry::Payable),
            (later(CLOCK_MARGIN), Some(later(CLOCK_MARGIN)), Expiry::Payable),
            // Only the server's clock says so.
            (later(CLOCK_MARGIN + second), Some(later(hour)), Expiry::Disputed),
            (later(hour), Some(UnixMillis::from_secs(4_102_444_800)), Expiry::Disputed),
            // There is only the local clock.
            (later(second), None, Expiry::Payable),
            (earlier(CLOCK_MARGIN - second), None, Expiry::Payable),
            (earlier(CLOCK_MARGIN), None, Expiry::Expired),
        ] {
            assert_eq!(expiry(expires_at, date, now), expected, "{expires_at:?} {date:?}");
        }
    }

    #[test]
    fn a_date_that_is_ahead_ends_no_wait() {
        let local = UnixMillis::from_secs(1_700_000_000);
        let now = Now::new(Duration::ZERO, local);
        let minutes = |n: i64| UnixMillis::from_secs(u64::try_from(1_700_000_000 + 60 * n).unwrap());
        for (moment, date, expected) in [
            (minutes(0), Some(minutes(0)), 0),
            (minutes(1), Some(minutes(0)), 60),
            (minutes(5), Some(minutes(5)), 300),
            (minutes(10), Some(minutes(11)), 600),
            (minutes(60), Some(UnixMillis::from_millis(u64::MAX)), 3600),
            (minutes(-60), Some(minutes(60)), 0),
            // A server behind the local clock makes its invoices by its own.
            (minutes(-60), Some(minutes(-60)), 0),
            (minutes(-60), Some(minutes(-61)), 60),
            (minutes(-10), None, 0),
            (minutes(-9), None, 60),
        ] {
            assert_eq!(left(moment, date, now), Duration::from_secs(expected), "{moment:?} {date:?}");
        }
    }
}
