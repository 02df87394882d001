//! The network between a machine and the server, with random faults.

use strike_core::http::{StatusCode, header};
use strike_core::{Delivery, HttpResponse, Reply, TransportError, TransportErrorKind};
use strike_tests::secrets::KEY;

use serde_json::Value;

use super::tally::Tally;

/// What happens to an exchange.
#[derive(Debug)]
pub(crate) struct ExchangePlan {
    /// When the request arrives, in milliseconds from now. `None` if it never arrives.
    pub(crate) arrives: Option<u64>,
    pub(crate) outcome: Outcome,
}

/// What the machine gets, and after how many milliseconds. The time counts from sending, or from
/// arrival for a response.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The server's response, possibly altered.
    Response(u64, Altered),
    /// This reply, whatever the server does.
    This(u64, Reply),
    /// No reply: the machine is polled without one.
    Nothing(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Altered {
    Not,
    Status(u16),
    Html,
    Truncated,
    BadRow,
}

fn failed(kind: TransportErrorKind, delivery: Delivery) -> Reply {
    Err(TransportError::new(kind, delivery))
}

fn status(status: u16) -> HttpResponse {
    let mut response = HttpResponse::new(format!("<html>{KEY}").into_bytes());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// Draws what happens to an exchange. `list` says whether it reads a page of the list.
pub(crate) fn plan_exchange(
    rng: &mut fastrand::Rng,
    permille: u32,
    list: bool,
    now: u64,
    tally: &mut Tally,
) -> ExchangePlan {
    let there = rng.u64(1..150);
    let back = rng.u64(1..150);
    if rng.u32(0..1000) >= permille {
        return ExchangePlan { arrives: Some(there), outcome: Outcome::Response(back, Altered::Not) };
    }
    let timeout = if rng.bool() { rng.u64(200..3000) } else { 30_000 };
    let lost = match rng.u8(0..3) {
        0 => (TransportErrorKind::Closed, there + back),
        1 => (TransportErrorKind::Cut, there + back),
        _ => (TransportErrorKind::Timeout, timeout.max(there + back)),
    };
    let outcome_lost = Outcome::This(lost.1, failed(lost.0, Delivery::MaybeSent));
    let (name, arrives, outcome) = match rng.u8(0..100) {
        0..14 => {
            let kinds = [
                TransportErrorKind::Dns,
                TransportErrorKind::ConnectionRefused,
                TransportErrorKind::Connect,
                TransportErrorKind::Timeout,
                TransportErrorKind::Tls,
            ];
            let kind = kinds[rng.usize(0..kinds.len())];
            ("unsent", None, Outcome::This(there, failed(kind, Delivery::Unsent)))
        }
        14..26 => ("lost request", None, outcome_lost),
        26..44 => ("lost reply", Some(there), outcome_lost),
        44..56 => {
            let after = match rng.u8(0..4) {
                0 | 1 => rng.u64(1..4000),
                2 => rng.u64(1..60_000),
                _ => rng.u64(60_000..900_000),
            };
            ("late request", Some(lost.1 + after), outcome_lost)
        }
        56..61 => ("5xx, not done", None, Outcome::This(there + back, Ok(status(500 + rng.u16(0..4))))),
        61..67 => ("5xx, done", Some(there), Outcome::Response(back, Altered::Status(500 + rng.u16(0..4)))),
        67..75 => {
            let mut response = status(429);
            let value = match rng.u8(0..4) {
                0 => None,
                1 => Some(rng.u64(0..50).to_string()),
                2 => Some(rng.u64(61..600).to_string()),
                _ => {
                    let at =
                        std::time::UNIX_EPOCH + std::time::Duration::from_millis(now + rng.u64(0..50_000));
                    Some(httpdate::fmt_http_date(at))
                }
            };
            if let Some(value) = value {
                response.headers_mut().insert(header::RETRY_AFTER, value.try_into().unwrap());
            }
            ("429", None, Outcome::This(there + back, Ok(response)))
        }
        75..79 => ("html", rng.bool().then_some(there), Outcome::Response(back, Altered::Html)),
        79..84 => ("truncated", Some(there), Outcome::Response(back, Altered::Truncated)),
        84..90 if list => ("bad row", Some(there), Outcome::Response(back, Altered::BadRow)),
        84..92 => ("no reply", rng.bool().then_some(there), Outcome::Nothing(timeout)),
        92..94 => ("401", None, Outcome::This(there + back, Ok(status(401)))),
        94..96 => ("408", rng.bool().then_some(there), Outcome::Response(back, Altered::Status(408))),
        96 => ("404", None, Outcome::This(there + back, Ok(status(404)))),
        _ => ("slow", Some(timeout / 2), Outcome::Response(timeout / 3, Altered::Not)),
    };
    tally.fault(name);
    // If the request does not arrive, a proxy makes up the response.
    match (arrives, outcome) {
        (None, Outcome::Response(after, altered)) => {
            let mut response = status(200);
            alter(&mut response, altered, rng);
            ExchangePlan { arrives, outcome: Outcome::This(there + after, Ok(response)) }
        }
        (arrives, outcome) => ExchangePlan { arrives, outcome },
    }
}

/// Alters a response.
pub(crate) fn alter(response: &mut HttpResponse, altered: Altered, rng: &mut fastrand::Rng) {
    match altered {
        Altered::Not => {}
        Altered::Status(code) => {
            *response = status(code);
        }
        Altered::Html => *response.body_mut() = format!("<html>Please log in, {KEY}</html>").into_bytes(),
        Altered::Truncated => {
            let length = response.body().len();
            response.body_mut().truncate(if length > 1 { rng.usize(1..length) } else { 0 });
        }
        Altered::BadRow => {
            let Ok(mut page) = serde_json::from_slice::<Value>(response.body()) else { return };
            let rows = if page.is_array() { &mut page } else { &mut page["data"] };
            let Some(rows) = rows.as_array_mut().filter(|rows| !rows.is_empty()) else { return };
            let at = rng.usize(0..rows.len());
            // The names of the fields of each backend.
            let fields = match rng.u8(0..3) {
                0 => &["amount_satoshi", "amount", "isPaid"],
                1 => &["customer_id", "external_id", "externalId"],
                _ => {
                    rows[at] = Value::Null;
                    &["", "", ""]
                }
            };
            for field in fields {
                if let Some(value) = rows[at].get_mut(*field) {
                    *value = serde_json::json!({ "unexpected": 7 });
                }
            }
            *response.body_mut() = serde_json::to_vec(&page).unwrap();
        }
    }
}
