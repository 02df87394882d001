//! Parses the three date formats of HTTP.

use jiff::Timestamp;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;

use crate::values::UnixMillis;

/// Parses `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or
/// `Sun Nov  6 08:49:37 1994`.
///
/// Returns `None` for any other text, for a wrong weekday, and for a date before 1970.
pub(crate) fn parse(text: &str) -> Option<UnixMillis> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    let date = date.or_else(|| rfc850(text)).or_else(|| parse_as("%a %b %e %H:%M:%S %Y", text))?;
    u64::try_from(date.as_millisecond()).ok().map(UnixMillis::from_millis)
}

/// Parses the format with a two-digit year.
///
/// The weekday decides the century: the same date one hundred years later falls on another weekday.
fn rfc850(text: &str) -> Option<Timestamp> {
    let (day_and_month, year_and_time) = text.rsplit_once('-')?;
    let in_century =
        |century| parse_as("%A, %d-%b-%Y %H:%M:%S GMT", &format!("{day_and_month}-{century}{year_and_time}"));
    in_century(19).or_else(|| in_century(20))
}

fn parse_as(format: &str, text: &str) -> Option<Timestamp> {
    let date = strtime::parse(format, text).ok()?.to_datetime().ok()?;
    TimeZone::UTC.to_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn all_three_date_formats_are_parsed() {
        for (text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_799),
            ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Tuesday, 29-Feb-00 00:00:00 GMT", 951_782_400),
            ("Fri, 01 Jan 2100 00:00:00 GMT", 4_102_444_800),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            // 11 November is a Monday in 2075, but not in 1975.
            ("Monday, 11-Nov-75 08:49:37 GMT", 3_340_687_777),
        ] {
            assert_eq!(parse(text).map(|date| date.as_millis()), Some(seconds * 1000), "{text}");
        }
    }

    #[test]
    fn invalid_dates_are_rejected() {
        for text in [
            "",
            "soon",
            "-7",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-93 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 19940 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Wed, 29 Feb 2023 12:00:00 GMT",
            "Mon, 29 Feb 2100 12:00:00 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Sün, 06 Nov 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
