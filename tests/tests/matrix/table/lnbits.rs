//! Faults that only LNbits has.

use super::{Class, not, one, row};
use crate::operation::Operation::{
    CreateLost, CreateStored, Get, List, OnceLagging, OnceLost, OnceStored, Wait, Watch,
};

#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class {
        title: "LNbits: 404 for an unknown wallet",
        faults: &["404 for an unknown wallet"],
        means: "LNbits sends this instead of a 401 if the key is wrong.",
        rows: [
            one(CreateLost,   "Unauthorized CheckKey 1r 0c"),
            not(CreateStored, "a rejection means that no charge was created"),
            one(Get,          "Unauthorized CheckKey 1r 0c"),
            one(List,         "Unauthorized CheckKey 1r 0c"),
            one(Wait,         "Unauthorized CheckKey 1r 0c"),
            one(Watch,        "Unauthorized CheckKey 1r 0c"),
            one(OnceLost,     "Unauthorized CheckKey 2r 0c"),
            not(OnceStored,   "a rejection means that no charge was created"),
            not(OnceLagging,  "a rejection means that no charge was created"),
        ],
    },
    Class {
        title: "LNbits: 200 without details",
        faults: &["200 without details"],
        means: "LNbits sends this instead of an error if the key is wrong and the request names a payment. Even if it \
                says `paid`, the charge does not count as paid.",
        rows: [
            not(CreateLost,   "only a request for one payment gets this response"),
            not(CreateStored, "only a request for one payment gets this response"),
            one(Get,          "Unauthorized CheckKey 1r 0c"),
            not(List,         "only a request for one payment gets this response"),
            one(Wait,         "Unauthorized CheckKey 1r 0c"),
            not(Watch,        "its first request is for a page"),
            not(OnceLost,     "only a request for one payment gets this response"),
            not(OnceStored,   "only a request for one payment gets this response"),
            not(OnceLagging,  "only a request for one payment gets this response"),
        ],
    },
    Class {
        title: "LNbits: 404 for an unknown path",
        faults: &["404 for an unknown path"],
        means: "The base URL is wrong. It does not mean that the charge does not exist. A wait and a watch retry.",
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
    Class {
        title: "LNbits: the node rejects an invoice",
        faults: &["520, failed"],
        means: "LNbits sends 520 with the status `failed` if the funding source rejects the order. Nothing was created.",
        rows: [
            one(CreateLost,   "BadRequest FixInput 1r 0c"),
            not(CreateStored, "a rejection means that no charge was created"),
            not(Get,          "only a create gets this response"),
            not(List,         "only a create gets this response"),
            not(Wait,         "only a create gets this response"),
            not(Watch,        "only a create gets this response"),
            one(OnceLost,     "BadRequest FixInput 2r 0c"),
            not(OnceStored,   "a rejection means that no charge was created"),
            not(OnceLagging,  "a rejection means that no charge was created"),
        ],
    },
    Class {
        title: "LNbits: the node is down",
        faults: &["520, pending"],
        means: "LNbits sends 520 with the status `pending` if it does not know whether the funding source has made the \
                invoice.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            not(Get,          "only a create gets this response"),
            not(List,         "only a create gets this response"),
            not(Wait,         "only a create gets this response"),
            not(Watch,        "only a create gets this response"),
            row(OnceLost,     "OutcomeUnknown LookFirst 4r 0c",  "OutcomeUnknown LookFirst 6r 0c"),
            row(OnceStored,   "Payable 3r 1c",                     "OutcomeUnknown LookFirst 6r 1c"),
            row(OnceLagging,  "Payable 6r 1c",                     "OutcomeUnknown LookFirst 8r 1c"),
        ],
    },
    Class {
        title: "LNbits: not installed",
        faults: &["307 to the installation"],
        means: "A server that was never set up redirects every request. Open it in a browser first.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            not(CreateStored, "a server that is not installed creates nothing"),
            one(Get,          "Redirected CheckHost 1r 0c"),
            one(List,         "Redirected CheckHost 1r 0c"),
            one(Wait,         "Redirected CheckHost 1r 0c"),
            one(Watch,        "Redirected CheckHost 1r 0c"),
            one(OnceLost,     "OutcomeUnknown LookFirst 4r 0c"),
            not(OnceStored,   "a server that is not installed creates nothing"),
            not(OnceLagging,  "a server that is not installed creates nothing"),
        ],
    },
];
