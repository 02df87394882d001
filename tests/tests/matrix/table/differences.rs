//! The cells in which another backend differs from the Strike API, each with its reason.

use strike_tests::Dialect;

use crate::cell::Persistence;
use crate::operation::Operation::{self, CreateLost, Get, List, OnceLagging, OnceLost, Wait, Watch};

/// Cells of one backend that differ, for one reason.
pub struct Difference {
    pub dialect: Dialect,
    /// The names of the faults.
    pub faults: &'static [&'static str],
    /// The reason, for users.
    pub why: &'static str,
    pub cells: &'static [Differing],
}

/// The outcome of one operation. `None` if the cell agrees.
pub struct Differing {
    pub operation: Operation,
    pub once: Option<&'static str>,
    pub persistent: Option<&'static str>,
}

const fn both(operation: Operation, outcome: &'static str) -> Differing {
    Differing { operation, once: Some(outcome), persistent: Some(outcome) }
}

const fn each(operation: Operation, once: &'static str, persistent: &'static str) -> Differing {
    Differing { operation, once: Some(once), persistent: Some(persistent) }
}

const fn persistent(operation: Operation, outcome: &'static str) -> Differing {
    Differing { operation, once: None, persistent: Some(outcome) }
}

pub const ALL: &[Difference] = &[
    Difference {
        dialect: Dialect::Phoenixd,
        faults: &["another amount"],
        why: "phoenixd's list does not lag, so the first call finds the charge",
        cells: &[each(OnceLagging, "Payable 4r 1c", "Mismatch DoNotUse 4r 1c")],
    },
    Difference {
        dialect: Dialect::Lnbits,
        faults: &["403"],
        why: "LNbits sends 403 if the key has the wrong kind",
        cells: &[
            both(CreateLost, "Unauthorized CheckKey 1r 0c"),
            both(Get, "Unauthorized CheckKey 1r 0c"),
            both(List, "Unauthorized CheckKey 1r 0c"),
            both(Wait, "Unauthorized CheckKey 1r 0c"),
            both(Watch, "Unauthorized CheckKey 1r 0c"),
            both(OnceLost, "Unauthorized CheckKey 2r 0c"),
        ],
    },
    Difference {
        dialect: Dialect::Lnbits,
        faults: &["a forged response after the body"],
        why: "each charge is also read 5 s before the expiry",
        cells: &[both(Wait, "Expired 78r 0c"), both(Watch, "Expired 82r 0c")],
    },
    Difference {
        dialect: Dialect::Lnbits,
        faults: &["clock jumps ahead", "clock jumps back"],
        why: "each charge is also read 5 s before the expiry",
        cells: &[persistent(Wait, "Expired 78r 0c"), persistent(Watch, "Expired 82r 0c")],
    },
    Difference {
        dialect: Dialect::Lnbits,
        faults: &["nested 10,000 deep"],
        why: "a page is an object, so an array is not a page with one unreadable row",
        cells: &[both(List, "Undecodable CheckHost 1r 0c")],
    },
];

/// Returns the outcome of a cell that differs.
pub fn find(
    dialect: Dialect,
    fault: &str,
    operation: Operation,
    persistence: Persistence,
) -> Option<&'static str> {
    let applies = |it: &&Difference| it.dialect == dialect && it.faults.contains(&fault);
    let mut cells = ALL.iter().filter(applies).flat_map(|it| it.cells);
    let cell = cells.find(|cell| cell.operation == operation)?;
    match persistence {
        Persistence::Once => cell.once,
        Persistence::Persistent => cell.persistent,
    }
}
