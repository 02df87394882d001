//! The stream of all charges: it reads one page ahead.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use strike_async::{Charge, Charges, Client, Error, Exchange, NewCharge, Reply};
use strike_sandbox::Sandbox;

/// A client of an account with five charges. After the first page, the server is silent until it is
/// opened.
struct World {
    sandbox: Sandbox,
    client: Client,
    requests: Arc<Mutex<Vec<String>>>,
    is_open: Arc<AtomicBool>,
}

impl World {
    async fn new() -> Self {
        let sandbox = Sandbox::new();
        let (requests, is_open) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(AtomicBool::new(false)));
        let (server, seen, open) = (sandbox.clone(), Arc::clone(&requests), Arc::clone(&is_open));
        let transport = move |exchange: Exchange| {
            let query = exchange.request.uri().query().unwrap_or_default().to_owned();
            let responds = query.is_empty() || query.starts_with("page=0&");
            seen.lock().unwrap().push(query);
            let (server, open) = (server.clone(), Arc::clone(&open));
            let mut exchange = Some(exchange);
            std::future::poll_fn(move |_| -> Poll<Reply> {
                match exchange.take_if(|_| responds || open.load(Ordering::SeqCst)) {
                    Some(exchange) => Poll::Ready(server.reply(exchange)),
                    None => Poll::Pending,
                }
            })
        };
        let client = Client::builder(sandbox.endpoint().unwrap()).transport(transport).build().unwrap();
        for amount in 1..=5 {
            client.create(NewCharge::satoshis(amount, "tea")).await.unwrap();
        }
        requests.lock().unwrap().clear();
        Self { sandbox, client, requests, is_open }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Polls the stream once, and drops the future.
fn poll(charges: &mut Charges) -> Poll<Option<Result<Charge, Error>>> {
    pin!(charges.next()).poll(&mut Context::from_waker(Waker::noop()))
}

#[track_caller]
fn amount(polled: Poll<Option<Result<Charge, Error>>>) -> u64 {
    let Poll::Ready(Some(charge)) = polled else { panic!("expected a charge: {polled:?}") };
    charge.unwrap().amount().get()
}

#[tokio::test]
async fn list_all_requests_the_next_page_with_the_first_row() {
    let world = World::new().await;
    let mut charges = world.client.list_all().page_size(2);
    assert!(world.requests().is_empty(), "nothing is read until it is polled");
    assert_eq!(amount(poll(&mut charges)), 5);
    assert_eq!(world.requests(), ["page=0&size=2", "page=1&size=2"]);
    assert_eq!(amount(poll(&mut charges)), 4);
    // The second page is not there yet. A dropped future loses neither it nor a charge.
    assert!(poll(&mut charges).is_pending());
    assert!(poll(&mut charges).is_pending());
    world.is_open.store(true, Ordering::SeqCst);
    for left in [3, 2, 1] {
        assert_eq!(amount(poll(&mut charges)), left);
    }
    assert!(matches!(poll(&mut charges), Poll::Ready(None)));
    assert!(matches!(poll(&mut charges), Poll::Ready(None)), "the end is final");
    let pages = ["page=0&size=2", "page=1&size=2", "page=2&size=2", "page=3&size=2"];
    assert_eq!(world.requests(), pages);
    assert_eq!(world.sandbox.charges(), 5);
}

#[tokio::test]
async fn list_all_reads_no_page_beyond_its_limit() {
    let world = World::new().await;
    world.is_open.store(true, Ordering::SeqCst);
    for (limit, pages) in [(1, 1), (2, 1), (3, 2), (4, 2)] {
        world.requests.lock().unwrap().clear();
        let mut charges = world.client.list_all().page_size(2).limit(limit);
        for nth in 0..limit {
            assert_eq!(amount(poll(&mut charges)), 5 - nth);
        }
        assert!(matches!(poll(&mut charges), Poll::Ready(None)));
        assert_eq!(world.requests().len(), pages, "limit {limit}");
    }
}
