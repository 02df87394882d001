//! Wall clocks that jump while somebody waits.

use super::{Class, not, row};
use crate::operation::Operation::{
    CreateLost, CreateStored, Get, List, OnceLagging, OnceLost, OnceStored, Wait, Watch,
};

#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class {
        title: "The clock jumps",
        faults: &["clock jumps ahead", "clock jumps back"],
        means: "Ten years, during the first rest. Rests are counted by the monotonic clock, and expiry is \
                judged by the `Date` of the host's answers. \"CreateOnceOptions\" is with a payer who pays later, \"for \
                good\" without one.",
        rows: [
            not(CreateLost,   "it does not rest, and only rests and invoices know the time"),
            not(CreateStored, "it does not rest, and only rests and invoices know the time"),
            not(Get,          "it does not rest, and only rests and invoices know the time"),
            not(List,         "it does not rest, and only rests and invoices know the time"),
            row(Wait,         "Paid 4r 0c",                      "Expired 77r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Expired 78r 0c"),
            not(OnceLost,     "it does not rest, and only rests and invoices know the time"),
            not(OnceStored,   "it does not rest, and only rests and invoices know the time"),
            not(OnceLagging,  "it does not rest, and only rests and invoices know the time"),
        ],
    },
];
