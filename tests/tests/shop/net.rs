//! What can happen to an exchange between a machine and the host.

use strike_core::http::{StatusCode, header};
use strike_core::{Delivery, HttpResponse, Reply, TransportError, TransportErrorKind};

use super::tally::Tally;

/// What the machine hears, and when the host hears of it.
#[derive(Debug)]
pub(crate) struct Fate {
    /// When the request arrives, in milliseconds from now; `None` if never.
    pub(crate) arrives: Option<u64>,
    pub(crate) heard: Heard,
}

/// What the machine hears, and how many milliseconds after the request left, or after it arrived for an answer.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The host's answer, perhaps spoilt on the way.
    Answer(u64, Spoilt),
    /// This, whatever the host did.
    This(u64, Reply),
    /// Nothing: it is polled again instead.
    Nothing(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoilt {
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
    let mut response = HttpResponse::new(b"<html>".to_vec());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// Draws what happens to an exchange; `list` if it reads a page.
pub(crate) fn fate(rng: &mut fastrand::Rng, permille: u32, list: bool, now: u64, tally: &mut Tally) -> Fate {
    let way = rng.u64(1..150);
    let back = rng.u64(1..150);
    if rng.u32(0..1000) >= permille {
        return Fate { arrives: Some(way), heard: Heard::Answer(back, Spoilt::Not) };
    }
    let timeout = if rng.bool() { rng.u64(200..3000) } else { 30_000 };
    let lost = match rng.u8(0..3) {
        0 => (TransportErrorKind::Closed, way + back),
        1 => (TransportErrorKind::Cut, way + back),
        _ => (TransportErrorKind::Timeout, timeout.max(way + back)),
    };
    let heard_lost = Heard::This(lost.1, failed(lost.0, Delivery::MaybeSent));
    let (name, arrives, heard) = match rng.u8(0..100) {
        0..14 => {
            let kinds = [
                TransportErrorKind::Dns,
                TransportErrorKind::ConnectionRefused,
                TransportErrorKind::Connect,
                TransportErrorKind::Timeout,
                TransportErrorKind::Tls,
            ];
            let kind = kinds[rng.usize(0..kinds.len())];
            ("unsent", None, Heard::This(way, failed(kind, Delivery::Unsent)))
        }
        14..26 => ("lost request", None, heard_lost),
        26..44 => ("lost reply", Some(way), heard_lost),
        44..56 => {
            let after = match rng.u8(0..4) {
                0 | 1 => rng.u64(1..4000),
                2 => rng.u64(1..60_000),
                _ => rng.u64(60_000..900_000),
            };
            ("late request", Some(lost.1 + after), heard_lost)
        }
        56..61 => ("5xx, not done", None, Heard::This(way + back, Ok(status(500 + rng.u16(0..4))))),
        61..67 => ("5xx, done", Some(way), Heard::Answer(back, Spoilt::Status(500 + rng.u16(0..4)))),
        67..75 => {
            let mut answer = status(429);
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
                answer.headers_mut().insert(header::RETRY_AFTER, value.try_into().unwrap());
            }
            ("429", None, Heard::This(way + back, Ok(answer)))
        }
        75..79 => ("html", rng.bool().then_some(way), Heard::Answer(back, Spoilt::Html)),
        79..84 => ("truncated", Some(way), Heard::Answer(back, Spoilt::Truncated)),
        84..90 if list => ("bad row", Some(way), Heard::Answer(back, Spoilt::BadRow)),
        84..92 => ("no reply", rng.bool().then_some(way), Heard::Nothing(timeout)),
        92..94 => ("401", None, Heard::This(way + back, Ok(status(401)))),
        94..96 => ("408", rng.bool().then_some(way), Heard::Answer(back, Spoilt::Status(408))),
        96 => ("404", None, Heard::This(way + back, Ok(status(404)))),
        _ => ("slow", Some(timeout / 2), Heard::Answer(timeout / 3, Spoilt::Not)),
    };
    tally.fault(name);
    // What never arrives has no answer: the proxy that made one up needs no host.
    match (arrives, heard) {
        (None, Heard::Answer(after, spoilt)) => {
            let mut answer = status(200);
            spoil(&mut answer, spoilt, rng);
            Fate { arrives, heard: Heard::This(way + after, Ok(answer)) }
        }
        (arrives, heard) => Fate { arrives, heard },
    }
}

/// Spoils an answer on its way.
pub(crate) fn spoil(answer: &mut HttpResponse, spoilt: Spoilt, rng: &mut fastrand::Rng) {
    match spoilt {
        Spoilt::Not => {}
        Spoilt::Status(code) => {
            *answer = status(code);
        }
        Spoilt::Html => *answer.body_mut() = b"<html>Please log in to this network</html>".to_vec(),
        Spoilt::Truncated => {
            let length = answer.body().len();
            answer.body_mut().truncate(if length > 1 { rng.usize(1..length) } else { 0 });
        }
        Spoilt::BadRow => {
            let Ok(mut rows) = serde_json::from_slice::<Vec<serde_json::Value>>(answer.body()) else {
                return;
            };
            if rows.is_empty() {
                return;
            }
            let at = rng.usize(0..rows.len());
            match rng.u8(0..3) {
                0 => rows[at]["amount_satoshi"] = serde_json::Value::Null,
                1 => rows[at]["customer_id"] = 7.into(),
                _ => rows[at] = serde_json::Value::Null,
            }
            *answer.body_mut() = serde_json::to_vec(&rows).unwrap();
        }
    }
}
