//! Selects requests by method, path and count.

use serde::{Deserialize, Serialize};
use strike_core::http::Method;

use super::json;

/// Selects the requests to which a fault applies.
///
/// A request must match the method and the path. Of those requests you can select the `n`-th, every
/// `n`-th, the first `n`, or a random part. Default: all of them.
///
/// ```
/// use strike_core::http::Method;
/// use strike_sandbox::faults::Match;
///
/// let second_create = Match::create().nth(2);
/// let some_reads = Match::any().method(Method::GET).path("/api/v1/**").chance(0.1);
/// # let _ = (second_create, some_reads);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Match {
    pub(super) method: Option<Method>,
    pub(super) path: Pattern,
    pub(super) when: When,
}

impl Match {
    /// Matches every request to the API, in the dialect of the service or of phoenixd.
    pub fn any() -> Self {
        Self { method: None, path: Pattern::default(), when: When::Always }
    }

    /// Matches requests that create a charge: `POST /api/v1/charges`.
    pub fn create() -> Self {
        Self::any().method(Method::POST).path("/api/v1/charges")
    }

    /// Matches requests for one charge: `GET /api/v1/charges/*`.
    pub fn get() -> Self {
        Self::any().method(Method::GET).path("/api/v1/charges/*")
    }

    /// Matches requests for a page of charges: `GET /api/v1/charges`.
    pub fn list() -> Self {
        Self::any().method(Method::GET).path("/api/v1/charges")
    }

    /// Matches requests that create an invoice in phoenixd's API: `POST /createinvoice`.
    pub fn phoenixd_create() -> Self {
        Self::any().method(Method::POST).path("/createinvoice")
    }

    /// Matches requests for one payment in phoenixd's API: `GET /payments/incoming/*`.
    pub fn phoenixd_get() -> Self {
        Self::any().method(Method::GET).path("/payments/incoming/*")
    }

    /// Matches requests for a list of payments in phoenixd's API: `GET /payments/incoming`.
    pub fn phoenixd_list() -> Self {
        Self::any().method(Method::GET).path("/payments/incoming")
    }

    /// Matches only requests with this method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Matches only requests whose path, without the query, matches the pattern.
    ///
    /// `*` stands for one segment. `**` at the end stands for any number of segments. Only paths
    /// below `/api/` and those of phoenixd's API can have faults.
    pub fn path(mut self, pattern: impl Into<String>) -> Self {
        self.path = Pattern(pattern.into());
        self
    }

    /// Selects only the `n`-th matching request, counted from 1. With 0, none.
    pub const fn nth(mut self, n: u64) -> Self {
        self.when = When::Nth(n);
        self
    }

    /// Selects every `n`-th matching request. With 3, the third, the sixth, and so on. With 0,
    /// none.
    pub const fn every(mut self, n: u64) -> Self {
        self.when = When::Every(n);
        self
    }

    /// Selects the first `n` matching requests.
    pub const fn first(mut self, n: u64) -> Self {
        self.when = When::First(n);
        self
    }

    /// Selects each matching request with this probability, from 0 (never) to 1 (always).
    ///
    /// The selection depends on the sandbox's seed.
    pub const fn chance(mut self, probability: f64) -> Self {
        self.when = When::Chance(probability);
        self
    }
}

/// A path in which `*` stands for one segment and `**` for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Pattern(#[serde(deserialize_with = "json::pattern")] String);

impl Default for Pattern {
    fn default() -> Self {
        Self("/**".to_owned())
    }
}

impl Pattern {
    /// Returns true if a path of these segments matches. Double and trailing slashes are ignored.
    pub(super) fn matches(&self, path: &[&str]) -> bool {
        let mut pattern = self.0.split('/').filter(|segment| !segment.is_empty()).peekable();
        let mut path = path.iter();
        while let Some(segment) = pattern.next() {
            if segment == "**" && pattern.peek().is_none() {
                return true;
            }
            match path.next() {
                Some(found) if segment == "*" || segment == *found => {}
                _ => return false,
            }
        }
        path.next().is_none()
    }
}

/// Which of the matching requests are selected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum When {
    #[default]
    Always,
    Nth(#[serde(deserialize_with = "json::positive")] u64),
    Every(#[serde(deserialize_with = "json::positive")] u64),
    First(#[serde(deserialize_with = "json::positive")] u64),
    Chance(#[serde(deserialize_with = "json::probability")] f64),
}

impl When {
    /// Returns true if the matching request with this number is selected. Numbers start at 1.
    ///
    /// `draw` returns a random number from 0 to 1, excluding 1.
    pub(super) fn applies(self, number: u64, draw: impl FnOnce() -> f64) -> bool {
        match self {
            Self::Always => true,
            Self::Nth(n) => number == n,
            Self::Every(n) => number.checked_rem(n) == Some(0),
            Self::First(n) => number <= n,
            Self::Chance(probability) => draw() < probability,
        }
    }

    pub(super) fn is_always(&self) -> bool {
        *self == Self::Always
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_patterns_match_whole_segments() {
        let matches = |pattern: &str, path: &str| {
            let path: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
            Pattern(pattern.to_owned()).matches(&path)
        };
        for (pattern, path) in [
            ("/api/v1/charges", "/api/v1/charges"),
            ("/api/v1/charges/", "/api//v1/charges"),
            ("/api/v1/charges/*", "/api/v1/charges/ch_1"),
            ("/api/*/charges", "/api/v2/charges"),
            ("/api/**", "/api/v1/charges/ch_1"),
            ("/api/**", "/api"),
            ("**", "/api/v1"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/api/v1/charges", "/api/v1/charges/ch_1"),
            ("/api/v1/charges/*", "/api/v1/charges"),
            ("/api/v1/charges/*", "/api/v1/charges/ch_1/x"),
            ("/api/v1/ch*", "/api/v1/charges"),
            ("/api/**/charges", "/api/v1/x/charges"),
            ("/API/**", "/api/v1"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn request_numbers_start_at_one() {
        let selected = |when: When| (1..=7).filter(|n| when.applies(*n, || 0.5)).collect::<Vec<u64>>();
        assert_eq!(selected(When::Always), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(selected(When::Nth(3)), [3]);
        assert_eq!(selected(When::Every(3)), [3, 6]);
        assert_eq!(selected(When::First(2)), [1, 2]);
        assert_eq!(selected(When::Chance(0.6)).len(), 7);
        for never in [When::Nth(0), When::Every(0), When::First(0), When::Chance(0.5), When::Chance(f64::NAN)]
        {
            assert!(selected(never).is_empty(), "{never:?}");
        }
    }
}
