//! Runs one scenario with one client, and records the results.

use std::time::Duration;

use strike_core::mirror::Want;
use strike_core::{Charge, ChargeId, List, Made, Mirror, OrderKey, webhook};
use strike_tests::AnyClient;

use crate::scenario::{Ask, Scenario, Told};
use crate::world::{Event, START, World};

/// The results of a scenario, which must be the same for every driver.
#[derive(Debug, PartialEq, Eq)]
pub struct Played {
    pub told: Vec<Told>,
    pub events: Vec<Event>,
    pub arrived: u64,
    pub charges: usize,
    pub elapsed: Duration,
}

pub fn play(scenario: &Scenario, client: &dyn AnyClient, world: &World) -> Played {
    let mut made: Vec<Charge> = Vec::new();
    let mut told = Vec::new();
    for (ask, _) in &scenario.steps {
        told.push(match ask {
            Ask::Create(order) => Told::of(client.create(order.clone()), |charge| {
                made.push(charge.clone());
                Told::Charge(charge)
            }),
            Ask::Get(which) => Told::of(client.get(made[*which].id()), Told::Charge),
            Ask::GetUnknown => Told::of(client.get(&ChargeId::new("ch_unknown").unwrap()), Told::Charge),
            Ask::List(page) => Told::of(client.list(*page), Told::Page),
            Ask::ListOf { page, size } => {
                Told::of(client.send_list(List::page(*page).size(*size)), Told::Page)
            }
            Ask::Wait(which, wait) => Told::of(client.wait_until_paid(&made[*which], *wait), Told::Waited),
            Ask::Once(order, name) => Told::of(client.create_once(order.clone(), name), |once| {
                let (Made::ToPay(charge) | Made::Paid(charge) | Made::Expired { charge, .. }) = &once;
                made.push(charge.clone());
                Told::Made(once)
            }),
            Ask::LazyPaid(order) => {
                let mirror = Mirror::draft(order.clone(), OrderKey::drawn(17), START);
                Told::of(client.fetch(mirror, Want::Paid), |charge| {
                    made.push(charge.clone());
                    Told::Charge(charge)
                })
            }
            Ask::ListAll => Told::of(client.list_all(), Told::Charges),
            Ask::Watch => Told::of(client.watch(&made), ended),
            Ask::Confirm(which) => {
                let body =
                    format!(r#"{{"object":"event","data":{{"id":"{}","paid":true}}}}"#, made[*which].id());
                Told::of(client.confirm(&webhook::parse(body.as_bytes()).unwrap()), Told::Charge)
            }
            Ask::Pay(which) => {
                world.sandbox.pay(made[*which].id()).unwrap();
                Told::Nothing
            }
            Ask::PayIn(which, after) => {
                world.pay_in(made[*which].id().clone(), *after);
                Told::Nothing
            }
        });
    }
    Played {
        told,
        events: world.events(),
        arrived: world.sandbox.requests(),
        charges: world.sandbox.charges(),
        elapsed: world.elapsed(),
    }
}

/// Sorts the events of a watch into paid and expired charges.
fn ended(events: Vec<strike_core::Event>) -> Told {
    let (mut paid, mut expired) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            strike_core::Event::Paid(charge) => paid.push(charge.id().to_string()),
            strike_core::Event::Expired(id) => expired.push(id.to_string()),
            strike_core::Event::Failed(id, error) => panic!("{id}: {error}"),
        }
    }
    Told::Ended(paid, expired)
}

/// Compares the results with the scenario's expectations.
pub fn check(scenario: &Scenario, played: &Played) {
    let name = scenario.name;
    let seen: Vec<_> = played.told.iter().map(Told::in_short).collect();
    let wanted: Vec<_> = scenario.steps.iter().map(|(_, sees)| *sees).collect();
    assert_eq!(seen, wanted, "{name}: {:#?}", played.told);
    let sends = played.events.iter().filter(|event| matches!(event, Event::Sent { .. })).count();
    assert_eq!(sends, scenario.sends, "{name}: requests sent: {:#?}", played.events);
    assert_eq!(played.arrived, scenario.arrive, "{name}: requests that arrived");
    assert_eq!(played.charges, scenario.charges, "{name}: number of charges");
    let seconds = played.elapsed.as_secs();
    assert!(scenario.lasts.contains(&seconds), "{name} took {:?}: {:#?}", played.elapsed, played.events);
}
