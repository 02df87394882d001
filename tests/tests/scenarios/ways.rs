//! The five ways, and the test that sends every scenario through them.

use std::future::ready;
use std::sync::{Arc, Mutex};

use strike_async::{AsyncTransport, BoxFuture, ReqwestTransport};
use strike_blocking::{Transport, UreqTransport};
use strike_core::{ApiKey, CoreClient, Endpoint, Exchange, Network, Reply, RetryPolicy};
use strike_sandbox::{Builder, Sandbox};
use tokio::runtime;

use crate::clients::{ByHand, Client, OnRuntime};
use crate::play::{Played, check, play};
use crate::scenario::{Key, Scenario};
use crate::world::{START, World};
use crate::{relay, table};

const SEED: u64 = 7;
const KEY: &str = "sk_scenario";

/// The same account in every run: same node, same ids, same invoices.
fn sandbox() -> Builder {
    Sandbox::builder().api_key(KEY).network(Network::Testnet).seed(SEED).clock_at(START)
}

fn endpoint(scenario: &Scenario, base_url: &str) -> Endpoint {
    let key = match scenario.key {
        Key::Right => KEY,
        Key::Wrong => "sk_of_somebody_else",
    };
    Endpoint::new(base_url, ApiKey::new(key).unwrap(), Network::Testnet).unwrap()
}

fn in_memory(scenario: &Scenario, client: impl FnOnce(Endpoint, Arc<World>) -> Box<dyn Client>) -> Played {
    let sandbox = sandbox().build();
    let at = endpoint(scenario, sandbox.base_url());
    let world = Arc::new(World::new(sandbox, scenario.faults.clone()));
    play(scenario, &*client(at, Arc::clone(&world)), &world)
}

fn over_loopback(
    scenario: &Scenario,
    client: impl FnOnce(Endpoint, Arc<World>) -> Box<dyn Client>,
) -> Played {
    let running = sandbox().start().unwrap();
    // Without faults the client talks to the sandbox's own server, and keeps its connections.
    let relay = (!scenario.faults.is_empty()).then(|| relay::to(running.address(), scenario.faults.clone()));
    let base_url = relay.as_ref().map_or_else(|| running.base_url().to_owned(), |relay| relay.base_url());
    let world = Arc::new(World::new(running.sandbox(), Vec::new()));
    play(scenario, &*client(endpoint(scenario, &base_url), Arc::clone(&world)), &world)
}

fn blocking(at: Endpoint, world: Arc<World>, transport: impl Transport + 'static) -> Box<dyn Client> {
    let builder = strike_blocking::Client::builder(at).transport(transport).timer(world).seed(SEED);
    Box::new(builder.build().unwrap())
}

fn asynchronous(
    at: Endpoint,
    world: Arc<World>,
    transport: impl AsyncTransport + 'static,
) -> Box<dyn Client> {
    let builder = strike_async::Client::builder(at).transport(transport).timer(world).seed(SEED);
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Box::new(OnRuntime { client: builder.build().unwrap(), runtime })
}

fn by_hand(at: Endpoint, world: Arc<World>) -> Box<dyn Client> {
    Box::new(ByHand {
        machines: CoreClient::new(at, RetryPolicy::default(), SEED),
        orders: Mutex::default(),
        world,
    })
}

fn blocking_in_memory(at: Endpoint, world: Arc<World>) -> Box<dyn Client> {
    let service = Arc::clone(&world);
    blocking(at, world, strike_blocking::FnTransport::new(move |exchange| service.exchange(exchange)))
}

fn async_in_memory(at: Endpoint, world: Arc<World>) -> Box<dyn Client> {
    let service = Arc::clone(&world);
    let transport = strike_async::FnTransport::new(move |exchange| ready(service.exchange(exchange)));
    asynchronous(at, world, transport)
}

/// A real transport, whose requests are written down.
struct Recorded<T> {
    world: Arc<World>,
    transport: T,
}

impl Transport for Recorded<UreqTransport> {
    fn exchange(&self, exchange: Exchange) -> Reply {
        self.world.record(&exchange);
        self.transport.exchange(exchange)
    }
}

impl AsyncTransport for Recorded<ReqwestTransport> {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        self.world.record(&exchange);
        self.transport.exchange(exchange)
    }
}

fn blocking_over_loopback(at: Endpoint, world: Arc<World>) -> Box<dyn Client> {
    let transport = Recorded { world: Arc::clone(&world), transport: UreqTransport::new().unwrap() };
    blocking(at, world, transport)
}

fn async_over_loopback(at: Endpoint, world: Arc<World>) -> Box<dyn Client> {
    let transport = Recorded { world: Arc::clone(&world), transport: ReqwestTransport::new().unwrap() };
    asynchronous(at, world, transport)
}

#[test]
fn every_scenario_ends_as_the_table_says_and_alike_in_memory() {
    for scenario in table::all() {
        let first = in_memory(&scenario, by_hand);
        check(&scenario, &first);
        assert_eq!(in_memory(&scenario, blocking_in_memory), first, "{}, blocking", scenario.name);
        assert_eq!(in_memory(&scenario, async_in_memory), first, "{}, async", scenario.name);
    }
}

#[test]
fn every_scenario_that_a_socket_can_play_ends_alike_over_loopback() {
    let mut played = 0;
    for scenario in table::all() {
        if !scenario.faults.iter().all(|(_, fault)| fault.works_on_loopback()) {
            continue;
        }
        played += 1;
        let first = in_memory(&scenario, by_hand);
        assert_eq!(over_loopback(&scenario, blocking_over_loopback), first, "{}, blocking", scenario.name);
        assert_eq!(over_loopback(&scenario, async_over_loopback), first, "{}, async", scenario.name);
    }
    assert!(played >= 20, "only {played} scenarios reach a socket");
}

#[test]
fn another_seed_sends_the_same_and_waits_otherwise() {
    let all = table::all();
    let scenario = all.iter().find(|scenario| scenario.name.contains("cut and a 503")).unwrap();
    let seeded = |seed| {
        in_memory(scenario, |at, world| {
            Box::new(ByHand {
                machines: CoreClient::new(at, RetryPolicy::default(), seed),
                orders: Mutex::default(),
                world,
            })
        })
    };
    let (one, other) = (seeded(SEED), seeded(SEED + 1));
    assert_eq!(one.told, other.told);
    assert_ne!(one.events, other.events, "the seed should decide the jitter");
}
