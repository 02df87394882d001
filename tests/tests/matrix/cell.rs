//! One cell: a fault, an operation, an adapter; what came of it, and what must hold whatever comes of it.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use strike_async::ReqwestTransport;
use strike_blocking::UreqTransport;
use strike_core::http::{Method, Uri};
use strike_core::{Charge, ChargeId, Error};
use strike_sandbox::Sandbox;
use strike_test_support::Server;
use strike_test_support::certs::Authority;
use strike_tests::{ClosedPort, secrets};

use crate::behind::{Behind, render};
use crate::fault::{Certificate, Fault, Script, Way};
use crate::operation::{self, Got, Operation, in_words};
use crate::route::{Route, Routed, State, WARM_UP};
use crate::world::{Clocks, World};

/// The whole exchange with something that hangs. Long enough for a few bytes on a busy machine.
const SOON: Duration = Duration::from_millis(400);

/// More than any operation here needs, a wait of an hour included.
const MOST_REQUESTS: usize = 200;

/// The authority that every client here trusts, and one that none does.
static TRUSTED: LazyLock<Authority> = LazyLock::new(Authority::new);
static UNKNOWN: LazyLock<Authority> = LazyLock::new(Authority::new);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    Blocking,
    Async,
}

impl Adapter {
    pub const BOTH: [Self; 2] = [Self::Blocking, Self::Async];
}

/// How long the fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// For one exchange: the first with the operation's method.
    Passes,
    /// For that one and all after it.
    Stays,
}

/// What was seen, in the table's words, and what should never be seen.
pub struct Seen {
    pub words: String,
    pub broken: Vec<String>,
}

/// A server with the fault, or what stands for one. Whatever holds its place is kept.
struct Place {
    to: Option<Uri>,
    server: Option<Server>,
    _held: Vec<Box<dyn Send>>,
}

fn uri(scheme: &str, authority: impl std::fmt::Display) -> Option<Uri> {
    Some(format!("{scheme}://{authority}/").parse().unwrap())
}

impl Place {
    fn of(way: &Way, behind: Behind) -> Self {
        let served = |scheme, host: &str, server: Server| Self {
            to: uri(scheme, format!("{host}:{}", server.port())),
            server: Some(server),
            _held: Vec::new(),
        };
        let run = |script: &Script| {
            let script = script.clone();
            move |peer| script(peer, &behind)
        };
        match way {
            Way::Clock(_) => Self { to: None, server: None, _held: Vec::new() },
            Way::NoName => {
                // No label is longer than 63: a resolver need not ask anybody to know.
                let to = uri("http", format!("{}.invalid", "x".repeat(64)));
                Self { to, server: None, _held: Vec::new() }
            }
            Way::Refused => {
                let port = ClosedPort::take().unwrap();
                let to = uri("http", format!("127.0.0.1:{}", port.port()));
                Self { to, server: None, _held: vec![Box::new(port)] }
            }
            Way::FullQueue => Self::full_queue(),
            Way::Plain(script) => served("http", "127.0.0.1", Server::start(run(script))),
            Way::NoTls(script) => served("https", "127.0.0.1", Server::start(run(script))),
            Way::Tls(certificate) => {
                let config = match certificate {
                    Certificate::UnknownIssuer => UNKNOWN.server("localhost"),
                    Certificate::WrongName => TRUSTED.server("other.example"),
                    Certificate::Expired => TRUSTED.expired_server("localhost"),
                };
                let script: Script = Arc::new(well);
                served("https", "localhost", Server::start_tls(config, run(&script)))
            }
        }
    }

    /// A listener that accepts nobody, with as many waiting as it lets wait: the next one gets no answer at all.
    fn full_queue() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut held: Vec<Box<dyn Send>> = vec![Box::new(listener)];
        while let Ok(waiting) = TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
            held.push(Box::new(waiting));
            assert!(held.len() < 100, "the queue is never full");
        }
        Self { to: uri("http", address), server: None, _held: held }
    }
}

/// A server that works.
fn well(mut peer: strike_test_support::Peer, behind: &Behind) {
    if let Some(request) = peer.request() {
        let (head, body) = render(behind.answer(&request));
        peer.write([head, body].concat());
    }
}

pub fn run(fault: &Fault, operation: Operation, adapter: Adapter, lasting: Lasting) -> Seen {
    let world = Arc::new(World::new(operation.list_lag()));
    let before = world.sandbox.charges();
    let bystanders = [Server::start(drop), Server::start(drop)];
    let elsewhere = vec![
        format!("http://localhost:{}", bystanders[0].port()),
        format!("http://127.0.0.1:{}", bystanders[0].port()),
        format!("https://127.0.0.1:{}", bystanders[1].port()),
    ];
    let (warmed_up, told) = channel();
    let behind = |stored| Behind::new(world.sandbox.clone(), stored, elsewhere.clone(), warmed_up.clone());
    let place = Place::of(&fault.way, behind(operation.stores()));
    let works = behind(true);
    let healthy = Server::start(move |peer| well(peer, &works));

    set_the_scene(&world, fault, operation, lasting);
    let route = Arc::new(Route {
        to: place.to.clone(),
        method: operation.method(),
        stays: lasting == Lasting::Stays,
        timeout: fault.hangs.then_some(SOON),
        warm: fault.warm.then(|| Mutex::new(told)),
        state: Mutex::new(State::default()),
    });
    let at = format!("http://{}/api/v1/", healthy.addr());
    let outcome = through(adapter, &at, &route, &world, operation);

    let requests = [healthy.finish(), place.server.map_or_else(Vec::new, Server::finish)].concat();
    let requests: Vec<_> = requests.into_iter().filter(|request| !request.contains(WARM_UP)).collect();
    let made = world.sandbox.charges() - before;
    let words = format!("{} {}r {made}c", in_words(&outcome), requests.len());
    let mut broken = laws(&outcome, &route, &requests, &world.sandbox);
    if operation.once() && made > 1 {
        broken.push(format!("{made} charges for one order key"));
    }
    if bystanders.iter().any(|server| server.connections() > 0) {
        broken.push("somebody else was asked".to_owned());
    }
    Seen { words, broken }
}

/// Pays, or has the payer pay while the clock jumps; and sets the clock up for that.
fn set_the_scene(world: &World, fault: &Fault, operation: Operation, lasting: Lasting) {
    let order = world.order().id();
    match fault.way {
        Way::Clock(jump) => {
            world.jump(jump);
            if lasting == Lasting::Passes {
                world.pay_later(order);
            }
        }
        _ if operation.waits() && !fault.unpaid => drop(world.sandbox.pay(order).unwrap()),
        _ => {}
    }
}

/// The adapter's own client and transport; whatever they hold open is closed when this is over.
fn through(
    adapter: Adapter,
    at: &str,
    route: &Arc<Route>,
    world: &Arc<World>,
    operation: Operation,
) -> Result<Got, Error> {
    let at = secrets::endpoint(at).unwrap();
    let clocks = Clocks(world.clone());
    match adapter {
        Adapter::Blocking => {
            let transport = UreqTransport::builder().ca_certificate(TRUSTED.pem()).build().unwrap();
            let client = strike_blocking::Client::builder(at)
                .transport(Routed { route: route.clone(), transport })
                .timer(clocks)
                .retry(operation::policy())
                .seed(7)
                .build()
                .unwrap();
            operation::blocking(&client, operation, world)
        }
        Adapter::Async => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let transport = ReqwestTransport::builder().ca_certificate(TRUSTED.pem()).build().unwrap();
            let client = strike_async::Client::builder(at)
                .transport(Routed { route: route.clone(), transport })
                .timer(clocks)
                .retry(operation::policy())
                .seed(7)
                .build()
                .unwrap();
            runtime.block_on(operation::asynchronous(&client, operation, world))
        }
    }
}

/// What must hold in every cell.
fn laws(outcome: &Result<Got, Error>, route: &Route, requests: &[String], sandbox: &Sandbox) -> Vec<String> {
    let mut broken = Vec::new();
    let sent = route.sent();
    // A 429 is the host's word that it did nothing.
    let creates = sent.iter().filter(|sent| {
        sent.method == Method::POST && !matches!(sent.outcome, Ok(429) | Err(strike_core::Delivery::Unsent))
    });
    if creates.count() > 1 {
        broken.push(format!("a create that may have arrived was sent again: {sent:?}"));
    }
    if requests.len() > MOST_REQUESTS {
        broken.push(format!("{} requests", requests.len()));
    }
    match outcome {
        Ok(got) => {
            if let Some(charge) = got.paid()
                && !is_paid(sandbox, charge.id())
            {
                broken.push(format!("{} is said to be paid, and is not", charge.id()));
            }
        }
        Err(error) => {
            if let Some(shown) = secrets::shown_in(error) {
                broken.push(format!("the key shows in an error: {shown}"));
            }
        }
    }
    broken
}

/// What the service itself says.
fn is_paid(sandbox: &Sandbox, id: &ChargeId) -> bool {
    let at = secrets::endpoint(sandbox.base_url()).unwrap();
    let get = strike_core::Get::new(id.clone());
    let answer = sandbox.respond(&strike_core::machine::Operation::request(&get, &at).unwrap());
    let charge: Charge = serde_json::from_slice(answer.body()).unwrap();
    charge.is_paid()
}
