//! Responses with a status that is not a success.

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
        means: "Redirects are not followed: that would send the key to another host. The server may have \
                processed a redirected create, so its outcome is unknown. Correct the base URL.",
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
        means: "The key is wrong, or belongs to another server or network.",
        rows: [
            one(CreateLost,   "Unauthorized CheckKey 1r 0c"),
            not(CreateStored, "a rejection means that no charge was created"),
            one(Get,          "Unauthorized CheckKey 1r 0c"),
            one(List,         "Unauthorized CheckKey 1r 0c"),
            one(Wait,         "Unauthorized CheckKey 1r 0c"),
            one(Watch,        "Unauthorized CheckKey 1r 0c"),
            one(OnceLost,     "Unauthorized CheckKey 3r 0c"),
            not(OnceStored,   "a rejection means that no charge was created"),
            not(OnceLagging,  "a rejection means that no charge was created"),
        ],
    },
    Class {
        title: "Rejected",
        faults: &["403", "409"],
        means: "The server understood the request and rejects it.",
        rows: [
            one(CreateLost,   "Rejected CheckHost 1r 0c"),
            not(CreateStored, "a rejection means that no charge was created"),
            one(Get,          "Rejected CheckHost 1r 0c"),
            one(List,         "Rejected CheckHost 1r 0c"),
            one(Wait,         "Rejected CheckHost 1r 0c"),
            one(Watch,        "Rejected CheckHost 1r 0c"),
            one(OnceLost,     "Rejected CheckHost 3r 0c"),
            not(OnceStored,   "a rejection means that no charge was created"),
            not(OnceLagging,  "a rejection means that no charge was created"),
        ],
    },
    Class {
        title: "404 from the API",
        faults: &["404"],
        means: "The account has no such charge. For a create or a list, the path does not exist: check the base \
                URL. A watch returns the error of a list at once, and then reads each charge with a single `get`.",
        rows: [
            one(CreateLost,   "NotFound CheckHost 1r 0c"),
            not(CreateStored, "a rejection means that no charge was created"),
            one(Get,          "NotFound CheckId 1r 0c"),
            one(List,         "NotFound CheckHost 1r 0c"),
            one(Wait,         "NotFound CheckId 1r 0c"),
            one(Watch,        "NotFound CheckHost 1r 0c"),
            one(OnceLost,     "NotFound CheckHost 3r 0c"),
            not(OnceStored,   "a rejection means that no charge was created"),
            not(OnceLagging,  "a rejection means that no charge was created"),
        ],
    },
    Class {
        title: "404 from a proxy",
        faults: &["404 from a proxy"],
        means: "A 404 without the API's error body comes from a proxy that does not know the path. It does not mean \
                that the charge does not exist. A wait and a watch retry.",
        rows: [
            one(CreateLost,   "PathNotFound CheckHost 1r 0c"),
            not(CreateStored, "a rejection means that no charge was created"),
            one(Get,          "PathNotFound CheckHost 1r 0c"),
            one(List,         "PathNotFound CheckHost 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "PathNotFound CheckHost 2r 0c"),
            row(Watch,        "Paid 2r 0c",                      "PathNotFound CheckHost 2r 0c"),
            one(OnceLost,     "PathNotFound CheckHost 3r 0c"),
            not(OnceStored,   "a rejection means that no charge was created"),
            not(OnceLagging,  "a rejection means that no charge was created"),
        ],
    },
    Class {
        title: "Too many requests",
        faults: &[
            "429", "429, in seconds", "429, at a date", "429, negative",
        ],
        means: "The client waits for `Retry-After`, up to 60 s. This includes creates, since the server has not \
                processed the request. An invalid `Retry-After` is ignored.",
        rows: [
            row(CreateLost,   "charge 2r 1c",                    "RateLimited RetryLater 3r 0c"),
            not(CreateStored, "a rejection means that no charge was created"),
            row(Get,          "charge 2r 0c",                    "RateLimited RetryLater 3r 0c"),
            row(List,         "3 charges 2r 0c",                 "RateLimited RetryLater 3r 0c"),
            row(Wait,         "Paid 2r 0c",                      "RateLimited RetryLater 6r 0c"),
            row(Watch,        "Paid 2r 0c",                      "RateLimited RetryLater 6r 0c"),
            row(OnceLost,     "Payable 4r 1c",                     "RateLimited RetryLater 5r 0c"),
            not(OnceStored,   "a rejection means that no charge was created"),
            not(OnceLagging,  "a rejection means that no charge was created"),
        ],
    },
    Class {
        title: "Too many requests, with a long delay",
        faults: &["429, a long delay"],
        means: "If `Retry-After` is longer than `RetryPolicy::max_retry_after` (60 s by default), the client does \
                not wait, and the error has the delay. A wait pauses that long and reads again. A watch returns the \
                error at once, pauses that long, and continues. A hint ends the pause.",
        rows: [
            one(CreateLost,   "RateLimited RetryLater 1r 0c"),
            not(CreateStored, "a rejection means that no charge was created"),
            one(Get,          "RateLimited RetryLater 1r 0c"),
            one(List,         "RateLimited RetryLater 1r 0c"),
            row(Wait,         "Paid 2r 0c",                      "RateLimited RetryLater 2r 0c"),
            one(Watch,        "RateLimited RetryLater 1r 0c"),
            one(OnceLost,     "RateLimited RetryLater 3r 0c"),
            not(OnceStored,   "a rejection means that no charge was created"),
            not(OnceLagging,  "a rejection means that no charge was created"),
        ],
    },
    Class {
        title: "The server failed",
        faults: &[
            "500 with text", "500 with HTML", "500 with JSON", "502 with text", "502 with HTML",
            "502 with JSON", "503 with text", "503 with HTML", "503 with JSON", "504 with text",
            "504 with HTML", "504 with JSON",
        ],
        means: "A server that fails may have processed the request. The body does not matter.",
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
