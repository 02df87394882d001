//! The five drivers, and the tests that run every scenario with them.

use std::future::ready;
use std::sync::Arc;

use strike_async::{AsyncTransport, BoxFuture, ReqwestTransport};
use strike_blocking::{Transport, UreqTransport};
use strike_core::{CoreClient, Endpoint, Exchange, Network, Reply, RetryPolicy};
use strike_sandbox::{Phoenixd, Sandbox, SandboxBuilder};
use strike_tests::{AnyClient, AsyncClient, Backend, CoreDriver, Dialect, ORIGIN};

use crate::play::{ScenarioResults, check, play};
use crate::scenario::{Key, Scenario};
use crate::world::{START, World};
use crate::{dialects, relay, table};

const SEED: u64 = 7;
const KEY: &str = "sk_scenario";

/// The same account in every run: same node, same ids, same invoices.
fn sandbox() -> SandboxBuilder {
    let phoenixd = Phoenixd::new().limited_password(KEY);
    Sandbox::builder().api_key(KEY).phoenixd(phoenixd).network(Network::Testnet).seed(SEED).clock_at(START)
}

fn endpoint(dialect: Dialect, scenario: &Scenario, origin: &str) -> Endpoint {
    let key = match scenario.key {
        Key::Right => KEY,
        Key::Wrong => "sk_wrong",
    };
    dialect.endpoint(origin, key, Network::Testnet).unwrap()
}

fn in_memory(
    dialect: Dialect,
    scenario: &Scenario,
    client: impl FnOnce(Endpoint, Arc<World>) -> Box<dyn AnyClient>,
) -> ScenarioResults {
    let backend = Backend::new(dialect, sandbox().build());
    let endpoint = endpoint(dialect, scenario, ORIGIN);
    let world = Arc::new(World::new(backend, scenario.faults.clone()));
    play(scenario, &*client(endpoint, Arc::clone(&world)), &world)
}

fn over_loopback(
    dialect: Dialect,
    scenario: &Scenario,
    client: impl FnOnce(Endpoint, Arc<World>) -> Box<dyn AnyClient>,
) -> ScenarioResults {
    let running = sandbox().start().unwrap();
    // Without faults the client connects to the sandbox's own server, and reuses its connections.
    let relay = (!scenario.faults.is_empty()).then(|| relay::to(running.address(), scenario.faults.clone()));
    let base_url = relay.as_ref().map_or_else(|| running.base_url().to_owned(), |relay| relay.base_url());
    let origin = base_url.trim_end_matches("/api/v1/");
    let world = Arc::new(World::new(Backend::new(dialect, running.sandbox()), Vec::new()));
    play(scenario, &*client(endpoint(dialect, scenario, origin), Arc::clone(&world)), &world)
}

fn blocking(
    endpoint: Endpoint,
    world: Arc<World>,
    transport: impl Transport + 'static,
) -> Box<dyn AnyClient> {
    let builder = strike_blocking::Client::builder(endpoint).transport(transport).timer(world).seed(SEED);
    Box::new(builder.build().unwrap())
}

fn asynchronous(
    endpoint: Endpoint,
    world: Arc<World>,
    transport: impl AsyncTransport + 'static,
) -> Box<dyn AnyClient> {
    let builder = strike_async::Client::builder(endpoint).transport(transport).timer(world).seed(SEED);
    Box::new(AsyncClient::new(builder.build().unwrap()))
}

fn without_adapter(endpoint: Endpoint, world: Arc<World>) -> Box<dyn AnyClient> {
    Box::new(CoreDriver::new(CoreClient::new(endpoint, RetryPolicy::default(), SEED), world))
}

fn blocking_in_memory(endpoint: Endpoint, world: Arc<World>) -> Box<dyn AnyClient> {
    let service = Arc::clone(&world);
    blocking(endpoint, world, move |exchange: Exchange| service.exchange(exchange))
}

fn async_in_memory(endpoint: Endpoint, world: Arc<World>) -> Box<dyn AnyClient> {
    let service = Arc::clone(&world);
    let transport = move |exchange: Exchange| ready(service.exchange(exchange));
    asynchronous(endpoint, world, transport)
}

/// A real transport that records the requests it sends.
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

fn blocking_over_loopback(endpoint: Endpoint, world: Arc<World>) -> Box<dyn AnyClient> {
    let transport = Recorded { world: Arc::clone(&world), transport: UreqTransport::new().unwrap() };
    blocking(endpoint, world, transport)
}

fn async_over_loopback(endpoint: Endpoint, world: Arc<World>) -> Box<dyn AnyClient> {
    let transport = Recorded { world: Arc::clone(&world), transport: ReqwestTransport::new().unwrap() };
    asynchronous(endpoint, world, transport)
}

#[test]
fn every_scenario_in_memory_matches_the_table_with_every_driver() {
    for (dialect, scenario) in dialects::all() {
        let name = format!("{dialect}, {}", scenario.name);
        let first = in_memory(dialect, &scenario, without_adapter);
        check(dialect, &scenario, &first);
        assert_eq!(in_memory(dialect, &scenario, blocking_in_memory), first, "{name}, blocking");
        assert_eq!(in_memory(dialect, &scenario, async_in_memory), first, "{name}, async");
    }
}

#[test]
fn scenarios_over_loopback_match_those_in_memory() {
    let mut played = 0;
    for (dialect, scenario) in dialects::all() {
        // The LNbits of these tests has no server.
        let has_server = dialect != Dialect::Lnbits;
        if !has_server || !scenario.faults.iter().all(|(_, fault)| fault.works_on_loopback()) {
            continue;
        }
        played += 1;
        let name = format!("{dialect}, {}", scenario.name);
        let first = in_memory(dialect, &scenario, without_adapter);
        assert_eq!(over_loopback(dialect, &scenario, blocking_over_loopback), first, "{name}, blocking");
        assert_eq!(over_loopback(dialect, &scenario, async_over_loopback), first, "{name}, async");
    }
    assert!(played >= 40, "only {played} scenarios can run over loopback");
}

#[test]
fn the_seed_changes_delays_but_not_requests() {
    let all = table::all();
    let scenario =
        all.iter().find(|scenario| scenario.name.contains("truncated response and a 503")).unwrap();
    let seeded = |seed| {
        in_memory(Dialect::Strike, scenario, |endpoint, world| {
            Box::new(CoreDriver::new(CoreClient::new(endpoint, RetryPolicy::default(), seed), world))
        })
    };
    let (one, other) = (seeded(SEED), seeded(SEED + 1));
    assert_eq!(one.results, other.results);
    assert_ne!(one.events, other.events, "the seed should change the jitter");
}
