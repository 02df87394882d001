//! The table of scenarios.

use std::time::Duration;

use strike_core::{Delivery, NewCharge, Schedule, TransportErrorKind as Kind, Wait};

use crate::scenario::{Ask, Fault, Key, Scenario, Sees};
use crate::table_of_lives;

pub const CLOSED: Fault = Fault::Fails(Kind::Closed, Delivery::MaybeSent);
pub const CUT: Fault = Fault::Fails(Kind::Cut, Delivery::MaybeSent);
pub const TIMED_OUT: Fault = Fault::Fails(Kind::Timeout, Delivery::MaybeSent);
pub const REFUSED: Fault = Fault::Fails(Kind::ConnectionRefused, Delivery::Unsent);
const NO_NAME: Fault = Fault::Fails(Kind::Dns, Delivery::Unsent);
const NO_TRUST: Fault = Fault::Fails(Kind::Tls, Delivery::Unsent);
pub const OVERLOADED: Fault = instead(503, ("server", "a proxy"), "<html>busy</html>");
const GREETING: Fault = instead(200, ("server", "a hotspot"), "<html>please log in</html>");
const ELSEWHERE: Fault = instead(302, ("location", "http://127.0.0.1:9/"), "");
const IN_7_S: Fault = instead(429, ("retry-after", "7"), r#"{"code":429,"message":"too many requests"}"#);
/// 12 s after the clock's start.
const AT_A_DATE: Fault = instead(429, ("retry-after", "Tue, 14 Nov 2023 22:13:32 GMT"), "");
const IN_AN_HOUR: Fault = instead(429, ("retry-after", "3600"), "");

const fn instead(status: u16, header: (&'static str, &'static str), body: &'static str) -> Fault {
    Fault::Instead { status, header, body }
}

fn create() -> Ask {
    Ask::Create(NewCharge::satoshis(4200, "café & tea").customer_id("order 17"))
}

fn short_lived() -> Ask {
    Ask::Create(NewCharge::satoshis(1, "").expiry_sec(600))
}

fn wait() -> Ask {
    Ask::Wait(0, Wait::until_expiry())
}

/// A scenario in which nothing goes wrong, and no time passes.
pub fn plain(
    name: &'static str,
    steps: Vec<(Ask, Sees)>,
    sends: usize,
    arrive: u64,
    charges: usize,
) -> Scenario {
    Scenario { name, key: Key::Right, faults: Vec::new(), steps, sends, arrive, charges, lasts: 0..=0 }
}

pub fn all() -> Vec<Scenario> {
    let mut all = good();
    all.extend(refused());
    all.extend(creates_in_doubt());
    all.extend(repeated());
    all.extend(waits());
    all.extend(table_of_lives::all());
    all
}

fn good() -> Vec<Scenario> {
    let after_a_payment =
        vec![(create(), Sees::Unpaid), (Ask::Get(0), Sees::Unpaid), (Ask::Pay(0), Sees::Nothing)];
    let mut paid = after_a_payment;
    paid.extend([(Ask::Get(0), Sees::Paid), (wait(), Sees::WaitedPaid)]);
    let mut pages: Vec<_> = (1..=5)
        .map(|amount| (Ask::Create(NewCharge::satoshis(amount, format!("item {amount}"))), Sees::Unpaid))
        .collect();
    pages.extend([2, 2, 1, 0].into_iter().zip(0..).map(|(rows, page)| {
        let ask = Ask::ListOf { page, size: 2 };
        (ask, Sees::Rows(rows))
    }));
    pages.push((Ask::List(0), Sees::Rows(5)));
    pages.push((Ask::List(1), Sees::Rows(0)));
    vec![
        plain("a charge is made, seen, paid and waited for", paid, 4, 4, 1),
        plain("a list has several pages", pages, 11, 11, 5),
    ]
}

fn refused() -> Vec<Scenario> {
    let no = |status| Sees::Fails("Unauthorized", Some(status));
    let wrong_key = vec![(create(), no(401)), (Ask::GetUnknown, no(401)), (Ask::List(0), no(401))];
    let too_much = Ask::Create(NewCharge::satoshis(4_294_968, "a house"));
    let redirected = Sees::Fails("Redirected", Some(302));
    vec![
        Scenario { key: Key::Wrong, ..plain("another account's key opens nothing", wrong_key, 3, 3, 0) },
        plain("an unknown id", vec![(Ask::GetUnknown, Sees::Fails("NotFound", Some(404)))], 1, 1, 0),
        plain(
            "input beyond the limits is never sent",
            vec![
                (too_much, Sees::Fails("InvalidInput", None)),
                (Ask::ListOf { page: 0, size: 0 }, Sees::Fails("InvalidInput", None)),
            ],
            0,
            0,
            0,
        ),
        Scenario {
            faults: vec![(1, ELSEWHERE), (2, ELSEWHERE)],
            ..plain(
                "a redirect is not followed",
                vec![(create(), Sees::Fails("OutcomeUnknown", Some(302))), (Ask::List(0), redirected)],
                2,
                0,
                0,
            )
        },
    ]
}

fn creates_in_doubt() -> Vec<Scenario> {
    let unknown =
        |status| vec![(create(), Sees::Fails("OutcomeUnknown", status)), (Ask::List(0), Sees::Rows(1))];
    let in_doubt = |name, fault| Scenario { faults: vec![(1, fault)], ..plain(name, unknown(None), 2, 2, 1) };
    let not_made =
        |status| vec![(create(), Sees::Fails("OutcomeUnknown", status)), (Ask::List(0), Sees::Rows(0))];
    vec![
        in_doubt("a create whose reply is cut is not sent again", CUT),
        in_doubt("a create whose connection closes is not sent again", CLOSED),
        in_doubt("a create whose time runs out is not sent again", TIMED_OUT),
        Scenario {
            faults: vec![(1, OVERLOADED)],
            ..plain("a create that a 503 answers is not sent again", not_made(Some(503)), 2, 1, 0)
        },
        Scenario {
            faults: vec![(1, GREETING)],
            ..plain("a create that a page answers is not sent again", not_made(Some(200)), 2, 1, 0)
        },
        Scenario {
            faults: vec![(1, REFUSED), (2, NO_NAME)],
            lasts: 0..=1,
            ..plain("a create that never left is sent until it does", vec![(create(), Sees::Unpaid)], 3, 1, 1)
        },
        Scenario {
            faults: vec![(1, NO_TRUST)],
            ..plain(
                "a create to an untrusted host",
                vec![(create(), Sees::Fails("Connection", None))],
                1,
                0,
                0,
            )
        },
    ]
}

fn repeated() -> Vec<Scenario> {
    let made_and_seen = || vec![(create(), Sees::Unpaid), (Ask::Get(0), Sees::Unpaid)];
    let limited = |name, fault, lasts| Scenario {
        faults: vec![(1, fault)],
        lasts,
        ..plain(name, vec![(create(), Sees::Unpaid)], 2, 1, 1)
    };
    vec![
        Scenario {
            faults: vec![(2, CLOSED)],
            ..plain("a get is repeated at once after a close", made_and_seen(), 3, 3, 1)
        },
        Scenario {
            faults: vec![(2, CUT), (3, OVERLOADED)],
            lasts: 0..=1,
            ..plain("a get is repeated after a cut and a 503", made_and_seen(), 4, 3, 1)
        },
        Scenario {
            faults: vec![(1, CLOSED), (2, CLOSED), (3, CUT)],
            lasts: 0..=1,
            ..plain(
                "a list is given up in the end",
                vec![(Ask::List(0), Sees::Fails("Connection", None))],
                3,
                3,
                0,
            )
        },
        Scenario {
            faults: vec![(1, OVERLOADED), (2, OVERLOADED), (3, OVERLOADED)],
            lasts: 0..=1,
            ..plain(
                "a server that stays down",
                vec![(Ask::List(0), Sees::Fails("Server", Some(503)))],
                3,
                0,
                0,
            )
        },
        limited("a create waits as long as the server says", IN_7_S, 7..=7),
        limited("a create waits until the server says", AT_A_DATE, 12..=12),
        Scenario {
            faults: vec![(1, IN_AN_HOUR)],
            ..plain(
                "nobody waits an hour for a server",
                vec![(create(), Sees::Fails("RateLimited", Some(429)))],
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
    let impatient = Wait::until_expiry().schedule(every_5_s).max_failures(1);
    let failing = |wait, sees| {
        vec![
            (create(), Sees::Unpaid),
            (Ask::PayIn(0, Duration::from_secs(12)), Sees::Nothing),
            (Ask::Wait(0, wait), sees),
        ]
    };
    vec![
        Scenario {
            lasts: 32..=32,
            // At 0, 5, 10, .. 30 and 32 seconds.
            ..plain(
                "a wait until a deadline ends with a last look",
                vec![(create(), Sees::Unpaid), (Ask::Wait(0, half_a_minute), Sees::StillPayable)],
                9,
                9,
                1,
            )
        },
        Scenario {
            lasts: 660..=660,
            // The first look, 19 until the waits have grown to a minute, 6 a minute apart, and the last.
            ..plain(
                "a wait until expiry ends after the grace",
                vec![(short_lived(), Sees::Unpaid), (wait(), Sees::Expired)],
                28,
                28,
                1,
            )
        },
        Scenario {
            lasts: 15..=15,
            ..plain(
                "a payment is seen by the next look",
                failing(Wait::until_expiry().schedule(every_5_s), Sees::WaitedPaid),
                5,
                5,
                1,
            )
        },
        Scenario {
            // The second look takes three attempts, the third look fails altogether.
            faults: vec![(3, CUT), (4, OVERLOADED), (6, CUT), (7, CUT), (8, GREETING)],
            lasts: 15..=19,
            ..plain(
                "a wait outlives looks that fail",
                failing(Wait::until_expiry().schedule(every_5_s), Sees::WaitedPaid),
                9,
                7,
                1,
            )
        },
        Scenario {
            faults: vec![(2, REFUSED), (3, NO_NAME), (4, TIMED_OUT), (5, IN_7_S), (6, REFUSED)],
            // The first look fails three times; the second is told to wait, and comes after the payment.
            lasts: 12..=14,
            ..plain(
                "a wait outlives a network that is away",
                failing(Wait::until_expiry().schedule(every_5_s), Sees::WaitedPaid),
                7,
                3,
                1,
            )
        },
        Scenario {
            faults: (2..=7).map(|n| (n, OVERLOADED)).collect(),
            lasts: 5..=10,
            ..plain(
                "a wait ends when more looks fail than it tolerates",
                failing(impatient, Sees::Fails("Server", Some(503))),
                7,
                1,
                1,
            )
        },
    ]
}
