//! The scenarios that consist of single requests and waits, and the list of all scenarios.

use std::time::Duration;

use strike_core::{Delivery, NewCharge, Schedule, TransportErrorKind as Kind, Wait};

use crate::scenario::{Action, Expected, Fault, Key, Scenario};
use crate::table_multi_request;

pub const CLOSED: Fault = Fault::Fails(Kind::Closed, Delivery::MaybeSent);
pub const CUT: Fault = Fault::Fails(Kind::Cut, Delivery::MaybeSent);
pub const TIMED_OUT: Fault = Fault::Fails(Kind::Timeout, Delivery::MaybeSent);
pub const REFUSED: Fault = Fault::Fails(Kind::ConnectionRefused, Delivery::Unsent);
const DNS_FAILED: Fault = Fault::Fails(Kind::Dns, Delivery::Unsent);
const TLS_FAILED: Fault = Fault::Fails(Kind::Tls, Delivery::Unsent);
pub const OVERLOADED: Fault = instead(503, ("server", "a proxy"), "<html>busy</html>");
const LOGIN_PAGE: Fault = instead(200, ("server", "a hotspot"), "<html>please log in</html>");
const REDIRECT: Fault = instead(302, ("location", "http://127.0.0.1:9/"), "");
const RETRY_IN_7_S: Fault =
    instead(429, ("retry-after", "7"), r#"{"code":429,"message":"too many requests"}"#);
/// 12 seconds after the start of the clock.
const RETRY_AT_A_DATE: Fault = instead(429, ("retry-after", "Tue, 14 Nov 2023 22:13:32 GMT"), "");
const RETRY_IN_AN_HOUR: Fault = instead(429, ("retry-after", "3600"), "");

const fn instead(status: u16, header: (&'static str, &'static str), body: &'static str) -> Fault {
    Fault::Instead { status, header, body }
}

fn create() -> Action {
    Action::Create(NewCharge::satoshis(4200, "café & tea").customer_id("order-17"))
}

fn short_lived() -> Action {
    Action::Create(NewCharge::satoshis(1, "tea").expiry_sec(600))
}

fn wait() -> Action {
    Action::Wait(0, Wait::until_expiry())
}

/// A scenario without faults that takes no time.
pub fn plain(
    name: &'static str,
    steps: Vec<(Action, Expected)>,
    sends: usize,
    arrive: u64,
    charges: usize,
) -> Scenario {
    Scenario { name, key: Key::Right, faults: Vec::new(), steps, sends, arrive, charges, lasts: 0..=0 }
}

pub fn all() -> Vec<Scenario> {
    let mut all = without_faults();
    all.extend(rejected());
    all.extend(creates_with_unknown_outcome());
    all.extend(retried());
    all.extend(waits());
    all.extend(table_multi_request::all());
    all
}

fn without_faults() -> Vec<Scenario> {
    let after_a_payment = vec![
        (create(), Expected::Unpaid),
        (Action::Get(0), Expected::Unpaid),
        (Action::Pay(0), Expected::Nothing),
    ];
    let mut paid = after_a_payment;
    paid.extend([(Action::Get(0), Expected::Paid), (wait(), Expected::WaitedPaid)]);
    let mut pages: Vec<_> = (1..=5)
        .map(|amount| {
            (Action::Create(NewCharge::satoshis(amount, format!("item {amount}"))), Expected::Unpaid)
        })
        .collect();
    pages.extend([2, 2, 1, 0].into_iter().zip(0..).map(|(rows, page)| {
        let ask = Action::ListOf { page, size: 2 };
        (ask, Expected::Rows(rows))
    }));
    pages.push((Action::List(0), Expected::Rows(5)));
    pages.push((Action::List(1), Expected::Rows(0)));
    vec![
        plain("a created charge can be read, paid and waited for", paid, 4, 4, 1),
        plain("a list with several pages is read page by page", pages, 11, 11, 5),
    ]
}

fn rejected() -> Vec<Scenario> {
    let unauthorized = |status| Expected::Fails("Unauthorized", Some(status));
    let wrong_key = vec![
        (create(), unauthorized(401)),
        (Action::GetUnknown, unauthorized(401)),
        (Action::List(0), unauthorized(401)),
    ];
    let too_much = Action::Create(NewCharge::satoshis(4_294_968, "a house"));
    let redirected = Expected::Fails("Redirected", Some(302));
    vec![
        Scenario { key: Key::Wrong, ..plain("a wrong API key is rejected", wrong_key, 3, 3, 0) },
        plain(
            "an unknown id is not found",
            vec![(Action::GetUnknown, Expected::Fails("NotFound", Some(404)))],
            1,
            1,
            0,
        ),
        plain(
            "input beyond the limits is never sent",
            vec![
                (too_much, Expected::Fails("InvalidInput", None)),
                (Action::ListOf { page: 0, size: 0 }, Expected::Fails("InvalidInput", None)),
            ],
            0,
            0,
            0,
        ),
        Scenario {
            faults: vec![(1, REDIRECT), (2, REDIRECT)],
            ..plain(
                "a redirect is not followed",
                vec![(create(), Expected::Fails("OutcomeUnknown", Some(302))), (Action::List(0), redirected)],
                2,
                0,
                0,
            )
        },
    ]
}

fn creates_with_unknown_outcome() -> Vec<Scenario> {
    let unknown = |status| {
        vec![(create(), Expected::Fails("OutcomeUnknown", status)), (Action::List(0), Expected::Rows(1))]
    };
    let outcome_unknown =
        |name, fault| Scenario { faults: vec![(1, fault)], ..plain(name, unknown(None), 2, 2, 1) };
    let not_made = |status| {
        vec![(create(), Expected::Fails("OutcomeUnknown", status)), (Action::List(0), Expected::Rows(0))]
    };
    vec![
        outcome_unknown("a create with a truncated response is not retried", CUT),
        outcome_unknown("a create whose connection is closed is not retried", CLOSED),
        outcome_unknown("a create that times out is not retried", TIMED_OUT),
        Scenario {
            faults: vec![(1, OVERLOADED)],
            ..plain("a create with a 503 response is not retried", not_made(Some(503)), 2, 1, 0)
        },
        Scenario {
            faults: vec![(1, LOGIN_PAGE)],
            ..plain("a create with an HTML response is not retried", not_made(Some(200)), 2, 1, 0)
        },
        Scenario {
            faults: vec![(1, REFUSED), (2, DNS_FAILED)],
            lasts: 0..=1,
            ..plain("a create that was not sent is retried", vec![(create(), Expected::Unpaid)], 3, 1, 1)
        },
        Scenario {
            faults: vec![(1, TLS_FAILED)],
            ..plain(
                "a create fails if the TLS certificate is not trusted",
                vec![(create(), Expected::Fails("Connection", None))],
                1,
                0,
                0,
            )
        },
    ]
}

fn retried() -> Vec<Scenario> {
    let made_and_seen = || vec![(create(), Expected::Unpaid), (Action::Get(0), Expected::Unpaid)];
    let limited = |name, fault, lasts| Scenario {
        faults: vec![(1, fault)],
        lasts,
        ..plain(name, vec![(create(), Expected::Unpaid)], 2, 1, 1)
    };
    vec![
        Scenario {
            faults: vec![(2, CLOSED)],
            ..plain("a get is retried at once after a closed connection", made_and_seen(), 3, 3, 1)
        },
        Scenario {
            faults: vec![(2, CUT), (3, OVERLOADED)],
            lasts: 0..=1,
            ..plain("a get is retried after a truncated response and a 503", made_and_seen(), 4, 3, 1)
        },
        Scenario {
            faults: vec![(1, CLOSED), (2, CLOSED), (3, CUT)],
            lasts: 0..=1,
            ..plain(
                "a list fails after three attempts",
                vec![(Action::List(0), Expected::Fails("Connection", None))],
                3,
                3,
                0,
            )
        },
        Scenario {
            faults: vec![(1, OVERLOADED), (2, OVERLOADED), (3, OVERLOADED)],
            lasts: 0..=1,
            ..plain(
                "a list fails if the server keeps responding with 503",
                vec![(Action::List(0), Expected::Fails("Server", Some(503)))],
                3,
                0,
                0,
            )
        },
        limited("a create waits for the seconds in Retry-After", RETRY_IN_7_S, 7..=7),
        limited("a create waits until the date in Retry-After", RETRY_AT_A_DATE, 12..=12),
        Scenario {
            faults: vec![(1, RETRY_IN_AN_HOUR)],
            ..plain(
                "a Retry-After of an hour is not waited for",
                vec![(create(), Expected::Fails("RateLimited", Some(429)))],
                1,
                0,
                0,
            )
        },
    ]
}

fn waits() -> Vec<Scenario> {
    let every_5_s = Schedule::every(Duration::from_secs(5));
    let half_a_minute = Wait::at_most(Duration::from_secs(32)).schedule(every_5_s);
    let tolerates_one = Wait::until_expiry().schedule(every_5_s).max_failures(1);
    let failing = |wait, expected| {
        vec![
            (create(), Expected::Unpaid),
            (Action::PayIn(0, Duration::from_secs(12)), Expected::Nothing),
            (Action::Wait(0, wait), expected),
        ]
    };
    vec![
        Scenario {
            lasts: 32..=32,
            // At 0, 5, 10, ... 30 and 32 seconds.
            ..plain(
                "a wait with a deadline ends with a last read",
                vec![(create(), Expected::Unpaid), (Action::Wait(0, half_a_minute), Expected::StillPayable)],
                9,
                9,
                1,
            )
        },
        Scenario {
            lasts: 660..=660,
            // The first read, 19 until the interval has grown to a minute, 6 a minute apart, and
            // the last.
            ..plain(
                "a wait until expiry ends after the grace period",
                vec![(short_lived(), Expected::Unpaid), (wait(), Expected::Expired)],
                28,
                28,
                1,
            )
        },
        Scenario {
            lasts: 15..=15,
            ..plain(
                "a payment is seen by the next read",
                failing(Wait::until_expiry().schedule(every_5_s), Expected::WaitedPaid),
                5,
                5,
                1,
            )
        },
        Scenario {
            // The second read takes three attempts. The third read fails.
            faults: vec![(3, CUT), (4, OVERLOADED), (6, CUT), (7, CUT), (8, LOGIN_PAGE)],
            lasts: 15..=19,
            ..plain(
                "a wait continues after failed reads",
                failing(Wait::until_expiry().schedule(every_5_s), Expected::WaitedPaid),
                9,
                7,
                1,
            )
        },
        Scenario {
            faults: vec![(2, REFUSED), (3, DNS_FAILED), (4, TIMED_OUT), (5, RETRY_IN_7_S), (6, REFUSED)],
            // The first read fails three times. The second gets a Retry-After and succeeds after
            // the payment.
            lasts: 12..=14,
            ..plain(
                "a wait continues after network failures",
                failing(Wait::until_expiry().schedule(every_5_s), Expected::WaitedPaid),
                7,
                3,
                1,
            )
        },
        Scenario {
            faults: (2..=7).map(|n| (n, OVERLOADED)).collect(),
            lasts: 5..=10,
            ..plain(
                "a wait ends when more reads fail than it tolerates",
                failing(tolerates_one, Expected::Fails("Server", Some(503))),
                7,
                1,
                1,
            )
        },
    ]
}
