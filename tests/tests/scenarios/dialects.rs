//! The scenarios of every dialect, and where they differ from those of the Strike API.

use strike_tests::Dialect;

use crate::scenario::{Expected, Scenario};
use crate::table;

/// Every scenario in every dialect.
pub fn all() -> Vec<(Dialect, Scenario)> {
    let of = |dialect| table::all().into_iter().map(move |scenario| (dialect, in_dialect(dialect, scenario)));
    Dialect::ALL.into_iter().flat_map(of).collect()
}

fn in_dialect(dialect: Dialect, scenario: Scenario) -> Scenario {
    match dialect {
        Dialect::Strike => scenario,
        Dialect::Phoenixd => over_phoenixd(scenario),
        Dialect::Lnbits => over_lnbits(scenario),
    }
}

fn over_phoenixd(scenario: Scenario) -> Scenario {
    match scenario.name {
        // The client sets no limit for the amount.
        "input beyond the limits is never sent" => {
            Scenario { sends: 1, arrive: 1, charges: 1, ..with_first(scenario, Expected::Unpaid) }
        }
        // Two empty pages are the end of the list.
        "list_all reads every page" => sends(scenario, 10, 10),
        _ => scenario,
    }
}

fn over_lnbits(mut scenario: Scenario) -> Scenario {
    match scenario.name {
        "a wrong API key is rejected" => {
            let wrong_key = Expected::Fails("Unauthorized", Some(404));
            // A get with a wrong key finds nothing, or a response without details.
            let expected = [wrong_key, Expected::Fails("NotFound", Some(404)), wrong_key];
            scenario.steps.iter_mut().zip(expected).for_each(|(step, expected)| step.1 = expected);
            scenario
        }
        // The client sets no limit for the amount, but the server does.
        "input beyond the limits is never sent" => {
            let refused = Expected::Fails("BadRequest", Some(520));
            Scenario { sends: 1, arrive: 1, ..with_first(scenario, refused) }
        }
        // One find, instead of a page and the empty page at the end of the list.
        "a create with a truncated response is found in the list"
        | "a create whose connection is closed is found in the list"
        | "a create that times out is found in the list" => sends(scenario, 4, 4),
        "a lazy charge with an unknown outcome is found" => sends(scenario, 3, 3),
        // Each charge is also read 5 s before its invoice expires.
        "a wait until expiry ends after the grace period" => sends(scenario, 29, 29),
        "three charges are watched with one list read" => sends(scenario, 24, 24),
        "a watch continues after network failures" => sends(scenario, 30, 27),
        _ => scenario,
    }
}

fn sends(scenario: Scenario, sends: usize, arrive: u64) -> Scenario {
    assert_ne!((scenario.sends, scenario.arrive), (sends, arrive), "{} does not differ", scenario.name);
    Scenario { sends, arrive, ..scenario }
}

/// Replaces the expected result of the first action.
fn with_first(mut scenario: Scenario, expected: Expected) -> Scenario {
    scenario.steps[0].1 = expected;
    scenario
}
