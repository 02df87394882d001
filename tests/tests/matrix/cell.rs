//! Runs one cell: a fault, an operation and an adapter. Returns the outcome and checks what must
//! hold in all cells.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use strike_async::ReqwestTransport;
use strike_blocking::UreqTransport;
use strike_core::Error;
use strike_core::http::{Method, Uri};
use strike_test_support::Server;
use strike_test_support::certs::Authority;
use strike_tests::{AsyncClient, Backend, ClosedPort, Dialect, secrets};

use crate::fault::{Certificate, Fault, FaultKind, Script};
use crate::operation::{self, Operation, Value, outcome_text_of};
use crate::route::{Route, Routed, State, WARM_UP};
use crate::service::{Service, render};
use crate::world::{Clocks, World};

/// The timeout for faults that hang. It is long enough for a few bytes on a busy machine.
const SHORT_TIMEOUT: Duration = Duration::from_millis(400);

/// More requests than any operation needs, including a wait of an hour.
const MAX_REQUESTS: usize = 200;

/// An authority that the clients trust, and one that they do not trust.
static TRUSTED: LazyLock<Authority> = LazyLock::new(Authority::new);
static UNKNOWN: LazyLock<Authority> = LazyLock::new(Authority::new);

/// The targets of redirects, which must not get a request. All cells share them, because each port
/// takes the system some time to find.
static OTHER_HOSTS: LazyLock<[Server; 2]> = LazyLock::new(|| [Server::start(drop), Server::start(drop)]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    Blocking,
    Async,
}

/// Whether the fault happens once or persists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// For one exchange: the first with the operation's method.
    Once,
    /// For this exchange and all later ones.
    Persistent,
}

/// The outcome in the notation of the table, and violations of the rules for all cells.
pub struct Actual {
    pub outcome: String,
    pub violations: Vec<String>,
}

/// A server with the fault, or an address that stands for one.
struct FaultyHost {
    to: Option<Uri>,
    server: Option<Server>,
    _held: Vec<Box<dyn Send>>, // sockets that must stay open
}

fn uri(scheme: &str, authority: impl std::fmt::Display) -> Option<Uri> {
    Some(format!("{scheme}://{authority}/").parse().unwrap())
}

impl FaultyHost {
    fn of(kind: &FaultKind, service: Service) -> Self {
        let served = |scheme, host: &str, server: Server| Self {
            to: uri(scheme, format!("{host}:{}", server.port())),
            server: Some(server),
            _held: Vec::new(),
        };
        let run = |script: &Script| {
            let script = script.clone();
            move |peer| script(peer, &service)
        };
        match kind {
            FaultKind::Clock(_) => Self { to: None, server: None, _held: Vec::new() },
            FaultKind::DnsFailure => {
                // A label has at most 63 characters, so the resolver fails without a request.
                let to = uri("http", format!("{}.invalid", "x".repeat(64)));
                Self { to, server: None, _held: Vec::new() }
            }
            FaultKind::Refused => {
                let port = ClosedPort::take().unwrap();
                let to = uri("http", format!("127.0.0.1:{}", port.port()));
                Self { to, server: None, _held: vec![Box::new(port)] }
            }
            FaultKind::ConnectTimeout => Self::full_queue(),
            FaultKind::Plain(script) => served("http", "127.0.0.1", Server::start(run(script))),
            FaultKind::BeforeTls(script) => served("https", "127.0.0.1", Server::start(run(script))),
            FaultKind::Tls(certificate) => {
                let config = match certificate {
                    Certificate::UnknownIssuer => UNKNOWN.server("localhost"),
                    Certificate::WrongName => TRUSTED.server("other.example"),
                    Certificate::Expired => TRUSTED.expired_server("localhost"),
                };
                let script: Script = Arc::new(serve_normally);
                served("https", "localhost", Server::start_tls(config, run(&script)))
            }
        }
    }

    /// A listener that accepts no connection and whose queue is full, so that the next SYN gets no
    /// response.
    fn full_queue() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut held: Vec<Box<dyn Send>> = vec![Box::new(listener)];
        while let Ok(waiting) = TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
            held.push(Box::new(waiting));
            assert!(held.len() < 100, "the queue should be full by now");
        }
        Self { to: uri("http", address), server: None, _held: held }
    }
}

/// A server without a fault.
fn serve_normally(mut peer: strike_test_support::Peer, service: &Service) {
    if let Some(request) = peer.request() {
        let (head, body) = render(service.respond(&request));
        peer.write([head, body].concat());
    }
}

pub fn run(
    dialect: Dialect,
    fault: &Fault,
    operation: Operation,
    adapter: Adapter,
    persistence: Persistence,
) -> Actual {
    let world = Arc::new(World::new(dialect, operation.list_lag()));
    let before = world.backend.sandbox.charges();
    let redirect_targets = vec![
        format!("http://localhost:{}", OTHER_HOSTS[0].port()),
        format!("http://127.0.0.1:{}", OTHER_HOSTS[0].port()),
        format!("https://127.0.0.1:{}", OTHER_HOSTS[1].port()),
    ];
    let (connection_ready, ready) = channel();
    let service = |stored| {
        Service::new(world.backend.clone(), stored, redirect_targets.clone(), connection_ready.clone())
    };
    let faulty_host = FaultyHost::of(&fault.kind, service(operation.stores()));
    let normal = service(true);
    let healthy = Server::start(move |peer| serve_normally(peer, &normal));

    prepare(&world, fault, operation, persistence);
    let route = Arc::new(Route {
        to: faulty_host.to.clone(),
        method: operation.method(),
        persistent: persistence == Persistence::Persistent,
        timeout: fault.hangs.then_some(SHORT_TIMEOUT),
        reuse: fault.reuse.then(|| Mutex::new(ready)),
        state: Mutex::new(State::default()),
    });
    let origin = format!("http://{}", healthy.addr());
    let outcome = run_operation(adapter, &origin, &route, &world, operation);

    let requests = [healthy.finish(), faulty_host.server.map_or_else(Vec::new, Server::finish)].concat();
    let requests: Vec<_> = requests.into_iter().filter(|request| !request.contains(WARM_UP)).collect();
    let added = world.backend.sandbox.charges() - before;
    let outcome_text = format!("{} {}r {added}c", outcome_text_of(&outcome), requests.len());
    let mut violations = check_rules(&outcome, &route, &requests, &world.backend);
    if operation.once() && added > 1 {
        violations.push(format!("{added} charges for one order key"));
    }
    if OTHER_HOSTS.iter().any(|server| server.connections() > 0) {
        violations.push("another host got a request".to_owned());
    }
    Actual { outcome: outcome_text, violations }
}

/// Pays the order, or schedules the payment and the clock's jump.
fn prepare(world: &World, fault: &Fault, operation: Operation, persistence: Persistence) {
    let order = world.order().id();
    match fault.kind {
        FaultKind::Clock(jump) => {
            world.jump(jump);
            if persistence == Persistence::Once {
                world.pay_later(order);
            }
        }
        _ if operation.waits() && !fault.unpaid => world.backend.pay(order).unwrap(),
        _ => {}
    }
}

/// Runs the operation with the adapter's client and transport.
fn run_operation(
    adapter: Adapter,
    origin: &str,
    route: &Arc<Route>,
    world: &Arc<World>,
    operation: Operation,
) -> Result<Value, Error> {
    let endpoint = secrets::endpoint_in(world.backend.dialect, origin).unwrap();
    let clocks = Clocks(world.clone());
    match adapter {
        Adapter::Blocking => {
            let transport = UreqTransport::builder().ca_certificate(TRUSTED.pem()).build().unwrap();
            let client = strike_blocking::Client::builder(endpoint)
                .transport(Routed { route: route.clone(), transport })
                .timer(clocks)
                .retry(operation::policy())
                .seed(7)
                .build()
                .unwrap();
            operation::run(&client, operation, world)
        }
        Adapter::Async => {
            let transport = ReqwestTransport::builder().ca_certificate(TRUSTED.pem()).build().unwrap();
            let client = strike_async::Client::builder(endpoint)
                .transport(Routed { route: route.clone(), transport })
                .timer(clocks)
                .retry(operation::policy())
                .seed(7)
                .build()
                .unwrap();
            operation::run(&AsyncClient::new(client), operation, world)
        }
    }
}

/// Checks the rules that must hold in every cell, and returns the violations.
fn check_rules(
    outcome: &Result<Value, Error>,
    route: &Route,
    requests: &[String],
    backend: &Backend,
) -> Vec<String> {
    let mut violations = Vec::new();
    let sent = route.sent();
    // After a 429, the server has not processed the request.
    let creates = sent.iter().filter(|sent| {
        sent.method == Method::POST && !matches!(sent.outcome, Ok(429) | Err(strike_core::Delivery::Unsent))
    });
    if creates.count() > 1 {
        violations.push(format!("a create that may have arrived was sent again: {sent:?}"));
    }
    if requests.len() > MAX_REQUESTS {
        violations.push(format!("{} requests", requests.len()));
    }
    match outcome {
        Ok(got) => {
            if let Some(charge) = got.paid()
                && !backend.is_paid(charge.id())
            {
                violations.push(format!("{} is reported as paid, but is unpaid", charge.id()));
            }
        }
        Err(error) => {
            if let Some(leaked) = secrets::leaked_text(error) {
                violations.push(format!("an error contains the key: {leaked}"));
            }
        }
    }
    violations
}
