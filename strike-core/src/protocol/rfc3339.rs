//! Parses times in the format of RFC 3339.

use crate::values::UnixMillis;
use crate::values::calendar::{days, digits, time_of_day};

/// Parses `2026-11-26T04:06:58.439543+00:00`. A time without an offset is read as UTC.
///
/// Returns `None` for any other text, and for a time before 1970.
pub(crate) fn parse(text: &str) -> Option<UnixMillis> {
    let (date, time) = text.split_once(['T', ' '])?;
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let days = days(digits(year, 4)?, digits(month, 2)?, digits(day, 2)?)?;

    let (clock, rest) = time.split_at_checked(8)?;
    let (fraction, offset) = rest.split_at_checked(rest.find(['Z', '+', '-']).unwrap_or(rest.len()))?;
    let local = i64::try_from(days * 86_400 + time_of_day(clock)?).ok()?;
    let seconds = u64::try_from(local - offset_seconds(offset)?).ok()?;
    Some(UnixMillis::from_millis(seconds * 1000 + milliseconds(fraction)?))
}

/// Parses `+01:00`, `Z` or nothing.
fn offset_seconds(text: &str) -> Option<i64> {
    if text.is_empty() || text == "Z" {
        return Some(0);
    }
    let seconds = i64::try_from(time_of_day(&format!("{}:00", text.get(1..)?))?).ok()?;
    if text.starts_with('-') { Some(-seconds) } else { Some(seconds) }
}

/// Parses `.439543` or nothing. Digits after the third are dropped.
fn milliseconds(text: &str) -> Option<u64> {
    if text.is_empty() {
        return Some(0);
    }
    let fraction = text.strip_prefix('.')?;
    digits(fraction, fraction.len())?;
    format!("{fraction:0<3}").get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn fractions_and_offsets_of_times_are_optional() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:30:00+00:30", 0),
            ("2023-11-14T22:13:20.123456+00:00", 1_700_000_000_123),
            ("2023-11-14T22:13:20.1239", 1_700_000_000_123),
            ("2023-11-14 22:13:20.5", 1_700_000_000_500),
            ("2023-11-14T16:43:20-05:30", 1_700_000_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] {
            assert_eq!(parse(text).map(|time| time.as_millis()), Some(millis), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_times_are_rejected() {
        for text in [
            "",
            "yesterday",
            "2023-11-14",
            "2023-11-14T",
            "2023-11-14T22:13Z",
            "2023-11-14T24:00:00Z",
            "2023-11-31T22:13:20Z",
            "2023-02-29T22:13:20Z",
            "23-11-14T22:13:20Z",
            "+2023-11-14T22:13:20Z",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20.+5Z",
            "2023-11-14T22:13:20.5ZZ",
            "2023-11-14T22:13:20+1:00",
            "2023-11-14T22:13:20+01",
            "2023-11-14T22:13:20 UTC",
            "2023-11-14T22:13:2ü",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
