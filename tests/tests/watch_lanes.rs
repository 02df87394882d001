//! Watches with several requests in flight, in both adapters, with the system clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use strike_core::http::Method;
use strike_core::{
    ApiKey, Charge, Create, Endpoint, Event, Exchange, NewCharge, Now, Reply, Schedule, UnixMillis, Watcher,
};
use strike_sandbox::Sandbox;
use tokio::sync::Barrier;
use tokio::time::timeout;

const CHARGES: u64 = 4;
/// Far longer than any of these tests takes.
const LIMIT: Duration = Duration::from_secs(20);

fn shop() -> (Sandbox, Endpoint, Vec<Charge>) {
    use strike_core::machine::Operation as _;

    let sandbox = Sandbox::new();
    let key = ApiKey::new(sandbox.api_key()).unwrap();
    let endpoint = Endpoint::new(sandbox.base_url(), key, sandbox.network()).unwrap();
    let create = |amount| {
        let create = Create::new(NewCharge::satoshis(amount, "tea"));
        let response = sandbox.respond(&create.request(&endpoint).unwrap());
        let now = Now::new(Duration::ZERO, UnixMillis::from_millis(0));
        let charge = create.parse(&endpoint, &response, now).unwrap();
        sandbox.pay(charge.id()).unwrap();
        charge
    };
    let charges = (1..=CHARGES).map(create).collect();
    (sandbox, endpoint, charges)
}

/// Makes the watch read each charge alone, as soon as it is allowed to.
fn read_all(watcher: Watcher, charges: &[Charge]) -> Watcher {
    let often = Schedule::every(Duration::from_secs(1800));
    let mut watcher = watcher.request_interval(Duration::ZERO).schedule(often);
    for charge in charges {
        watcher.add(charge);
        watcher.check_soon(charge.id());
    }
    watcher
}

fn paid(event: Event) -> String {
    match event {
        Event::Paid(charge) => charge.id().to_string(),
        other => panic!("{other:?}"),
    }
}

/// Opens when this many threads are in it.
#[derive(Default)]
struct Gate(Mutex<u64>, Condvar);

impl Gate {
    fn pass(&self, threads: u64) {
        let mut inside = self.0.lock().unwrap();
        *inside += 1;
        self.1.notify_all();
        let waited = self.1.wait_timeout_while(inside, LIMIT, |inside| *inside < threads).unwrap();
        assert!(!waited.1.timed_out(), "the requests were not in flight at the same time");
    }
}

#[test]
fn blocking_watch_has_several_requests_in_flight() {
    let (sandbox, endpoint, charges) = shop();
    let gate = Gate::default();
    let transport = move |exchange: Exchange| {
        gate.pass(CHARGES);
        sandbox.reply(exchange)
    };
    let client = strike_blocking::Client::builder(endpoint).transport(transport).build().unwrap();
    let watch = client.watch(read_all(client.watcher(), &charges));
    let events: BTreeSet<_> = watch.map(|event| paid(event.unwrap())).collect();
    assert_eq!(events, charges.iter().map(|charge| charge.id().to_string()).collect());
}

#[tokio::test]
async fn async_watch_has_several_requests_in_flight() {
    let (sandbox, endpoint, charges) = shop();
    let gate = Arc::new(Barrier::new(usize::try_from(CHARGES).unwrap()));
    let transport = move |exchange: Exchange| {
        let (gate, sandbox) = (Arc::clone(&gate), sandbox.clone());
        async move {
            timeout(LIMIT, gate.wait()).await.expect("the requests were not in flight at the same time");
            sandbox.reply(exchange)
        }
    };
    let client = strike_async::Client::builder(endpoint).transport(transport).build().unwrap();
    let mut watch = client.watch(read_all(client.watcher(), &charges));
    let mut events = BTreeSet::new();
    // Each future is dropped after its first poll.
    while events.len() < charges.len() {
        if let Ok(event) = timeout(Duration::ZERO, watch.next()).await {
            assert!(events.insert(paid(event.unwrap().unwrap())));
        }
    }
    assert!(watch.next().await.is_none());
    assert_eq!(events, charges.iter().map(|charge| charge.id().to_string()).collect());
}

/// A transport that notes which threads use it, and reports when it is dropped.
struct Noting {
    sandbox: Sandbox,
    threads: mpsc::Sender<thread::ThreadId>,
    dropped: mpsc::Sender<()>,
}

impl strike_blocking::Transport for Noting {
    fn exchange(&self, exchange: Exchange) -> Reply {
        self.threads.send(thread::current().id()).unwrap();
        self.sandbox.reply(exchange)
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        let _ = self.dropped.send(());
    }
}

#[test]
fn threads_of_a_blocking_watch_end_when_it_is_dropped() {
    for (in_flight, uses_threads) in [(1, false), (3, true)] {
        let (sandbox, endpoint, charges) = shop();
        let ((threads, seen), (dropped, all_dropped)) = (mpsc::channel(), mpsc::channel());
        let transport = Noting { sandbox, threads, dropped };
        let client = strike_blocking::Client::builder(endpoint).transport(transport).build().unwrap();
        let mut watch = client.watch(read_all(client.watcher(), &charges).max_in_flight(in_flight));
        paid(watch.next().unwrap().unwrap());
        assert_eq!(seen.recv().unwrap() != thread::current().id(), uses_threads, "{in_flight} in flight");
        drop(client);
        assert!(all_dropped.try_recv().is_err(), "the watch still needs its transport");
        drop(watch);
        all_dropped.recv_timeout(LIMIT).expect("each thread should drop its part of the client");
    }
}

#[test]
fn panic_of_a_transport_reaches_the_caller_of_a_blocking_watch() {
    let (sandbox, endpoint, charges) = shop();
    let panics = Mutex::new(true);
    let transport = move |exchange: Exchange| {
        assert_eq!(exchange.request.method(), Method::GET);
        assert!(!std::mem::take(&mut *panics.lock().unwrap()), "the transport panics once");
        sandbox.reply(exchange)
    };
    let client = strike_blocking::Client::builder(endpoint).transport(transport).build().unwrap();
    let mut watch = client.watch(read_all(client.watcher(), &charges));
    let (mut panicked, mut events) = (0, BTreeSet::new());
    while events.len() < charges.len() {
        match catch_unwind(AssertUnwindSafe(|| watch.next())) {
            Ok(event) => assert!(events.insert(paid(event.unwrap().unwrap()))),
            Err(_) => panicked += 1,
        }
    }
    assert_eq!(panicked, 1);
}
