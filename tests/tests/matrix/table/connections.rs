//! Connections that are never made, break, or hang.

use super::{Class, not, one, row};
use crate::operation::Operation::{
    CreateLost, CreateStored, Get, List, OnceLagging, OnceLost, OnceStored, Wait, Watch,
};

/// What comes of a connection that is reset as soon as it stands.
const RESET: &str =
    "Closed/MaybeSent RetryLater 0r 0c or Closed/Unsent RetryLater 0r 0c or Connect/Unsent RetryLater 0r 0c";

#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class {
        title: "Nothing answers at the address",
        faults: &["connection refused"],
        means: "Nothing listens on that port, or not yet.",
        rows: [
            row(CreateLost,   "charge 1r 1c",                    "ConnectionRefused/Unsent RetryLater 0r 0c"),
            not(CreateStored, "nothing whole arrives, so nothing can have been stored before it fails"),
            row(Get,          "charge 1r 0c",                    "ConnectionRefused/Unsent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "ConnectionRefused/Unsent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "ConnectionRefused/Unsent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "ConnectionRefused/Unsent RetryLater 0r 0c"),
            row(OnceLost,     "Payable 3r 1c",                     "ConnectionRefused/Unsent RetryLater 2r 0c"),
            not(OnceStored,   "nothing whole arrives, so nothing can have been stored before it fails"),
            not(OnceLagging,  "nothing whole arrives, so nothing can have been stored before it fails"),
        ],
    },
    Class {
        title: "The name does not resolve",
        faults: &["name does not resolve"],
        means: "The host in the base URL has no address, or no name server can be asked. For one of ACINQ's \
                hosts the advice is `ServiceClosed`.",
        rows: [
            row(CreateLost,   "charge 1r 1c",                    "Dns/Unsent RetryLater 0r 0c"),
            not(CreateStored, "nothing whole arrives, so nothing can have been stored before it fails"),
            row(Get,          "charge 1r 0c",                    "Dns/Unsent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "Dns/Unsent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "Dns/Unsent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "Dns/Unsent RetryLater 0r 0c"),
            row(OnceLost,     "Payable 3r 1c",                     "Dns/Unsent RetryLater 2r 0c"),
            not(OnceStored,   "nothing whole arrives, so nothing can have been stored before it fails"),
            not(OnceLagging,  "nothing whole arrives, so nothing can have been stored before it fails"),
        ],
    },
    Class {
        title: "Connecting takes too long",
        faults: &["connecting hangs", "handshake hangs"],
        means: "Time ran out before the connection stood, TLS handshake included.",
        rows: [
            row(CreateLost,   "charge 1r 1c",                    "Timeout/Unsent RetryLater 0r 0c"),
            not(CreateStored, "nothing whole arrives, so nothing can have been stored before it fails"),
            row(Get,          "charge 1r 0c",                    "Timeout/Unsent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "Timeout/Unsent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "Timeout/Unsent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "Timeout/Unsent RetryLater 0r 0c"),
            row(OnceLost,     "Payable 3r 1c",                     "Timeout/Unsent RetryLater 2r 0c"),
            not(OnceStored,   "nothing whole arrives, so nothing can have been stored before it fails"),
            not(OnceLagging,  "nothing whole arrives, so nothing can have been stored before it fails"),
        ],
    },
    Class {
        title: "The connection breaks while it is made",
        faults: &["handshake reset"],
        means: "It was closed or reset before the TLS handshake was over.",
        rows: [
            row(CreateLost,   "charge 1r 1c",                    "Connect/Unsent RetryLater 0r 0c"),
            not(CreateStored, "nothing whole arrives, so nothing can have been stored before it fails"),
            row(Get,          "charge 1r 0c",                    "Connect/Unsent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "Connect/Unsent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "Connect/Unsent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "Connect/Unsent RetryLater 0r 0c"),
            row(OnceLost,     "Payable 3r 1c",                     "Connect/Unsent RetryLater 2r 0c"),
            not(OnceStored,   "nothing whole arrives, so nothing can have been stored before it fails"),
            not(OnceLagging,  "nothing whole arrives, so nothing can have been stored before it fails"),
        ],
    },
    Class {
        title: "The certificate is refused",
        faults: &["unknown issuer", "wrong name", "expired certificate"],
        means: "Nobody trusted has signed it, or it is for another host, or it has run out. The key was not \
                sent. Asking again does not help: name an authority of your own with `ca_certificate`, or \
                correct the base URL.",
        rows: [
            one(CreateLost,   "Tls/Unsent CheckHost 0r 0c"),
            not(CreateStored, "nothing whole arrives, so nothing can have been stored before it fails"),
            one(Get,          "Tls/Unsent CheckHost 0r 0c"),
            one(List,         "Tls/Unsent CheckHost 0r 0c"),
            one(Wait,         "Tls/Unsent CheckHost 0r 0c"),
            one(Watch,        "Tls/Unsent CheckHost 0r 0c"),
            one(OnceLost,     "Tls/Unsent CheckHost 2r 0c"),
            not(OnceStored,   "nothing whole arrives, so nothing can have been stored before it fails"),
            not(OnceLagging,  "nothing whole arrives, so nothing can have been stored before it fails"),
        ],
    },
    Class {
        title: "Reset before the request",
        faults: &["reset before the request"],
        means: "The connection stood, and was reset at once. Whether the client notices before it sends is a \
                matter of luck, and so is which of the two outcomes it is.",
        rows: [
            row(CreateLost,   "charge 1r 1c or OutcomeUnknown LookFirst 0r 0c",
                              "OutcomeUnknown LookFirst 0r 0c or Closed/Unsent RetryLater 0r 0c or Connect/Unsent RetryLater 0r 0c"),
            not(CreateStored, "nothing whole arrives, so nothing can have been stored before it fails"),
            row(Get,          "charge 1r 0c",                    RESET),
            row(List,         "3 charges 1r 0c",                 RESET),
            row(Wait,         "Paid 1r 0c",                      RESET),
            row(Watch,        "Paid 1r 0c",                      RESET),
            row(OnceLost,     "Payable 3r 1c or OutcomeUnknown LookFirst 6r 0c",
                              "OutcomeUnknown LookFirst 2r 0c or Closed/Unsent RetryLater 2r 0c or Connect/Unsent RetryLater 2r 0c"),
            not(OnceStored,   "nothing whole arrives, so nothing can have been stored before it fails"),
            not(OnceLagging,  "nothing whole arrives, so nothing can have been stored before it fails"),
        ],
    },
    Class {
        title: "Reset inside the request",
        faults: &["reset during the request"],
        means: "Some of the request left. The host cannot have acted upon half of it, but the client cannot \
                know that it was half.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 0r 0c"),
            not(CreateStored, "nothing whole arrives, so nothing can have been stored before it fails"),
            row(Get,          "charge 1r 0c",                    "Closed/MaybeSent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "Closed/MaybeSent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "Closed/MaybeSent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "Closed/MaybeSent RetryLater 0r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 6r 0c",  "OutcomeUnknown LookFirst 2r 0c"),
            not(OnceStored,   "nothing whole arrives, so nothing can have been stored before it fails"),
            not(OnceLagging,  "nothing whole arrives, so nothing can have been stored before it fails"),
        ],
    },
    Class {
        title: "A kept connection had gone stale",
        faults: &["stale connection"],
        means: "The host closed an idle connection. A client that notices uses a new one. A client that has begun \
                to send cannot tell this from a lost response. Clients here drop idle connections after 15 s, \
                before hosts do. A create always uses a new connection, unless `RetryPolicy` allows otherwise.",
        rows: [
            not(CreateLost,   "the answer is the service's own, and what it shows is stored"),
            one(CreateStored, "charge 1r 1c"),
            row(Get,          "charge 1r 0c",                    "charge 1r 0c or Closed/MaybeSent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "3 charges 1r 0c or Closed/MaybeSent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "Paid 1r 0c or Closed/MaybeSent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "Paid 1r 0c or Closed/MaybeSent RetryLater 0r 0c"),
            not(OnceLost,     "the answer is the service's own, and what it shows is stored"),
            one(OnceStored,   "Payable 3r 1c"),
            one(OnceLagging,  "Payable 2r 1c"),
        ],
    },
    Class {
        title: "A kept connection is closed when the next request arrives on it",
        faults: &["kept connection closes"],
        means: "The host ends idle connections at the moment a request arrives. A read is retried at once, the \
                first time. A create is not affected: it uses a new connection, unless `RetryPolicy` allows otherwise.",
        rows: [
            not(CreateLost,   "a create uses a new connection, on which nothing is lost"),
            one(CreateStored, "charge 1r 1c"),
            row(Get,          "charge 2r 0c",                    "Closed/MaybeSent RetryLater 3r 0c"),
            row(List,         "3 charges 2r 0c",                 "Closed/MaybeSent RetryLater 3r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Closed/MaybeSent RetryLater 6r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Closed/MaybeSent RetryLater 6r 0c"),
            not(OnceLost,     "a create uses a new connection, on which nothing is lost"),
            one(OnceStored,   "Payable 3r 1c"),
            one(OnceLagging,  "Payable 2r 1c"),
        ],
    },
    Class {
        title: "Closed before an answer",
        faults: &["reset after the request", "closed before an answer"],
        means: "The request arrived, and no byte of an answer came back: what pystrike met on the first \
                request after an idle time. A read is asked again at once, the first time.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            row(Get,          "charge 2r 0c",                    "Closed/MaybeSent RetryLater 3r 0c"),
            row(List,         "3 charges 2r 0c",                 "Closed/MaybeSent RetryLater 3r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Closed/MaybeSent RetryLater 6r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Closed/MaybeSent RetryLater 6r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 7r 0c",  "OutcomeUnknown LookFirst 6r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 6r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 8r 1c"),
        ],
    },
    Class {
        title: "Cut inside the answer",
        faults: &[
            "closed after the headers", "reset after the headers", "body shorter than declared",
            "chunks cut off",
        ],
        means: "The answer began, and its connection ended before it did. Half an answer is none, even if it \
                looks whole.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            row(Get,          "charge 2r 0c",                    "Cut/MaybeSent RetryLater 3r 0c"),
            row(List,         "3 charges 2r 0c",                 "Cut/MaybeSent RetryLater 3r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Cut/MaybeSent RetryLater 6r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Cut/MaybeSent RetryLater 6r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 7r 0c",  "OutcomeUnknown LookFirst 6r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 6r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 8r 1c"),
        ],
    },
    Class {
        title: "Time ran out after sending",
        faults: &[
            "no headers", "headers drip", "body drips", "body stalls", "endless 100",
        ],
        means: "The limit is for the whole exchange: bytes that still come do not prolong it.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 1r 0c"),
            one(CreateStored, "OutcomeUnknown LookFirst 1r 1c"),
            row(Get,          "charge 2r 0c",                    "Timeout/MaybeSent RetryLater 3r 0c"),
            row(List,         "3 charges 2r 0c",                 "Timeout/MaybeSent RetryLater 3r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Timeout/MaybeSent RetryLater 6r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Timeout/MaybeSent RetryLater 6r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 7r 0c",  "OutcomeUnknown LookFirst 6r 0c"),
            row(OnceStored,   "Payable 5r 1c",                     "OutcomeUnknown LookFirst 6r 1c"),
            row(OnceLagging,  "Payable 7r 1c",                     "OutcomeUnknown LookFirst 8r 1c"),
        ],
    },
];
