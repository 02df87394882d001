//! Responses with status 200 and an unusable body, or with extra data before or after the response.

use super::{Class, not, one, row};
use crate::operation::Operation::{
    CreateLost, CreateStored, Get, List, OnceLagging, OnceLost, OnceStored, Wait, Watch,
};

#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class {
        title: "A response with extra data around it",
        faults: &["100 before the response", "103 before the response", "body longer than declared"],
        means: "Interim responses are skipped. Bytes after the declared end of the body are not read.",
        rows: [
            not(CreateLost,   "the response comes from the service, which has stored the charge"),
            one(CreateStored, "charge 1r 1c"),
            one(Get,          "charge 1r 0c"),
            one(List,         "3 charges 1r 0c"),
            one(Wait,         "Paid 1r 0c"),
            one(Watch,        "Paid 1r 0c"),
            not(OnceLost,     "the response comes from the service, which has stored the charge"),
            one(OnceStored,   "Payable 3r 1c"),
            one(OnceLagging,  "Payable 2r 1c"),
        ],
    },
    Class {
        title: "A forged second response after the body",
        faults: &["a forged response after the body"],
        means: "Bytes after a response are never taken for the next response. In this test nobody pays, and the \
                forged response says that the charge is paid. The wait and the watch end when the invoice expires.",
        rows: [
            not(CreateLost,   "the response comes from the service, which has stored the charge"),
            one(CreateStored, "charge 1r 1c"),
            one(Get,          "charge 1r 0c"),
            one(List,         "3 charges 1r 0c"),
            one(Wait,         "Expired 77r 0c"),
            one(Watch,        "Expired 78r 0c"),
            not(OnceLost,     "the response comes from the service, which has stored the charge"),
            one(OnceStored,   "Payable 3r 1c"),
            one(OnceLagging,  "Payable 2r 1c"),
        ],
    },
    Class {
        title: "The body is too large",
        faults: &["huge body, declared", "huge body, undeclared", "huge body in chunks"],
        means: "The client stops reading one byte after the limit. The limit is 1 MiB, unless you set \
                `RetryPolicy::max_body`. A watch retries with smaller pages.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            one(Get,          "TooLarge CheckHost 1r 0c"),
            one(List,         "TooLarge CheckHost 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "TooLarge CheckHost 2r 0c"),
            row(Watch,        "Paid 2r 0c",                      "TooLarge CheckHost 7r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 7r 0c",  "OutcomeUnknown LookFirst 4r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 4r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 4r 1c"),
        ],
    },
    Class {
        title: "The body is not from the API",
        faults: &[
            "compressed bomb", "204", "empty 200", "invalid JSON", "HTML with 200", "invalid UTF-8",
        ],
        means: "Something between client and server responds, such as a proxy with an HTML page. The client never \
                decompresses a body. The error has the beginning of the body, without the key.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            one(Get,          "Undecodable CheckHost 1r 0c"),
            one(List,         "Undecodable CheckHost 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Undecodable CheckHost 2r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Undecodable CheckHost 2r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 7r 0c",  "OutcomeUnknown LookFirst 4r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 4r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 4r 1c"),
        ],
    },
    Class {
        title: "The body is nested too deeply",
        faults: &["nested 10,000 deep"],
        means: "Parsing does not recurse. In a list, such a row is unreadable. A watch treats a page without a \
                readable row as a failure.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            one(Get,          "Undecodable CheckHost 1r 0c"),
            one(List,         "0 charges and 1 unreadable 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Undecodable CheckHost 2r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Undecodable CheckHost 2r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 7r 0c",  "OutcomeUnknown LookFirst 9r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 9r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 14r 1c"),
        ],
    },
    Class {
        title: "The charge cannot be parsed",
        faults: &["duplicate keys", "wrong types", "numbers beyond u64"],
        means: "A field is duplicated, has the wrong type, or is too large. In a list, this row is unreadable, and \
                the other rows are returned. A watch reads that charge with a single `get`.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            one(Get,          "Undecodable CheckHost 1r 0c"),
            one(List,         "2 charges and 1 unreadable 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Undecodable CheckHost 2r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Failed with Undecodable CheckHost 4r 0c"),
            one(OnceLost,     "OutcomeUnknown LookFirst 7r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 5r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 7r 1c"),
        ],
    },
    Class {
        title: "The charge is not what was ordered",
        faults: &["another amount"],
        means: "The response is well-formed, but the amount, description, key, invoice or another field that never \
                changes is different. `get` and `list` have nothing to compare with, and return it. The error holds \
                the charge. Do not show its invoice, and do not complete the order.",
        rows: [
            one(CreateLost,   "Mismatch DoNotUse 1r 0c"),
            one(CreateStored, "Mismatch DoNotUse 1r 1c"),
            one(Get,          "charge 1r 0c"),
            one(List,         "3 charges 1r 0c"),
            one(Wait,         "Mismatch DoNotUse 1r 0c"),
            one(Watch,        "Failed with Mismatch DoNotUse 1r 0c"),
            one(OnceLost,     "Mismatch DoNotUse 3r 0c"),
            one(OnceStored,   "Mismatch DoNotUse 3r 1c"),
            one(OnceLagging,  "OutcomeUnknown LookFirst 4r 1c"),
        ],
    },
];
