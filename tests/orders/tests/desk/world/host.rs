//! The host: a sandbox in memory, and what can happen to the requests of one instance.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use strike_async::http::Method;
use strike_async::webhook::{self, Notification};
use strike_async::{AsyncTransport, BoxFuture, ChargeId, Exchange, Reply};
use strike_orders::Order;
use strike_sandbox::Sandbox;

use super::Gate;

/// The host of all instances. Clones share it.
#[derive(Clone, Default)]
pub struct Host {
    pub sandbox: Sandbox,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    creates: usize,
    /// The path of each read of a charge.
    reads: Vec<String>,
    requests: usize,
    /// The charges whose payment does not show yet.
    hidden: HashSet<String>,
    /// Whether the host creates invoices for other amounts than ordered.
    cheats: bool,
}

impl Host {
    /// Returns how many requests have come to the host.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// Returns how many creates have come to the host.
    pub fn creates(&self) -> usize {
        self.state().creates
    }

    /// Returns how often a charge was read by its id.
    pub fn reads_of(&self, id: &ChargeId) -> usize {
        self.state().reads.iter().filter(|path| path.ends_with(id.as_str())).count()
    }

    /// Shows this charge as unpaid until [`show`](Self::show).
    pub fn hide(&self, id: &ChargeId) {
        self.state().hidden.insert(id.to_string());
    }

    pub fn show(&self, id: &ChargeId) {
        self.state().hidden.remove(id.as_str());
    }

    /// Lets the host create each charge for one satoshi more than ordered.
    pub fn cheat(&self, cheats: bool) {
        self.state().cheats = cheats;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn reply(&self, mut exchange: Exchange) -> Reply {
        {
            let mut state = self.state();
            state.requests += 1;
            if exchange.request.method() == Method::POST {
                state.creates += 1;
                if state.cheats {
                    let form =
                        String::from_utf8_lossy(exchange.request.body()).replace("amount=42", "amount=43");
                    *exchange.request.body_mut() = form.into_bytes();
                }
            } else {
                state.reads.push(exchange.request.uri().path().to_owned());
            }
        }
        let mut response = self.sandbox.reply(exchange)?;
        if let Ok(mut json) = serde_json::from_slice::<Value>(response.body())
            && self.hide_payments(&mut json)
        {
            *response.body_mut() = json.to_string().into_bytes();
        }
        Ok(response)
    }

    /// Turns hidden payments into pending charges. Returns true if there is one.
    fn hide_payments(&self, json: &mut Value) -> bool {
        let rows = match json {
            Value::Array(rows) => rows.as_mut_slice(),
            row => std::slice::from_mut(row),
        };
        let mut has_hidden = false;
        for row in rows {
            if row["paid"] == true && row["id"].as_str().is_some_and(|id| self.state().hidden.contains(id)) {
                row["paid"] = false.into();
                row["updated"] = row["created"].clone();
                has_hidden = true;
            }
        }
        has_hidden
    }
}

/// When a gate holds a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The host has not seen it.
    BeforeHost,
    /// The host has created the charge, and its response has not arrived.
    AfterHost,
}

/// The connection of one instance to the host.
#[derive(Clone)]
pub struct Wire {
    host: Host,
    gate: Arc<Mutex<Option<(Moment, Gate)>>>,
}

impl Wire {
    pub fn new(host: &Host) -> Self {
        Self { host: host.clone(), gate: Arc::default() }
    }

    /// Holds the next create at a gate.
    pub fn hold_create(&self, moment: Moment, gate: &Gate) {
        *self.gate.lock().unwrap() = Some((moment, gate.clone()));
    }
}

impl AsyncTransport for Wire {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            let is_create = exchange.request.method() == Method::POST;
            let gate = if is_create { self.gate.lock().unwrap().take() } else { None };
            match gate {
                Some((Moment::BeforeHost, gate)) => {
                    gate.pass().await;
                    self.host.reply(exchange)
                }
                Some((Moment::AfterHost, gate)) => {
                    let reply = self.host.reply(exchange);
                    gate.pass().await;
                    reply
                }
                None => self.host.reply(exchange),
            }
        })
    }
}

/// Returns the webhook of an order's charge, as [`Endpoint::read_webhook`](strike_async::Endpoint)
/// returns it.
pub fn notification(order: &Order) -> Notification {
    notification_of(order.charge().id())
}

pub fn notification_of(id: &ChargeId) -> Notification {
    webhook::parse(format!(r#"{{"object":"event","data":{{"id":"{id}"}}}}"#).as_bytes()).unwrap()
}
