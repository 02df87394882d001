//! Reads `page` and `size` from a query string. Other parameters are ignored.

use std::num::IntErrorKind;

use crate::response::ErrorResponse;

/// The number of rows of a page if the query has no `size`.
const DEFAULT_SIZE: usize = 30;
/// The limit for `size`. A larger value is reduced to it without an error. `Quirks::largest_page`
/// changes the limit.
pub(crate) const LARGEST_PAGE: usize = 1000;

/// Returns the page number, counted from 0, and the page size, which is at most `largest`.
pub(crate) fn read(query: &str, largest: usize) -> Result<(usize, usize), ErrorResponse> {
    // A negative page is empty, like a page after the last one.
    let (page, is_negative) = match number(query, "page")? {
        Some(page) => (usize::try_from(page).unwrap_or_default(), page < 0),
        None => (0, false),
    };
    let size = match number(query, "size")? {
        Some(size) => usize::try_from(size).unwrap_or_default(),
        None => DEFAULT_SIZE,
    }
    .min(largest);
    Ok((page, if is_negative { 0 } else { size }))
}

/// Reads an integer parameter. Values that do not fit into 64 bits saturate.
fn number(query: &str, name: &str) -> Result<Option<i64>, ErrorResponse> {
    let Some((_, value)) = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name) else {
        return Ok(None);
    };
    match value.parse::<i64>() {
        Ok(number) => Ok(Some(number)),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Ok(Some(i64::MAX)),
        Err(error) if *error.kind() == IntErrorKind::NegOverflow => Ok(Some(i64::MIN)),
        Err(_) => Err(ErrorResponse::bad_request(format!(
            "The query parameter '{name}' was malformed:\n'{value}' is not a number"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<(usize, usize), ErrorResponse> {
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
