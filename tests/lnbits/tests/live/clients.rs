//! Both clients, with transports that count the requests and can lose a response.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use strike_async::{AsyncTransport, BoxFuture, ReqwestTransport};
use strike_blocking::{Transport, UreqTransport};
use strike_core::http::Method;
use strike_core::{
    ApiKey, Charge, Delivery, Endpoint, Error, Event, Exchange, Network, Reply, TransportError,
    TransportErrorKind, Watcher,
};
use strike_tests::{AnyClient, AsyncClient};
use tokio::runtime::Runtime;

use crate::server::Lnbits;
use crate::wallet::Wallet;

/// One of the two clients.
pub struct Adapter {
    pub name: &'static str,
    pub traffic: Arc<Traffic>,
    any: Box<dyn AnyClient>,
    client: Client,
}

enum Client {
    Blocking(strike_blocking::Client),
    Async(strike_async::Client, Runtime),
}

/// Returns the endpoint of a wallet, with its invoice key.
pub fn endpoint(lnbits: &Lnbits, wallet: &Wallet) -> Endpoint {
    endpoint_with(lnbits.url(), &wallet.invoice_key)
}

/// Returns the endpoint with a key of any kind. FakeWallet's invoices are for the main network.
pub fn endpoint_with(url: &str, key: &str) -> Endpoint {
    Endpoint::lnbits(url, ApiKey::new(key).unwrap(), Network::Bitcoin).unwrap()
}

/// Returns both clients.
pub fn both(endpoint: &Endpoint) -> [Adapter; 2] {
    [blocking(endpoint), asynchronous(endpoint)]
}

fn blocking(endpoint: &Endpoint) -> Adapter {
    let traffic = Arc::new(Traffic::default());
    let transport = Counted { transport: UreqTransport::new().unwrap(), traffic: Arc::clone(&traffic) };
    let client = strike_blocking::Client::builder(endpoint.clone()).transport(transport).build().unwrap();
    Adapter { name: "blocking", traffic, any: Box::new(client.clone()), client: Client::Blocking(client) }
}

fn asynchronous(endpoint: &Endpoint) -> Adapter {
    let traffic = Arc::new(Traffic::default());
    let transport = Counted { transport: ReqwestTransport::new().unwrap(), traffic: Arc::clone(&traffic) };
    let client = strike_async::Client::builder(endpoint.clone()).transport(transport).build().unwrap();
    let any = Box::new(AsyncClient::new(client.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Adapter { name: "async", traffic, any, client: Client::Async(client, runtime) }
}

impl Adapter {
    /// Reads the whole list, with pages of this many rows.
    pub fn list_by(&self, rows: u32) -> Result<Vec<Charge>, Error> {
        match &self.client {
            Client::Blocking(client) => client.list_all().page_size(rows).collect(),
            Client::Async(client, runtime) => runtime.block_on(async {
                let (mut all, mut charges) = (client.list_all().page_size(rows), Vec::new());
                while let Some(charge) = all.next().await {
                    charges.push(charge?);
                }
                Ok(charges)
            }),
        }
    }

    /// Checks the credential and where the requests go.
    pub fn check_setup(&self) -> Result<(), Error> {
        match &self.client {
            Client::Blocking(client) => client.check_setup(),
            Client::Async(client, runtime) => runtime.block_on(client.check_setup()),
        }
    }

    /// Watches charges until none is pending, and passes each event to a closure.
    pub fn watch_with(
        &self,
        charges: &[Charge],
        configure: impl FnOnce(Watcher) -> Watcher,
        mut on_event: impl FnMut(Event),
    ) {
        let filled = |mut watcher: Watcher| {
            charges.iter().for_each(|charge| watcher.add(charge));
            watcher
        };
        match &self.client {
            Client::Blocking(client) => {
                let watcher = filled(configure(client.watcher()));
                client.watch(watcher).for_each(|event| on_event(event.unwrap()));
            }
            Client::Async(client, runtime) => runtime.block_on(async {
                let mut watch = client.watch(filled(configure(client.watcher())));
                while let Some(event) = watch.next().await {
                    on_event(event.unwrap());
                }
            }),
        }
    }
}

impl Deref for Adapter {
    type Target = dyn AnyClient;

    fn deref(&self) -> &Self::Target {
        &*self.any
    }
}

/// What a client has sent, and what is to happen to it.
#[derive(Default)]
pub struct Traffic {
    sent: Mutex<Vec<String>>,
    lose_a_create: AtomicBool,
    after_a_read: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Traffic {
    /// Loses the response to the next create. LNbits processes the request.
    pub fn lose_the_next_create(&self) {
        self.lose_a_create.store(true, Ordering::SeqCst);
    }

    /// Does something once the response to the next read has arrived.
    pub fn after_the_next_read(&self, action: impl FnOnce() + Send + 'static) {
        *self.after_a_read.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(action));
    }

    /// Returns the requests since the last call, as method and path.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a request, and returns its method.
    fn note(&self, exchange: &Exchange) -> Method {
        let (method, path) = (exchange.request.method(), exchange.request.uri().path());
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {path}"));
        method.clone()
    }

    /// Returns what the client gets instead of this reply.
    fn change(&self, method: &Method, reply: Reply) -> Reply {
        if method == Method::POST && self.lose_a_create.swap(false, Ordering::SeqCst) {
            return Err(TransportError::new(TransportErrorKind::Closed, Delivery::MaybeSent));
        }
        if method == Method::GET {
            let action = self.after_a_read.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(action) = action {
                action();
            }
        }
        reply
    }
}

struct Counted<T> {
    transport: T,
    traffic: Arc<Traffic>,
}

impl Transport for Counted<UreqTransport> {
    fn exchange(&self, exchange: Exchange) -> Reply {
        let method = self.traffic.note(&exchange);
        self.traffic.change(&method, self.transport.exchange(exchange))
    }
}

impl AsyncTransport for Counted<ReqwestTransport> {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        let method = self.traffic.note(&exchange);
        let reply = self.transport.exchange(exchange);
        Box::pin(async move { self.traffic.change(&method, reply.await) })
    }
}
