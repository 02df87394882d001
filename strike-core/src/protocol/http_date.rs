//! Parses the three date formats of HTTP.

use std::array;

use crate::values::UnixMillis;
use crate::values::calendar::{days, digits, time_of_day};

/// The weekdays, from that of 1970-01-01 on.
const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Parses `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or
/// `Sun Nov  6 08:49:37 1994`.
///
/// Returns `None` for any other text, for a wrong weekday, and for a date before 1970.
pub(crate) fn parse(text: &str) -> Option<UnixMillis> {
    let mut words = text.splitn(7, [' ', '-']);
    // A missing word is empty.
    let words: [&str; 7] = array::from_fn(|_| words.next().unwrap_or_default());
    let (weekday, day, month, year, time) = match words {
        [weekday, day, month, year, time, "GMT", ""] => (weekday.strip_suffix(',')?, day, month, year, time),
        [weekday, month, "", day, time, year, ""] | [weekday, month, day, time, year, "", ""] => {
            (weekday, day, month, year, time)
        }
        _ => return None,
    };
    let day = digits(day, 2).or_else(|| digits(day, 1))?;
    let month = (1..).zip(MONTHS).find(|(_, name)| *name == month)?.0;
    let on_weekday = |year| days(year, month, day).filter(|days| is_weekday(*days, weekday));
    let days = match digits(year, 2) {
        // The weekday decides the century: a hundred years later, a date has another weekday.
        Some(year) => on_weekday(1900 + year).or_else(|| on_weekday(2000 + year))?,
        None => on_weekday(digits(year, 4)?)?,
    };
    Some(UnixMillis::from_secs(days * 86_400 + time_of_day(time)?))
}

fn is_weekday(days: u64, name: &str) -> bool {
    let weekday = WEEKDAYS.iter().cycle().nth(usize::try_from(days % 7).unwrap_or_default());
    weekday.is_some_and(|weekday| *weekday == name || weekday.get(..3) == Some(name))
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
            "Sun, 06 Nov 1994 08:49:37 GMT GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT GMT",
            "Sun Nov  6 08:49:37 1994 GMT",
            "Sun Nov  6 08:49:37 1994  1994",
            "Sun, 06 nov 1994 08:49:37 GMT",
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
