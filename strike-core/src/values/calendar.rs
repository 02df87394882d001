//! Converts between times since 1970 and dates of the Gregorian calendar, for the few formats of the protocols.

/// Returns the days from 1970 to a date, or `None` if there is no such date, or it is before 1970.
pub(crate) fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    // Years that begin in March have the leap day at their end.
    let (year_from_march, month_from_march) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    let leap_days = year_from_march / 4 - year_from_march / 100 + year_from_march / 400;
    let days = (365 * year_from_march + leap_days + day_of_year).checked_sub(TO_1970)?;
    (date(days) == (year, month, day)).then_some(days)
}

/// Returns the year, month and day that begins this many days after 1970.
pub(crate) const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + TO_1970;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let year = era * 400 + year;
    if month_from_march < 10 {
        (year, month_from_march + 3, day)
    } else {
        (year + 1, month_from_march - 9, day)
    }
}

/// The days from the first of March of the year 0 to 1970.
const TO_1970: u64 = 719_468;

/// Parses `08:49:37` as seconds. A leap second counts as the second before it.
pub(crate) fn time_of_day(text: &str) -> Option<u64> {
    let mut parts = text.split(':').map(|part| digits(part, 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let is_valid = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    is_valid.then(|| hour * 3600 + minute * 60 + second.min(59))
}

/// Parses a number of exactly this many digits, without a sign.
pub(crate) fn digits(text: &str, length: usize) -> Option<u64> {
    let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::{date, days};

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "dates until the year 9999")]
    fn each_day_until_the_year_10000_has_one_date() {
        for (number, expected) in (0..).zip(jiff::civil::date(1970, 1, 1).series(1.day())) {
            let (year, month, day) = date(number);
            assert_eq!(jiff::civil::date(year as i16, month as i8, day as i8), expected);
            assert_eq!(days(year, month, day), Some(number));
        }
        assert_eq!(date(2_932_897), (10_000, 1, 1));
    }

    #[test]
    fn days_that_do_not_exist_are_rejected() {
        for (year, month, day) in [
            (0, 1, 1),
            (1969, 12, 31),
            (1994, 0, 6),
            (1994, 13, 6),
            (1994, 11, 0),
            (1994, 11, 31),
            (2023, 2, 29),
            (2100, 2, 29),
        ] {
            assert_eq!(days(year, month, day), None, "{year}-{month}-{day}");
        }
    }
}
