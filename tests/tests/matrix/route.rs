//! The routing of exchanges. The adapters' own transports use real sockets. An exchange that the
//! fault affects goes to the faulty server, and all others go to a normal one.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use strike_async::{AsyncTransport, BoxFuture, ReqwestTransport};
use strike_blocking::{Transport, UreqTransport};
use strike_core::http::uri::PathAndQuery;
use strike_core::http::{Method, Request, Uri};
use strike_core::{Delivery, Exchange, HttpRequest, Reply};

/// The path of requests that only open a connection. They are not counted.
pub const WARM_UP: &str = "/reuse-up";

/// The limit of exchanges, to stop a client that never ends.
const MAX_EXCHANGES: usize = 500;

/// An exchange and its outcome.
#[derive(Debug, Clone)]
pub struct Sent {
    pub method: Method,
    /// The status of the response, or whether the request was sent.
    pub outcome: Result<u16, Delivery>,
}

/// Decides which exchanges the fault affects, and records all exchanges.
pub struct Route {
    /// Scheme, host and port of the faulty server. `None` if the fault is not in the network.
    pub to: Option<Uri>,
    /// The fault affects the first request with this method.
    pub method: Method,
    /// Whether it affects all later exchanges as well.
    pub persistent: bool,
    /// The timeout of affected exchanges, if the fault hangs.
    pub timeout: Option<Duration>,
    /// If the fault needs a reused connection: gets a message when the server is ready for it.
    pub reuse: Option<Mutex<Receiver<()>>>,
    pub state: Mutex<State>,
}

#[derive(Default)]
pub struct State {
    started: bool,
    sent: Vec<Sent>,
}

impl Route {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// All exchanges, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// Routes an exchange. Also returns an exchange to send before it, if the fault needs a reused
    /// connection.
    fn route(&self, mut exchange: Exchange) -> (Exchange, Option<Exchange>) {
        let affected = {
            let mut state = self.state();
            let first = !state.started && *exchange.request.method() == self.method;
            state.started |= first;
            first || (state.started && self.persistent)
        };
        let Some(to) = self.to.as_ref().filter(|_| affected) else { return (exchange, None) };
        *exchange.request.uri_mut() = at(to, exchange.request.uri().path_and_query().unwrap().clone());
        exchange.timeout = self.timeout.unwrap_or(exchange.timeout);
        let warm_up = self.reuse.is_some().then(|| {
            let uri = at(to, PathAndQuery::from_static(WARM_UP));
            let request = Request::get(uri).body(Vec::new()).unwrap();
            Exchange::new(request, exchange.timeout, exchange.max_body)
        });
        (exchange, warm_up)
    }

    /// Waits until the server is ready for a request on the reused connection.
    fn connection_ready(&self, reply: Reply) {
        assert_eq!(reply.expect("the first request on the connection should succeed").status(), 200);
        self.reuse.as_ref().unwrap().lock().unwrap().recv().unwrap();
    }

    fn record(&self, method: Method, reply: &Reply) {
        let outcome = match reply {
            Ok(response) => Ok(response.status().as_u16()),
            Err(error) => Err(error.delivery()),
        };
        let mut state = self.state();
        state.sent.push(Sent { method, outcome });
        assert!(state.sent.len() < MAX_EXCHANGES, "the client does not end");
    }
}

fn at(to: &Uri, path: PathAndQuery) -> Uri {
    let mut parts = to.clone().into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).unwrap()
}

/// An adapter's transport with routing.
pub struct Routed<T> {
    pub route: Arc<Route>,
    pub transport: T,
}

fn method(request: &HttpRequest) -> Method {
    request.method().clone()
}

impl Transport for Routed<UreqTransport> {
    fn exchange(&self, exchange: Exchange) -> Reply {
        let (exchange, warm_up) = self.route.route(exchange);
        let method = method(&exchange.request);
        if let Some(warm_up) = warm_up {
            self.route.connection_ready(self.transport.exchange(warm_up));
        }
        let reply = self.transport.exchange(exchange);
        self.route.record(method, &reply);
        reply
    }
}

impl AsyncTransport for Routed<ReqwestTransport> {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            let (exchange, warm_up) = self.route.route(exchange);
            let method = method(&exchange.request);
            if let Some(warm_up) = warm_up {
                let reply = self.transport.exchange(warm_up).await;
                // hyper returns a connection to the pool in a task of its own, which has to run
                // first.
                for _ in 0..32 {
                    tokio::task::yield_now().await;
                }
                self.route.connection_ready(reply);
            }
            let reply = self.transport.exchange(exchange).await;
            self.route.record(method, &reply);
            reply
        })
    }
}
