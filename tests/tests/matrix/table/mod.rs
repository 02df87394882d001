//! The table: the expected outcome of each operation for each class of faults.
//!
//! An outcome is written as `OutcomeUnknown LookFirst 1r 0c`. The first part is the value, or the
//! error's kind and advice. `1r` is the number of complete requests that reached the server. `0c`
//! is the number of charges that were added. `Closed/MaybeSent` is a `Connection` error of that
//! kind and delivery. `or` separates outcomes that depend on timing. `2-6r` is a range. Both
//! adapters must have the same outcome.

mod bodies;
mod clocks;
mod connections;
pub mod differences;
mod lnbits;
mod phoenixd;
mod statuses;

use strike_tests::Dialect;

use crate::operation::Operation;

/// A group of faults with the same outcomes.
pub struct Class {
    pub title: &'static str,
    /// Their names. `fault` implements them.
    pub faults: &'static [&'static str],
    /// The description for users.
    pub means: &'static str,
    /// The expected outcome of each operation, in order.
    pub rows: [Row; Operation::ALL.len()],
}

/// The expected outcome of one operation.
pub struct Row {
    pub operation: Operation,
    pub expected: Expected,
}

pub enum Expected {
    Outcomes {
        /// If the fault affects only the first request that it can affect.
        once: &'static str,
        /// If the fault affects this request and all later ones.
        persistent: &'static str,
    },
    /// The fault does not apply to this operation, for this reason.
    Not(&'static str),
}

const fn row(operation: Operation, once: &'static str, persistent: &'static str) -> Row {
    Row { operation, expected: Expected::Outcomes { once, persistent } }
}

/// The same outcome, whether the fault persists or not.
const fn one(operation: Operation, outcome: &'static str) -> Row {
    row(operation, outcome, outcome)
}

const fn not(operation: Operation, reason: &'static str) -> Row {
    Row { operation, expected: Expected::Not(reason) }
}

/// All classes.
pub fn classes() -> impl Iterator<Item = &'static Class> {
    [connections::CLASSES, bodies::CLASSES, statuses::CLASSES, clocks::CLASSES].into_iter().flatten()
}

/// The classes of faults that only one backend has.
pub fn own_classes(dialect: Dialect) -> &'static [Class] {
    match dialect {
        Dialect::Strike => &[],
        Dialect::Phoenixd => phoenixd::CLASSES,
        Dialect::Lnbits => lnbits::CLASSES,
    }
}

/// One of the expected outcomes.
#[derive(Clone, Copy)]
pub struct Outcome<'a> {
    /// The value, or the error's kind.
    pub what: &'a str,
    /// The error's advice, if the operation failed.
    pub advice: Option<&'a str>,
    requests: &'a str,
    charges: &'a str,
}

impl<'a> Outcome<'a> {
    /// Parses every outcome of a cell.
    pub fn all(expected: &'a str) -> impl Iterator<Item = Self> {
        expected.split(" or ").map(Self::read)
    }

    fn read(words: &'a str) -> Self {
        let (rest, charges) = words.rsplit_once(' ').unwrap();
        let (rest, requests) = rest.rsplit_once(' ').unwrap();
        let (requests, charges) = (requests.strip_suffix('r').unwrap(), charges.strip_suffix('c').unwrap());
        // An advice begins with an upper case letter, and the second word of a value does not.
        match rest.rsplit_once(' ') {
            Some((what, advice)) if advice.starts_with(char::is_uppercase) => {
                Self { what, advice: Some(advice), requests, charges }
            }
            _ => Self { what: rest, advice: None, requests, charges },
        }
    }

    pub fn is_success(&self) -> bool {
        self.advice.is_none()
    }

    pub fn adds_a_charge(&self) -> bool {
        self.charges != "0"
    }

    /// The range of the number of requests.
    fn range(&self) -> (usize, usize) {
        let (least, most) = self.requests.split_once('-').unwrap_or((self.requests, self.requests));
        (least.parse().unwrap(), most.parse().unwrap())
    }

    fn most(&self) -> usize {
        self.range().1
    }

    fn allows(&self, actual: &Outcome<'_>) -> bool {
        let (least, most) = self.range();
        let within = (least..=most).contains(&actual.most());
        within && (self.what, self.advice, self.charges) == (actual.what, actual.advice, actual.charges)
    }
}

/// Returns true if an actual outcome is among the expected ones.
pub fn is_expected(expected: &str, actual: &str) -> bool {
    let actual = Outcome::read(actual);
    Outcome::all(expected).any(|outcome| outcome.allows(&actual))
}

/// Returns true if the outcome of a backend agrees with that of the Strike API.
///
/// A find takes fewer requests than a walk through the list. So a create-once may send fewer.
pub fn agrees(expected: &str, actual: &str, dialect: Dialect, operation: Operation) -> bool {
    let actual = Outcome::read(actual);
    let may_send_fewer = dialect != Dialect::Strike && operation.once();
    Outcome::all(expected).any(|outcome| {
        let fewer = Outcome { requests: actual.requests, ..outcome };
        outcome.allows(&actual)
            || (may_send_fewer && outcome.most() >= actual.most() && fewer.allows(&actual))
    })
}

#[test]
fn expected_outcomes_match_only_what_they_list() {
    let expected = "charge 1r 1c or OutcomeUnknown LookFirst 2-6r 0c";
    for actual in ["charge 1r 1c", "OutcomeUnknown LookFirst 2r 0c", "OutcomeUnknown LookFirst 6r 0c"] {
        assert!(is_expected(expected, actual), "{actual}");
    }
    for actual in [
        "charge 1r 0c",
        "charge 2r 1c",
        "paid charge 1r 1c",
        "OutcomeUnknown LookFirst 7r 0c",
        "OutcomeUnknown LookFirst 2r 1c",
        "OutcomeUnknown RetryLater 2r 0c",
        "Closed/MaybeSent LookFirst 2r 0c",
    ] {
        assert!(!is_expected(expected, actual), "{actual}");
    }
}
