//! The table: for each class of faults and each operation, what is stated to come of it.
//!
//! An outcome is written `OutcomeUnknown LookFirst 1r 0c`: the value, or the error's kind and advice; how many whole requests
//! reached the host; how many charges there are afterwards that were not there before. `Closed/MaybeSent` is a `Connection`
//! of that kind and delivery. `or` stands between outcomes of which luck decides, and `2-6r` for any number of requests in
//! between. Both adapters must come to the same.

mod answers;
mod clocks;
mod connections;
mod statuses;

use crate::operation::Operation;

/// Faults of which the same comes.
pub struct Class {
    pub title: &'static str,
    /// Their names; what each of them does is in `fault`.
    pub faults: &'static [&'static str],
    /// What it means, for users.
    pub means: &'static str,
    /// One for each operation, in order.
    pub rows: [Row; Operation::ALL.len()],
}

/// One operation under these faults.
pub struct Row {
    pub operation: Operation,
    pub stated: Stated,
}

pub enum Stated {
    Outcomes {
        /// If it happens once: to the first request of the operation that can meet it.
        passes: &'static str,
        /// If it happens to that one and all that follow.
        stays: &'static str,
    },
    /// It does not apply, because.
    Not(&'static str),
}

const fn row(operation: Operation, passes: &'static str, stays: &'static str) -> Row {
    Row { operation, stated: Stated::Outcomes { passes, stays } }
}

/// The same outcome, whether it passes or stays.
const fn one(operation: Operation, outcome: &'static str) -> Row {
    row(operation, outcome, outcome)
}

const fn not(operation: Operation, because: &'static str) -> Row {
    Row { operation, stated: Stated::Not(because) }
}

/// All of it.
pub fn classes() -> impl Iterator<Item = &'static Class> {
    [connections::CLASSES, answers::CLASSES, statuses::CLASSES, clocks::CLASSES].into_iter().flatten()
}

/// One of the outcomes that are stated.
pub struct Outcome<'a> {
    /// The value, or the error's kind.
    pub what: &'a str,
    /// The error's advice.
    pub advice: Option<&'a str>,
    requests: &'a str,
    charges: &'a str,
}

impl<'a> Outcome<'a> {
    /// Every outcome in a statement.
    pub fn all(stated: &'a str) -> impl Iterator<Item = Self> {
        stated.split(" or ").map(Self::read)
    }

    fn read(words: &'a str) -> Self {
        let (rest, charges) = words.rsplit_once(' ').unwrap();
        let (rest, requests) = rest.rsplit_once(' ').unwrap();
        let (requests, charges) = (requests.strip_suffix('r').unwrap(), charges.strip_suffix('c').unwrap());
        // Values begin with a digit, are lower case, or are one word.
        match rest.rsplit_once(' ') {
            Some((what, advice)) if advice.starts_with(char::is_uppercase) => {
                Self { what, advice: Some(advice), requests, charges }
            }
            _ => Self { what: rest, advice: None, requests, charges },
        }
    }

    pub fn is_good(&self) -> bool {
        self.advice.is_none()
    }

    pub fn makes_a_charge(&self) -> bool {
        self.charges != "0"
    }

    fn allows(&self, seen: &Outcome<'_>) -> bool {
        let (least, most) = self.requests.split_once('-').unwrap_or((self.requests, self.requests));
        let number = |text: &str| text.parse::<usize>().unwrap();
        let within = (number(least)..=number(most)).contains(&number(seen.requests));
        within && (self.what, self.advice, self.charges) == (seen.what, seen.advice, seen.charges)
    }
}

/// Whether what was seen is what is stated.
pub fn is_as_stated(stated: &str, seen: &str) -> bool {
    let seen = Outcome::read(seen);
    Outcome::all(stated).any(|outcome| outcome.allows(&seen))
}

#[test]
fn a_statement_allows_what_it_says_and_nothing_else() {
    let stated = "charge 1r 1c or OutcomeUnknown LookFirst 2-6r 0c";
    for seen in ["charge 1r 1c", "OutcomeUnknown LookFirst 2r 0c", "OutcomeUnknown LookFirst 6r 0c"] {
        assert!(is_as_stated(stated, seen), "{seen}");
    }
    for seen in [
        "charge 1r 0c",
        "charge 2r 1c",
        "paid charge 1r 1c",
        "OutcomeUnknown LookFirst 7r 0c",
        "OutcomeUnknown LookFirst 2r 1c",
        "OutcomeUnknown RetryLater 2r 0c",
        "Closed/MaybeSent LookFirst 2r 0c",
    ] {
        assert!(!is_as_stated(stated, seen), "{seen}");
    }
}
