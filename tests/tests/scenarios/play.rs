//! Runs one scenario with one client, and records the results.

use std::time::Duration;

use strike_core::mirror::Mirror;
use strike_core::mirror::Query;
use strike_core::{Charge, ChargeId, List, OrderKey, webhook};
use strike_tests::{AnyClient, Dialect};

use crate::scenario::{Action, ActionResult, Scenario};
use crate::world::{Event, START, World};

/// The results of a scenario, which must be the same for every driver.
#[derive(Debug, PartialEq, Eq)]
pub struct ScenarioResults {
    pub results: Vec<ActionResult>,
    pub events: Vec<Event>,
    pub arrived: u64,
    pub charges: usize,
    pub elapsed: Duration,
}

pub fn play(scenario: &Scenario, client: &dyn AnyClient, world: &World) -> ScenarioResults {
    let mut made: Vec<Charge> = Vec::new();
    let mut results = Vec::new();
    for (action, _) in &scenario.steps {
        results.push(match action {
            Action::Create(order) => ActionResult::of(client.create(order.clone()), |charge| {
                made.push(charge.clone());
                ActionResult::Charge(charge)
            }),
            Action::Get(which) => ActionResult::of(client.get(made[*which].id()), ActionResult::Charge),
            Action::GetUnknown => {
                let id = match world.backend.dialect {
                    Dialect::Strike => "ch_unknown".to_owned(),
                    // A payment hash.
                    Dialect::Phoenixd | Dialect::Lnbits => "ab".repeat(32),
                };
                ActionResult::of(client.get(&ChargeId::new(id).unwrap()), ActionResult::Charge)
            }
            Action::List(page) => ActionResult::of(client.list(*page), ActionResult::Page),
            Action::ListOf { page, size } => {
                ActionResult::of(client.send_list(List::page(*page).size(*size)), ActionResult::Page)
            }
            Action::Wait(which, wait) => {
                ActionResult::of(client.wait_until_paid(&made[*which], *wait), ActionResult::Waited)
            }
            Action::Once(order, name) => ActionResult::of(client.create_once(order.clone(), name), |once| {
                let charge = once.charge();
                made.push(charge.clone());
                ActionResult::Made(once)
            }),
            Action::LazyPaid(order) => {
                let mirror = Mirror::draft(order.clone(), OrderKey::from_entropy(17), START);
                ActionResult::of(client.fetch(mirror, Query::Paid), |charge| {
                    made.push(charge.clone());
                    ActionResult::Charge(charge)
                })
            }
            Action::ListAll => ActionResult::of(client.list_all(), ActionResult::Charges),
            Action::Watch => ActionResult::of(client.watch(&made), ended),
            Action::Confirm(which) => {
                let body =
                    format!(r#"{{"object":"event","data":{{"id":"{}","paid":true}}}}"#, made[*which].id());
                ActionResult::of(
                    client.confirm(&webhook::parse(body.as_bytes()).unwrap()),
                    ActionResult::Charge,
                )
            }
            Action::Pay(which) => {
                world.backend.pay(made[*which].id()).unwrap();
                ActionResult::Nothing
            }
            Action::PayIn(which, after) => {
                world.pay_in(made[*which].id().clone(), *after);
                ActionResult::Nothing
            }
        });
    }
    ScenarioResults {
        results,
        events: world.events(),
        arrived: world.backend.sandbox.requests(),
        charges: world.backend.sandbox.charges(),
        elapsed: world.elapsed(),
    }
}

/// Sorts the events of a watch into paid and expired charges.
fn ended(events: Vec<strike_core::Event>) -> ActionResult {
    let (mut paid, mut expired) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            strike_core::Event::Paid(charge) => paid.push(charge.id().to_string()),
            strike_core::Event::Expired(id) => expired.push(id.to_string()),
            strike_core::Event::Failed(id, error) => panic!("{id}: {error}"),
        }
    }
    ActionResult::Ended(paid, expired)
}

/// Compares the results with the scenario's expectations.
pub fn check(dialect: Dialect, scenario: &Scenario, played: &ScenarioResults) {
    let name = format!("{dialect}, {}", scenario.name);
    let actual: Vec<_> = played.results.iter().map(ActionResult::in_brief).collect();
    let expected: Vec<_> = scenario.steps.iter().map(|(_, expected)| *expected).collect();
    assert_eq!(actual, expected, "{name}: {:#?}", played.results);
    let sends = played.events.iter().filter(|event| matches!(event, Event::Sent { .. })).count();
    assert_eq!(sends, scenario.sends, "{name}: requests sent: {:#?}", played.events);
    assert_eq!(played.arrived, scenario.arrive, "{name}: requests that arrived");
    assert_eq!(played.charges, scenario.charges, "{name}: number of charges");
    let seconds = played.elapsed.as_secs();
    assert!(scenario.lasts.contains(&seconds), "{name} took {:?}: {:#?}", played.elapsed, played.events);
}
