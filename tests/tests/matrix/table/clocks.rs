//! Wall clocks that jump while the client waits.

use super::{Class, not, row};
use crate::operation::Operation::{
    CreateLost, CreateStored, Get, List, OnceLagging, OnceLost, OnceStored, Wait, Watch,
};

#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class {
        title: "The clock jumps",
        faults: &["clock jumps ahead", "clock jumps back"],
        means: "The wall clock jumps by ten years during the first delay. Delays use the monotonic clock, and \
                expiry uses the `Date` header of the responses. In the column \"once\" the payer pays later. In the \
                column \"persists\" nobody pays.",
        rows: [
            not(CreateLost,   "the operation has no delays"),
            not(CreateStored, "the operation has no delays"),
            not(Get,          "the operation has no delays"),
            not(List,         "the operation has no delays"),
            row(Wait,         "Paid 4r 0c",                      "Expired 77r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Expired 78r 0c"),
            not(OnceLost,     "the operation has no delays"),
            not(OnceStored,   "the operation has no delays"),
            not(OnceLagging,  "the operation has no delays"),
        ],
    },
];
