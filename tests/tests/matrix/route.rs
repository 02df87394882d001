//! The way to the service: the adapters' own transports over real sockets, led to the server with the fault when its moment
//! has come, and to one that works before and after.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use strike_async::{AsyncTransport, BoxFuture, ReqwestTransport};
use strike_blocking::{Transport, UreqTransport};
use strike_core::http::uri::PathAndQuery;
use strike_core::http::{Method, Request, Uri};
use strike_core::{Delivery, Exchange, HttpRequest, Reply};

/// The path of requests that only warm a connection up; they do not count.
pub const WARM_UP: &str = "/warm-up";

/// Whoever sends more often than this will never end.
const MOST_EXCHANGES: usize = 500;

/// How an exchange went.
#[derive(Debug, Clone)]
pub struct Sent {
    pub method: Method,
    /// The status, or what is known about delivery.
    pub outcome: Result<u16, Delivery>,
}

/// Which exchanges meet the fault, and what was sent.
pub struct Route {
    /// Scheme, host and port with the fault; `None` if the fault is not on the way.
    pub to: Option<Uri>,
    /// The first request with this method is the one that meets it.
    pub method: Method,
    /// Whether every exchange after it meets it, too.
    pub stays: bool,
    /// For exchanges that meet a fault which nothing but time ends.
    pub timeout: Option<Duration>,
    /// Tells that a connection was warmed up as it should be.
    pub warm: Option<Mutex<Receiver<()>>>,
    pub state: Mutex<State>,
}

#[derive(Default)]
pub struct State {
    struck: bool,
    sent: Vec<Sent>,
}

impl Route {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Every exchange, first to last.
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// Leads an exchange to where it goes; with it the one that warms a connection up before it, if any.
    fn lead(&self, mut exchange: Exchange) -> (Exchange, Option<Exchange>) {
        let first = {
            let mut state = self.state();
            let first = !state.struck && *exchange.request.method() == self.method;
            state.struck |= first;
            first || (state.struck && self.stays)
        };
        let Some(to) = self.to.as_ref().filter(|_| first) else { return (exchange, None) };
        *exchange.request.uri_mut() = at(to, exchange.request.uri().path_and_query().unwrap().clone());
        exchange.timeout = self.timeout.unwrap_or(exchange.timeout);
        let warm_up = self.warm.is_some().then(|| {
            let uri = at(to, PathAndQuery::from_static(WARM_UP));
            let request = Request::get(uri).body(Vec::new()).unwrap();
            Exchange::new(request, exchange.timeout, exchange.max_body)
        });
        (exchange, warm_up)
    }

    /// Waits until the server has done its part with a connection that was warmed up.
    fn warmed_up(&self, reply: Reply) {
        assert_eq!(reply.expect("a connection that is warmed up").status(), 200);
        self.warm.as_ref().unwrap().lock().unwrap().recv().unwrap();
    }

    fn note(&self, method: Method, reply: &Reply) {
        let outcome = match reply {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => Err(error.delivery()),
        };
        let mut state = self.state();
        state.sent.push(Sent { method, outcome });
        assert!(state.sent.len() < MOST_EXCHANGES, "no end is in sight");
    }
}

fn at(to: &Uri, path: PathAndQuery) -> Uri {
    let mut parts = to.clone().into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).unwrap()
}

/// A transport of an adapter's, on that route.
pub struct Routed<T> {
    pub route: Arc<Route>,
    pub transport: T,
}

fn method(request: &HttpRequest) -> Method {
    request.method().clone()
}

impl Transport for Routed<UreqTransport> {
    fn exchange(&self, exchange: Exchange) -> Reply {
        let (exchange, warm_up) = self.route.lead(exchange);
        let method = method(&exchange.request);
        if let Some(warm_up) = warm_up {
            self.route.warmed_up(self.transport.exchange(warm_up));
        }
        let reply = self.transport.exchange(exchange);
        self.route.note(method, &reply);
        reply
    }
}

impl AsyncTransport for Routed<ReqwestTransport> {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            let (exchange, warm_up) = self.route.lead(exchange);
            let method = method(&exchange.request);
            if let Some(warm_up) = warm_up {
                let reply = self.transport.exchange(warm_up).await;
                // hyper puts a connection back from a task of its own, which needs its turn.
                for _ in 0..32 {
                    tokio::task::yield_now().await;
                }
                self.route.warmed_up(reply);
            }
            let reply = self.transport.exchange(exchange).await;
            self.route.note(method, &reply);
            reply
        })
    }
}
