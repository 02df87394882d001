//! Reads `page` and `size` from a query; whatever else stands there is ignored.

use std::num::IntErrorKind;

use crate::answer::Refusal;

/// How many rows a page has unless the caller says.
const DEFAULT_SIZE: usize = 30;
/// More are silently not given, unless a quirk says otherwise.
pub(crate) const LARGEST_PAGE: usize = 1000;

/// The page, counted from 0, and its size, which is at most the largest.
pub(crate) fn read(query: &str, largest: usize) -> Result<(usize, usize), Refusal> {
    // A page before the first is as empty as one after the last.
    let (page, before_the_first) = match number(query, "page")? {
        Some(page) => (usize::try_from(page).unwrap_or_default(), page < 0),
        None => (0, false),
    };
    let size = match number(query, "size")? {
        Some(size) => usize::try_from(size).unwrap_or_default(),
        None => DEFAULT_SIZE,
    }
    .min(largest);
    Ok((page, if before_the_first { 0 } else { size }))
}

/// A number that is too large for 64 bits is a number still.
fn number(query: &str, name: &str) -> Result<Option<i64>, Refusal> {
    let Some((_, value)) = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name) else {
        return Ok(None);
    };
    match value.parse::<i64>() {
        Ok(number) => Ok(Some(number)),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Ok(Some(i64::MAX)),
        Err(error) if *error.kind() == IntErrorKind::NegOverflow => Ok(Some(i64::MIN)),
        Err(_) => Err(Refusal::bad_request(format!(
            "The query parameter '{name}' was malformed:\n'{value}' is not a number"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<(usize, usize), Refusal> {
        super::read(query, LARGEST_PAGE)
    }

    #[test]
    fn page_and_size_are_optional_and_unknown_parameters_are_ignored() {
        for query in ["", "1", "order=up", "&&", "page"] {
            // A bare `page` has an empty value, which is not a number.
            assert_eq!(read(query).ok(), (query != "page").then_some((0, 30)), "{query}");
        }
        assert_eq!(read("page=2"), Ok((2, 30)));
        assert_eq!(read("size=1"), Ok((0, 1)));
        assert_eq!(read("size=5&page=3"), Ok((3, 5)));
    }

    #[test]
    fn out_of_range_values_are_clamped_and_non_numbers_are_rejected() {
        assert_eq!(read("size=1001"), Ok((0, 1000)));
        assert_eq!(read("size=99999999999999999999"), Ok((0, 1000)));
        assert_eq!(read("size=0"), Ok((0, 0)));
        assert_eq!(read("size=-1"), Ok((0, 0)));
        assert_eq!(read("page=-1"), Ok((0, 0)));
        assert_eq!(read("page=-99999999999999999999"), Ok((0, 0)));
        assert!(read("page=99999999999999999999").is_ok_and(|(page, _)| page > 1 << 30));
        for query in ["page=one", "size=1.5", "page=", "size=0x10"] {
            assert!(read(query).is_err(), "{query}");
        }
    }
}
