//! The scenarios with several requests per action: create once, lazy charges, whole lists, watches
//! and webhooks.

use std::time::Duration;

use strike_core::NewCharge;

use crate::scenario::{Action, Expected, Scenario};
use crate::table::{CLOSED, CUT, OVERLOADED, REFUSED, TIMED_OUT, plain};

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "café & tea").customer_id("table 4")
}

fn once() -> Action {
    Action::Once(order(), "order-17")
}

fn lazy() -> Action {
    Action::LazyPaid(order())
}

pub fn all() -> Vec<Scenario> {
    let mut all = created_once();
    all.extend(lazy_and_listed());
    all.extend(watched());
    all
}

fn created_once() -> Vec<Scenario> {
    let twice =
        vec![(once(), Expected::ToPay), (once(), Expected::ToPay), (Action::Confirm(1), Expected::Unpaid)];
    let found = |name, fault| Scenario {
        faults: vec![(2, fault)],
        ..plain(name, vec![(once(), Expected::ToPay), (Action::List(0), Expected::Rows(1))], 5, 5, 1)
    };
    vec![
        // The read before the create, the create, a read of the charge from memory, the
        // confirmation.
        plain("a second create under the same name returns the same charge", twice, 4, 4, 1),
        found("a create with a truncated response is found in the list", CUT),
        found("a create whose connection is closed is found in the list", CLOSED),
        found("a create that times out is found in the list", TIMED_OUT),
        Scenario {
            faults: vec![(2, OVERLOADED)],
            lasts: 2..=2,
            // The read before, the create, and two reads two seconds apart.
            ..plain(
                "a create that is not found in the list has an unknown outcome",
                vec![(once(), Expected::Fails("OutcomeUnknown", Some(503)))],
                4,
                3,
                0,
            )
        },
    ]
}

fn lazy_and_listed() -> Vec<Scenario> {
    let shop = || -> Vec<(Action, Expected)> {
        (1..=5)
            .map(|n| (Action::Create(NewCharge::satoshis(n, format!("item {n}"))), Expected::Unpaid))
            .collect()
    };
    let mut listed = shop();
    listed.push((Action::ListAll, Expected::Rows(5)));
    let mut broken = shop();
    broken.push((Action::ListAll, Expected::Fails("Server", Some(503))));
    vec![
        // A read, since the client did not create the mirror, and the create.
        plain("a lazy charge is created on first use", vec![(lazy(), Expected::Unpaid)], 2, 2, 1),
        Scenario {
            faults: vec![(2, CUT)],
            // A read, the create, a read, and the page that ends the list.
            ..plain(
                "a lazy charge with an unknown outcome is found",
                vec![(lazy(), Expected::Unpaid)],
                4,
                4,
                1,
            )
        },
        // Pages of two rows: three with rows, and an empty one.
        plain("list_all reads every page", listed, 9, 9, 5),
        Scenario {
            faults: vec![(7, OVERLOADED), (8, OVERLOADED), (9, OVERLOADED)],
            lasts: 0..=1,
            ..plain("list_all reports an error in the middle of the list", broken, 9, 6, 5)
        },
    ]
}

fn watched() -> Vec<Scenario> {
    let brief = |n: u64| (Action::Create(NewCharge::satoshis(n, "tea").expiry_sec(60)), Expected::Unpaid);
    let alone = vec![
        brief(1),
        (Action::PayIn(0, Duration::from_secs(3)), Expected::Nothing),
        (Action::Watch, Expected::Ended(1, 0)),
        (Action::Confirm(0), Expected::Paid),
    ];
    let three = |expected| {
        let mut steps = vec![brief(1), brief(2), brief(3)];
        steps.push((Action::PayIn(1, Duration::from_secs(30)), Expected::Nothing));
        steps.push((Action::Watch, expected));
        steps
    };
    vec![
        Scenario { lasts: 3..=4, ..plain("a single charge is watched until it is paid", alone, 5, 5, 1) },
        Scenario {
            lasts: 120..=180,
            ..plain("three charges are watched with one list read", three(Expected::Ended(1, 2)), 22, 22, 3)
        },
        Scenario {
            faults: vec![(4, OVERLOADED), (5, REFUSED), (6, CUT), (7, OVERLOADED), (8, TIMED_OUT)],
            lasts: 120..=180,
            ..plain("a watch continues after network failures", three(Expected::Ended(1, 2)), 29, 26, 3)
        },
    ]
}
