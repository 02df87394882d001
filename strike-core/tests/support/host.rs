//! A simulated host: a list of charges, and faults that lose requests or responses.

use std::collections::VecDeque;

use http::{Method, Response};
use serde_json::{Value, json};
use strike_core::{Delivery, Exchange, Now, Reply, TransportErrorKind, UnixMillis};

use super::{START, charge_json, no_response, respond};

/// The fate of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Fine,
    /// The connection is refused, and nothing is sent.
    Refused,
    /// The request is lost, and the client sees a timeout.
    RequestLost,
    /// The host processes the request, but the response is lost. The client sees a timeout.
    ReplyLost,
    /// The request is lost, and the machine is polled again without a reply.
    SilentBefore,
    /// The host processes the request, but the machine is polled again without a reply.
    SilentAfter,
    /// The host returns this status without processing the request.
    Before(u16),
    /// The host processes the request and then returns this status.
    After(u16),
    /// The client sees a timeout, and the create arrives just before the n-th list request after it.
    Late(usize),
}

/// A simulated host with its charges, newest first, and its settings.
pub struct Host {
    pub rows: Vec<Value>,
    /// The largest page size.
    pub cap: usize,
    pub ignores_paging: bool,
    pub echoes: bool,
    pub dates: bool,
    /// How many of the newest rows the list does not show.
    pub hidden: usize,
    /// If true, the list shows every charge as unpaid.
    pub stale_list: bool,
    /// The host's clock when the monotonic clock is zero, in milliseconds since the epoch.
    pub clock: u64,
    /// Faults of the next requests of each kind. Later requests succeed.
    pub posts: VecDeque<Fault>,
    pub lists: VecDeque<Fault>,
    pub gets: VecDeque<Fault>,
    /// Every request that was sent, including lost ones.
    pub log: Vec<String>,
    late: Vec<(usize, Value)>,
    created_count: usize,
}

impl Host {
    pub fn new() -> Self {
        Self {
            rows: Vec::new(),
            cap: 1000,
            ignores_paging: false,
            echoes: true,
            dates: true,
            hidden: 0,
            stale_list: false,
            clock: START,
            posts: VecDeque::new(),
            lists: VecDeque::new(),
            gets: VecDeque::new(),
            log: Vec::new(),
            late: Vec::new(),
            created_count: 0,
        }
    }

    /// Inserts a charge with this creation time at the head of the list, and returns its id.
    pub fn insert(&mut self, created: u64, changes: &[(&str, Value)]) -> String {
        self.created_count += 1;
        let id = format!("ch_{}", self.created_count);
        let mut fields = vec![
            ("id", json!(id)),
            ("payment_hash", json!(format!("{:064x}", self.created_count))),
            ("payment_request", json!(format!("invented-{}", self.created_count))),
            ("created", json!(created)),
            ("updated", json!(created)),
        ];
        fields.extend(changes.iter().cloned());
        self.rows.insert(0, charge_json(&fields));
        id
    }

    pub fn pay(&mut self, id: &str, updated: u64) {
        let row = self.rows.iter_mut().find(|row| row["id"] == id).unwrap();
        row["paid"] = json!(true);
        row["updated"] = json!(updated);
    }

    /// Delivers all delayed creates.
    pub fn flush(&mut self) {
        for (_, charge) in std::mem::take(&mut self.late) {
            self.rows.insert(0, charge);
        }
    }

    pub fn sent(&self, method: &str) -> usize {
        self.log.iter().filter(|line| line.starts_with(method)).count()
    }

    /// Processes an exchange. Returns `None` if the machine gets no reply.
    pub fn serve(&mut self, exchange: &Exchange, now: Now) -> Option<Reply> {
        let request = &exchange.request;
        let uri = request.uri();
        self.log.push(format!("{} {}", request.method(), uri.path_and_query().unwrap()));
        let clock = self.clock + u64::try_from(now.monotonic.as_millis()).unwrap();
        let id = uri.path().strip_prefix("/api/v1/charges").unwrap().strip_prefix('/');
        let list = request.method() == Method::GET && id.is_none();
        let plan = match id {
            Some(_) => &mut self.gets,
            None if list => &mut self.lists,
            None => &mut self.posts,
        };
        let fault = plan.pop_front().unwrap_or(Fault::Fine);
        if list {
            self.arrive();
        }
        let lost = || Some(no_response(TransportErrorKind::Timeout, Delivery::MaybeSent));
        match fault {
            Fault::Refused => {
                return Some(no_response(TransportErrorKind::ConnectionRefused, Delivery::Unsent));
            }
            Fault::RequestLost => return lost(),
            Fault::SilentBefore => return None,
            Fault::Before(status) => return Some(self.dated(respond(status, ""), clock)),
            Fault::Late(lists) if !list && id.is_none() => {
                let charge = self.charge(request.body(), clock);
                self.late.push((lists, charge));
                return lost();
            }
            _ => {}
        }
        let body = match id {
            Some(id) => self.rows.iter().find(|row| row["id"] == id).cloned(),
            None if list => Some(Value::Array(self.page(uri.query().unwrap_or_default()))),
            None => {
                let charge = self.charge(request.body(), clock);
                self.rows.insert(0, charge.clone());
                Some(charge)
            }
        };
        let reply = match (fault, body) {
            (Fault::ReplyLost | Fault::Late(_), _) => return lost(),
            (Fault::SilentAfter, _) => return None,
            (Fault::After(status), _) => respond(status, ""),
            (_, Some(body)) => respond(200, body.to_string()),
            (_, None) => respond(404, r#"{"code":404,"message":"not found"}"#),
        };
        Some(self.dated(reply, clock))
    }

    fn dated(&self, reply: Reply, clock: u64) -> Reply {
        let mut response: Response<Vec<u8>> = reply?;
        if self.dates {
            let date = httpdate::fmt_http_date(UnixMillis::from_millis(clock).to_system_time().unwrap());
            response.headers_mut().insert("date", date.parse().unwrap());
        }
        Ok(response)
    }

    fn arrive(&mut self) {
        let mut waiting = Vec::new();
        for (lists, charge) in std::mem::take(&mut self.late) {
            if lists == 1 {
                self.rows.insert(0, charge);
            } else {
                waiting.push((lists - 1, charge));
            }
        }
        self.late = waiting;
    }

    fn page(&self, query: &str) -> Vec<Value> {
        let number = |name: &str, usual: usize| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map_or(usual, |(_, value)| value.parse().unwrap())
        };
        if self.ignores_paging {
            return self.rows.iter().take(self.cap).cloned().collect();
        }
        let size = number("size", 30).min(self.cap);
        let shown = self.rows.iter().skip(self.hidden.min(self.rows.len()));
        let mut rows: Vec<Value> = shown.skip(number("page", 0) * size).take(size).cloned().collect();
        if self.stale_list {
            rows.iter_mut().for_each(|row| row["paid"] = json!(false));
        }
        rows
    }

    /// Creates the charge of a form.
    fn charge(&mut self, form: &[u8], clock: u64) -> Value {
        let field = |name: &str| {
            let mut pairs = form_urlencoded::parse(form);
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let amount: u64 = field("amount").unwrap().parse().unwrap();
        let customer_id = field("customer_id").filter(|_| self.echoes);
        self.insert(
            clock,
            &[
                ("amount", json!(amount)),
                ("amount_satoshi", json!(amount)),
                ("description", json!(field("description").unwrap())),
                ("customer_id", json!(customer_id)),
            ],
        );
        self.rows.remove(0)
    }
}
