//! Plays one scenario with one client, and says all that came of it.

use std::time::Duration;

use strike_core::mirror::Mirror;
use strike_core::mirror::Query;
use strike_core::{Charge, ChargeId, List, OrderKey, webhook};

use crate::clients::Client;
use crate::scenario::{Ask, Scenario, Told};
use crate::world::{Event, START, World};

/// What came of a scenario: equal whichever way it was played.
#[derive(Debug, PartialEq, Eq)]
pub struct Played {
    pub told: Vec<Told>,
    pub events: Vec<Event>,
    pub arrived: u64,
    pub charges: usize,
    pub elapsed: Duration,
}

pub fn play(scenario: &Scenario, client: &dyn Client, world: &World) -> Played {
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
            Ask::ListOf { page, size } => Told::of(client.list_of(List::page(*page).size(*size)), Told::Page),
            Ask::Wait(which, wait) => Told::of(client.wait(&made[*which], *wait), Told::Waited),
            Ask::Once(order, name) => Told::of(client.once(order.clone(), name), |once| {
                made.push(once.charge().clone());
                Told::Made(once)
            }),
            Ask::LazyPaid(order) => {
                let mirror = Mirror::draft(order.clone(), OrderKey::from_entropy(17), START);
                Told::of(client.fetch(mirror, Query::Paid), |charge| {
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

/// What became of watched charges: so many events, so many ends.
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

/// Holds what came of it against the table.
pub fn check(scenario: &Scenario, played: &Played) {
    let name = scenario.name;
    let seen: Vec<_> = played.told.iter().map(Told::in_short).collect();
    let wanted: Vec<_> = scenario.steps.iter().map(|(_, sees)| *sees).collect();
    assert_eq!(seen, wanted, "{name}: {:#?}", played.told);
    let sends = played.events.iter().filter(|event| matches!(event, Event::Sent { .. })).count();
    assert_eq!(sends, scenario.sends, "{name}: what was sent: {:#?}", played.events);
    assert_eq!(played.arrived, scenario.arrive, "{name}: what arrived");
    assert_eq!(played.charges, scenario.charges, "{name}: the charges");
    let seconds = played.elapsed.as_secs();
    assert!(scenario.lasts.contains(&seconds), "{name} took {:?}: {:#?}", played.elapsed, played.events);
}
