//! Faults that only phoenixd has.

use super::{Class, not, one, row};
use crate::operation::Operation::{
    CreateLost, CreateStored, Get, List, OnceLagging, OnceLost, OnceStored, Wait, Watch,
};

#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class {
        title: "phoenixd: 404 for an unknown endpoint",
        faults: &["404 for an unknown endpoint"],
        means: "phoenixd has two kinds of 404. Only the text `Not found` means that it has no such payment. The other \
                text means a wrong base URL, or an old version.",
        rows: [
            one(CreateLost,   "PathNotFound CheckHost 1r 0c"),
            not(CreateStored, "a rejection means that no charge was created"),
            one(Get,          "PathNotFound CheckHost 1r 0c"),
            one(List,         "PathNotFound CheckHost 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "PathNotFound CheckHost 2r 0c"),
            row(Watch,        "Paid 2r 0c",                      "PathNotFound CheckHost 2r 0c"),
            one(OnceLost,     "PathNotFound CheckHost 2r 0c"),
            not(OnceStored,   "a rejection means that no charge was created"),
            not(OnceLagging,  "a rejection means that no charge was created"),
        ],
    },
];
