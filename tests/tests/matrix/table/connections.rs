//! Connections that cannot be opened, break, or hang.

use super::{Class, not, one, row};
use crate::operation::Operation::{
    CreateLost, CreateStored, Get, List, OnceLagging, OnceLost, OnceStored, Wait, Watch,
};

/// The outcome of a read if the connection is reset immediately.
const RESET: &str =
    "Closed/MaybeSent RetryLater 0r 0c or Closed/Unsent RetryLater 0r 0c or Connect/Unsent RetryLater 0r 0c";

#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class {
        title: "The connection is refused",
        faults: &["connection refused"],
        means: "No server is listening on that port.",
        rows: [
            row(CreateLost,   "charge 1r 1c",                    "ConnectionRefused/Unsent RetryLater 0r 0c"),
            not(CreateStored, "the request does not arrive completely, so no charge is stored"),
            row(Get,          "charge 1r 0c",                    "ConnectionRefused/Unsent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "ConnectionRefused/Unsent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "ConnectionRefused/Unsent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "ConnectionRefused/Unsent RetryLater 0r 0c"),
            row(OnceLost,     "Payable 3r 1c",                     "ConnectionRefused/Unsent RetryLater 2r 0c"),
            not(OnceStored,   "the request does not arrive completely, so no charge is stored"),
            not(OnceLagging,  "the request does not arrive completely, so no charge is stored"),
        ],
    },
    Class {
        title: "The name does not resolve",
        faults: &["name does not resolve"],
        means: "The host in the base URL has no address, or no name server is reachable. For ACINQ's hosts \
                the advice is `ServiceClosed`.",
        rows: [
            row(CreateLost,   "charge 1r 1c",                    "Dns/Unsent RetryLater 0r 0c"),
            not(CreateStored, "the request does not arrive completely, so no charge is stored"),
            row(Get,          "charge 1r 0c",                    "Dns/Unsent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "Dns/Unsent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "Dns/Unsent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "Dns/Unsent RetryLater 0r 0c"),
            row(OnceLost,     "Payable 3r 1c",                     "Dns/Unsent RetryLater 2r 0c"),
            not(OnceStored,   "the request does not arrive completely, so no charge is stored"),
            not(OnceLagging,  "the request does not arrive completely, so no charge is stored"),
        ],
    },
    Class {
        title: "Connecting times out",
        faults: &["connecting hangs", "handshake hangs"],
        means: "The timeout ended before the connection was open. This includes the TLS handshake.",
        rows: [
            row(CreateLost,   "charge 1r 1c",                    "Timeout/Unsent RetryLater 0r 0c"),
            not(CreateStored, "the request does not arrive completely, so no charge is stored"),
            row(Get,          "charge 1r 0c",                    "Timeout/Unsent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "Timeout/Unsent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "Timeout/Unsent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "Timeout/Unsent RetryLater 0r 0c"),
            row(OnceLost,     "Payable 3r 1c",                     "Timeout/Unsent RetryLater 2r 0c"),
            not(OnceStored,   "the request does not arrive completely, so no charge is stored"),
            not(OnceLagging,  "the request does not arrive completely, so no charge is stored"),
        ],
    },
    Class {
        title: "The connection breaks while it is opened",
        faults: &["handshake reset"],
        means: "The connection was closed or reset before the TLS handshake was complete.",
        rows: [
            row(CreateLost,   "charge 1r 1c",                    "Connect/Unsent RetryLater 0r 0c"),
            not(CreateStored, "the request does not arrive completely, so no charge is stored"),
            row(Get,          "charge 1r 0c",                    "Connect/Unsent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "Connect/Unsent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "Connect/Unsent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "Connect/Unsent RetryLater 0r 0c"),
            row(OnceLost,     "Payable 3r 1c",                     "Connect/Unsent RetryLater 2r 0c"),
            not(OnceStored,   "the request does not arrive completely, so no charge is stored"),
            not(OnceLagging,  "the request does not arrive completely, so no charge is stored"),
        ],
    },
    Class {
        title: "The certificate is rejected",
        faults: &["unknown issuer", "wrong name", "expired certificate"],
        means: "The issuer is not trusted, the certificate is for another host, or it has expired. The key was not \
                sent. A retry does not help. Add your own authority with `ca_certificate`, or correct the base URL.",
        rows: [
            one(CreateLost,   "Tls/Unsent CheckHost 0r 0c"),
            not(CreateStored, "the request does not arrive completely, so no charge is stored"),
            one(Get,          "Tls/Unsent CheckHost 0r 0c"),
            one(List,         "Tls/Unsent CheckHost 0r 0c"),
            one(Wait,         "Tls/Unsent CheckHost 0r 0c"),
            one(Watch,        "Tls/Unsent CheckHost 0r 0c"),
            one(OnceLost,     "Tls/Unsent CheckHost 2r 0c"),
            not(OnceStored,   "the request does not arrive completely, so no charge is stored"),
            not(OnceLagging,  "the request does not arrive completely, so no charge is stored"),
        ],
    },
    Class {
        title: "Reset before the request",
        faults: &["reset before the request"],
        means: "The connection was opened and reset at once. The outcome depends on timing: the client may \
                notice the reset before or after it begins to send.",
        rows: [
            row(CreateLost,   "charge 1r 1c or OutcomeUnknown LookFirst 0r 0c",
                              "OutcomeUnknown LookFirst 0r 0c or Closed/Unsent RetryLater 0r 0c or Connect/Unsent RetryLater 0r 0c"),
            not(CreateStored, "the request does not arrive completely, so no charge is stored"),
            row(Get,          "charge 1r 0c",                    RESET),
            row(List,         "3 charges 1r 0c",                 RESET),
            row(Wait,         "Paid 1r 0c",                      RESET),
            row(Watch,        "Paid 1r 0c",                      RESET),
            row(OnceLost,     "Payable 3r 1c or OutcomeUnknown LookFirst 6r 0c",
                              "OutcomeUnknown LookFirst 2r 0c or Closed/Unsent RetryLater 2r 0c or Connect/Unsent RetryLater 2r 0c"),
            not(OnceStored,   "the request does not arrive completely, so no charge is stored"),
            not(OnceLagging,  "the request does not arrive completely, so no charge is stored"),
        ],
    },
    Class {
        title: "Reset during the request",
        faults: &["reset during the request"],
        means: "Part of the request was sent. The server cannot have processed a partial request, but the client \
                cannot tell that it was partial.",
        rows: [
            one(CreateLost,   "OutcomeUnknown LookFirst 0r 0c"),
            not(CreateStored, "the request does not arrive completely, so no charge is stored"),
            row(Get,          "charge 1r 0c",                    "Closed/MaybeSent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "Closed/MaybeSent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "Closed/MaybeSent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "Closed/MaybeSent RetryLater 0r 0c"),
            row(OnceLost,     "OutcomeUnknown LookFirst 6r 0c",  "OutcomeUnknown LookFirst 2r 0c"),
            not(OnceStored,   "the request does not arrive completely, so no charge is stored"),
            not(OnceLagging,  "the request does not arrive completely, so no charge is stored"),
        ],
    },
    Class {
        title: "The server closed an idle connection",
        faults: &["idle connection closed"],
        means: "A client that notices uses a new connection. A client that has begun to send cannot tell this from \
                a lost response. The clients close idle connections after 15 s, before most servers do. A create \
                always uses a new connection, unless `RetryPolicy` allows otherwise.",
        rows: [
            not(CreateLost,   "the response comes from the service, which has stored the charge"),
            one(CreateStored, "charge 1r 1c"),
            row(Get,          "charge 1r 0c",                    "charge 1r 0c or Closed/MaybeSent RetryLater 0r 0c"),
            row(List,         "3 charges 1r 0c",                 "3 charges 1r 0c or Closed/MaybeSent RetryLater 0r 0c"),
            row(Wait,         "Paid 1r 0c",                      "Paid 1r 0c or Closed/MaybeSent RetryLater 0r 0c"),
            row(Watch,        "Paid 1r 0c",                      "Paid 1r 0c or Closed/MaybeSent RetryLater 0r 0c"),
            not(OnceLost,     "the response comes from the service, which has stored the charge"),
            one(OnceStored,   "Payable 3r 1c"),
            one(OnceLagging,  "Payable 2r 1c"),
        ],
    },
    Class {
        title: "A reused connection is closed when the next request arrives",
        faults: &["reused connection closes"],
        means: "The server closes an idle connection at the moment a request arrives. The first retry of a read is \
                immediate. A create is not affected: it uses a new connection, unless `RetryPolicy` allows otherwise.",
        rows: [
            not(CreateLost,   "a create uses a new connection, which does not fail"),
            one(CreateStored, "charge 1r 1c"),
            row(Get,          "charge 2r 0c",                    "Closed/MaybeSent RetryLater 3r 0c"),
            row(List,         "3 charges 2r 0c",                 "Closed/MaybeSent RetryLater 3r 0c"),
            row(Wait,         "Paid 2r 0c",                      "Closed/MaybeSent RetryLater 6r 0c"),
            row(Watch,        "Paid 2r 0c",                      "Closed/MaybeSent RetryLater 6r 0c"),
            not(OnceLost,     "a create uses a new connection, which does not fail"),
            one(OnceStored,   "Payable 3r 1c"),
            one(OnceLagging,  "Payable 2r 1c"),
        ],
    },
    Class {
        title: "Closed before a response",
        faults: &["reset after the request", "closed before a response"],
        means: "The request arrived, and no byte of a response came back. pystrike users saw this on the first \
                request after an idle time. The first retry of a read is immediate.",
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
        title: "The response is truncated",
        faults: &[
            "closed after the headers", "reset after the headers", "body shorter than declared",
            "chunked body truncated",
        ],
        means: "The connection ended before the response did. A truncated response is an error, even if it looks \
                complete.",
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
        title: "Timeout after the request was sent",
        faults: &[
            "no headers", "headers drip", "body drips", "body stalls", "endless 100 responses",
        ],
        means: "The timeout covers the whole exchange. Bytes that still arrive do not extend it.",
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
