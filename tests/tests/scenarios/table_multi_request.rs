//! The scenarios with several requests per action: create once, lazy charges, whole lists, watches and webhooks.

use std::time::Duration;

use strike_core::NewCharge;

use crate::scenario::{Ask, Scenario, Sees};
use crate::table::{CLOSED, CUT, OVERLOADED, REFUSED, TIMED_OUT, plain};

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "café & tea").customer_id("table 4")
}

fn once() -> Ask {
    Ask::Once(order(), "order-17")
}

fn lazy() -> Ask {
    Ask::LazyPaid(order())
}

pub fn all() -> Vec<Scenario> {
    let mut all = created_once();
    all.extend(lazy_and_listed());
    all.extend(watched());
    all
}

fn created_once() -> Vec<Scenario> {
    let twice = vec![(once(), Sees::ToPay), (once(), Sees::ToPay), (Ask::Confirm(1), Sees::Unpaid)];
    let found = |name, fault| Scenario {
        faults: vec![(2, fault)],
        ..plain(name, vec![(once(), Sees::ToPay), (Ask::List(0), Sees::Rows(1))], 5, 5, 1)
    };
    vec![
        // The read before the create, the create, a read of the charge from memory, the confirmation.
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
                vec![(once(), Sees::Fails("OutcomeUnknown", Some(503)))],
                4,
                3,
                0,
            )
        },
    ]
}

fn lazy_and_listed() -> Vec<Scenario> {
    let shop = || -> Vec<(Ask, Sees)> {
        (1..=5).map(|n| (Ask::Create(NewCharge::satoshis(n, format!("item {n}"))), Sees::Unpaid)).collect()
    };
    let mut listed = shop();
    listed.push((Ask::ListAll, Sees::Rows(5)));
    let mut broken = shop();
    broken.push((Ask::ListAll, Sees::Fails("Server", Some(503))));
    vec![
        // A read, since the client did not create the mirror, and the create.
        plain("a lazy charge is created on first use", vec![(lazy(), Sees::Unpaid)], 2, 2, 1),
        Scenario {
            faults: vec![(2, CUT)],
            // A read, the create, a read, and the page that ends the list.
            ..plain("a lazy charge with an unknown outcome is found", vec![(lazy(), Sees::Unpaid)], 4, 4, 1)
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
    let brief = |n: u64| (Ask::Create(NewCharge::satoshis(n, "").expiry_sec(60)), Sees::Unpaid);
    let alone = vec![
        brief(1),
        (Ask::PayIn(0, Duration::from_secs(3)), Sees::Nothing),
        (Ask::Watch, Sees::Ended(1, 0)),
        (Ask::Confirm(0), Sees::Paid),
    ];
    let three = |sees| {
        let mut steps = vec![brief(1), brief(2), brief(3)];
        steps.push((Ask::PayIn(1, Duration::from_secs(30)), Sees::Nothing));
        steps.push((Ask::Watch, sees));
        steps
    };
    vec![
        Scenario { lasts: 3..=4, ..plain("a single charge is watched until it is paid", alone, 5, 5, 1) },
        Scenario {
            lasts: 120..=180,
            ..plain("three charges are watched with one list read", three(Sees::Ended(1, 2)), 22, 22, 3)
        },
        Scenario {
            faults: vec![(4, OVERLOADED), (5, REFUSED), (6, CUT), (7, OVERLOADED), (8, TIMED_OUT)],
            lasts: 120..=180,
            ..plain("a watch continues after network failures", three(Sees::Ended(1, 2)), 29, 26, 3)
        },
    ]
}
