//! Answers with 200 that are not what they should be, or come with something in front or behind.

use super::{Class, not, one, row};
use crate::operation::Operation::{
    CreateLost, CreateStored, Get, List, OnceLagging, OnceLost, OnceStored, Wait, Watch,
};

#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class {
        title: "An answer with something around it",
        faults: &["100 before the answer", "103 before the answer", "body longer than declared"],
        means: "Interim answers are passed over; what follows the declared end of a body is not read.",
        rows: [
            not(CreateLost,   "the answer is the service's own, and what it shows is stored"),
            one(CreateStored, "charge 1r 1c"),
            one(Get,          "charge 1r 0c"),
            one(List,         "3 charges 1r 0c"),
            one(Wait,         "Paid 1r 0c"),
            one(Watch,        "Paid 1r 0c"),
            not(OnceLost,     "the answer is the service's own, and what it shows is stored"),
            one(OnceStored,   "Payable 3r 1c"),
            one(OnceLagging,  "Payable 2r 1c"),
        ],
    },
    Class {
        title: "Another answer forged behind the body",
        faults: &["a forged answer behind the body"],
        means: "What stands behind an answer is never taken for the next one. Nobody pays here, while the \
                forgery says so each time: a wait and a watch end with the invoice.",
        rows: [
            not(CreateLost,   "the answer is the service's own, and what it shows is stored"),
            one(CreateStored, "charge 1r 1c"),
            one(Get,          "charge 1r 0c"),
            one(List,         "3 charges 1r 0c"),
            one(Wait,         "Expired 77r 0c"),
            one(Watch,        "Expired 78r 0c"),
            not(OnceLost,     "the answer is the service's own, and what it shows is stored"),
            one(OnceStored,   "Payable 3r 1c"),
            one(OnceLagging,  "Payable 2r 1c"),
        ],
    },
    Class {
        title: "The body is too large",
        faults: &["huge body, declared", "huge body, undeclared", "huge body in chunks"],
        means: "Reading stops one byte beyond the limit, 1 MiB unless `RetryPolicy::max_body` says \
                otherwise. A watch asks for ever smaller pages first.",
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
        title: "The body is not the API's",
        faults: &[
            "compressed bomb", "204", "empty 200", "invalid JSON", "HTML with 200", "invalid UTF-8",
        ],
        means: "Something else answers in place of the host: a proxy's page, say. Nothing is ever inflated. \
                The beginning of the body is in the error, without the key.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            one(Get,          "Undecodable CheckHost 1r 0c"),
            one(List,         "Undecodable CheckHost 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Undecodable CheckHost 2r 0c"),
            row(Watch,        "Paid 3r 0c",                      "Undecodable CheckHost 2r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 7r 0c",  "OutcomeUnknown LookFirst 4r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 4r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 4r 1c"),
        ],
    },
    Class {
        title: "The body is nested without end",
        faults: &["nested 10,000 deep"],
        means: "It is read without recursion. In a list it is one row that cannot be read. A page \
                without one readable row is a failure for a watch.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            one(Get,          "Undecodable CheckHost 1r 0c"),
            one(List,         "0 charges and 1 unreadable 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Undecodable CheckHost 2r 0c"),
            row(Watch,        "Paid 3r 0c",                      "Undecodable CheckHost 2r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 7r 0c",  "OutcomeUnknown LookFirst 9r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 9r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 14r 1c"),
        ],
    },
    Class {
        title: "The charge cannot be read",
        faults: &["duplicate keys", "wrong types", "numbers beyond u64"],
        means: "A field is there twice, of another type, or too large. In a list that is one unreadable row, \
                and the others are read; a watch asks about that charge by itself.",
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
        means: "A well-formed answer that says something else: amount, description, key, invoice, or, later on, \
                anything that a charge keeps for life. What is read without knowing better is handed over. The \
                charge is in the error; do not show its invoice, and do not complete the order.",
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
