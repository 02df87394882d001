//! Answers with a status that is no success.

use super::{Class, not, one, row};
use crate::operation::Operation::{
    CreateLost, CreateStored, Get, List, OnceLagging, OnceLost, OnceStored, Wait, Watch,
};

#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class {
        title: "Redirected",
        faults: &[
            "301 to another host", "301 to another port", "301 to another scheme", "302 to another host",
            "302 to another port", "302 to another scheme", "307 to another host", "307 to another port",
            "307 to another scheme", "308 to another host", "308 to another port", "308 to another scheme",
        ],
        means: "No redirect is followed: the key would go along, and nobody but the named host gets a \
                request. A redirected create may have been done (\"done, look there\"), so its outcome is \
                unknown. Correct the base URL.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            one(Get,          "Redirected CheckHost 1r 0c"),
            one(List,         "Redirected CheckHost 1r 0c"),
            one(Wait,         "Redirected CheckHost 1r 0c"),
            one(Watch,        "Redirected CheckHost 1r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 7r 0c",  "OutcomeUnknown LookFirst 4r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 4r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 4r 1c"),
        ],
    },
    Class {
        title: "401",
        faults: &["401"],
        means: "The key is wrong, or for another host or network.",
        rows: [
            one(CreateLost,   "Unauthorized CheckKey 1r 0c"),
            not(CreateStored, "a refusal is the host's word that it made nothing"),
            one(Get,          "Unauthorized CheckKey 1r 0c"),
            one(List,         "Unauthorized CheckKey 1r 0c"),
            one(Wait,         "Unauthorized CheckKey 1r 0c"),
            one(Watch,        "Unauthorized CheckKey 1r 0c"),
            one(OnceLost,     "Unauthorized CheckKey 3r 0c"),
            not(OnceStored,   "a refusal is the host's word that it made nothing"),
            not(OnceLagging,  "a refusal is the host's word that it made nothing"),
        ],
    },
    Class {
        title: "Rejected",
        faults: &["403", "409"],
        means: "The host understood, and will not.",
        rows: [
            one(CreateLost,   "Rejected CheckHost 1r 0c"),
            not(CreateStored, "a refusal is the host's word that it made nothing"),
            one(Get,          "Rejected CheckHost 1r 0c"),
            one(List,         "Rejected CheckHost 1r 0c"),
            one(Wait,         "Rejected CheckHost 1r 0c"),
            one(Watch,        "Rejected CheckHost 1r 0c"),
            one(OnceLost,     "Rejected CheckHost 3r 0c"),
            not(OnceStored,   "a refusal is the host's word that it made nothing"),
            not(OnceLagging,  "a refusal is the host's word that it made nothing"),
        ],
    },
    Class {
        title: "404 in the API's words",
        faults: &["404"],
        means: "There is no such charge in this account; for a create or a list, no such path: check the \
                base URL. A watch gives the error of a list at once, and looks at each charge alone.",
        rows: [
            one(CreateLost,   "NotFound CheckHost 1r 0c"),
            not(CreateStored, "a refusal is the host's word that it made nothing"),
            one(Get,          "NotFound CheckId 1r 0c"),
            one(List,         "NotFound CheckHost 1r 0c"),
            one(Wait,         "NotFound CheckId 1r 0c"),
            one(Watch,        "NotFound CheckHost 1r 0c"),
            one(OnceLost,     "NotFound CheckHost 3r 0c"),
            not(OnceStored,   "a refusal is the host's word that it made nothing"),
            not(OnceLagging,  "a refusal is the host's word that it made nothing"),
        ],
    },
    Class {
        title: "404 from a proxy",
        faults: &["404 from a proxy"],
        means: "Without the API's own words it is a proxy that knows no such path, not a host that knows no \
                such charge: a wait and a watch go on asking.",
        rows: [
            one(CreateLost,   "PathNotFound CheckHost 1r 0c"),
            not(CreateStored, "a refusal is the host's word that it made nothing"),
            one(Get,          "PathNotFound CheckHost 1r 0c"),
            one(List,         "PathNotFound CheckHost 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "PathNotFound CheckHost 2r 0c"),
            row(Watch,        "Paid 3r 0c",                      "PathNotFound CheckHost 2r 0c"),
            one(OnceLost,     "PathNotFound CheckHost 3r 0c"),
            not(OnceStored,   "a refusal is the host's word that it made nothing"),
            not(OnceLagging,  "a refusal is the host's word that it made nothing"),
        ],
    },
    Class {
        title: "Too many requests",
        faults: &[
            "429", "429, in seconds", "429, at a date", "429, negative",
        ],
        means: "`Retry-After` is obeyed up to 60 s, for a create too, since such a host has done nothing. \
                One that makes no sense is as good as none.",
        rows: [
            row(CreateLost,   "charge 2r 1c",                    "RateLimited RetryLater 3r 0c"),
            not(CreateStored, "a refusal is the host's word that it made nothing"),
            row(Get,          "charge 2r 0c",                    "RateLimited RetryLater 3r 0c"),
            row(List,         "3 charges 2r 0c",                 "RateLimited RetryLater 3r 0c"),
            row(Wait,         "Paid 2r 0c",                      "RateLimited RetryLater 6r 0c"),
            row(Watch,        "Paid 2r 0c",                      "RateLimited RetryLater 6r 0c"),
            row(OnceLost,     "Payable 4r 1c",                     "RateLimited RetryLater 5r 0c"),
            not(OnceStored,   "a refusal is the host's word that it made nothing"),
            not(OnceLagging,  "a refusal is the host's word that it made nothing"),
        ],
    },
    Class {
        title: "Too many requests, for ages",
        faults: &["429, absurd"],
        means: "A `Retry-After` beyond 60 s, or beyond `RetryPolicy::max_retry_after`, is not waited for, but is \
                in the error. A wait rests that long and looks again. A watch gives the error at once, rests \
                that long, and goes on; a hint breaks its rest.",
        rows: [
            one(CreateLost,   "RateLimited RetryLater 1r 0c"),
            not(CreateStored, "a refusal is the host's word that it made nothing"),
            one(Get,          "RateLimited RetryLater 1r 0c"),
            one(List,         "RateLimited RetryLater 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "RateLimited RetryLater 2r 0c"),
            one(Watch,        "RateLimited RetryLater 1r 0c"),
            one(OnceLost,     "RateLimited RetryLater 3r 0c"),
            not(OnceStored,   "a refusal is the host's word that it made nothing"),
            not(OnceLagging,  "a refusal is the host's word that it made nothing"),
        ],
    },
    Class {
        title: "The host failed",
        faults: &[
            "500 with text", "500 with HTML", "500 with JSON", "502 with text", "502 with HTML",
            "502 with JSON", "503 with text", "503 with HTML", "503 with JSON", "504 with text",
            "504 with HTML", "504 with JSON",
        ],
        means: "Whatever the body: a host that fails may have done what was asked.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            row(Get,          "charge 2r 0c",                    "Server RetryLater 3r 0c"),
            row(List,         "3 charges 2r 0c",                 "Server RetryLater 3r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Server RetryLater 6r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Server RetryLater 6r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 7r 0c",  "OutcomeUnknown LookFirst 6r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 6r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 8r 1c"),
        ],
    },
];
