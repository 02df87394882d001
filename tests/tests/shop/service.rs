//! A fast simulated service: unsigned invoices, an optional list lag, and pages of any size. It has
//! the wire format of the Strike API. `phoenixd` adds that of phoenixd.

use std::fmt::Write as _;

use strike_core::http::{HeaderValue, Method, header};
use strike_core::{HttpRequest, HttpResponse, UnixMillis};
use strike_tests::lnbits::Record;

use super::invoice;

/// The service, with its charges in the order of creation. Times are Unix milliseconds.
#[derive(Debug)]
pub(crate) struct Service {
    /// The charges.
    pub(crate) records: Vec<Record>,
    /// The JSON of each charge up to the value of `paid`.
    heads: Vec<String>,
    /// The largest page size.
    pub(crate) cap: usize,
    /// How long after its creation a charge appears in the list.
    pub(crate) lag: u64,
    /// Whether responses have a `Date`.
    pub(crate) dates: bool,
    pub(crate) requests: u64,
    date: (u64, HeaderValue),
}

impl Service {
    pub(crate) fn new(cap: usize, lag: u64, dates: bool) -> Self {
        let (records, heads, date) = (Vec::new(), Vec::new(), (0, HeaderValue::from_static("")));
        Self { records, heads, cap, lag, dates, requests: 0, date }
    }

    pub(crate) fn id(row: usize) -> String {
        let spread = (row as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!("ch_{spread:016x}{row:08x}")
    }

    pub(crate) fn is_listed(&self, row: usize, now: u64) -> bool {
        self.records[row].created.as_millis() + self.lag <= now
    }

    /// Pays a charge, if it was payable when the payer began. Returns true if this call paid it.
    pub(crate) fn pay(&mut self, row: usize, began: u64, now: u64) -> bool {
        let record = &mut self.records[row];
        if record.paid || began >= record.expires.as_millis() {
            return false;
        }
        (record.paid, record.updated) = (true, UnixMillis::from_millis(now));
        true
    }

    /// Creates a charge without a request.
    pub(crate) fn create_charge(
        &mut self,
        amount: u64,
        description: &str,
        customer: Option<&str>,
        expiry: u64,
        now: u64,
    ) {
        let row = self.records.len();
        let id = Self::id(row);
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&(row as u64).to_be_bytes());
        let request = invoice::unsigned(amount, description, &hash, now / 1000, expiry);
        let mut hex = String::with_capacity(64);
        hash.iter().for_each(|byte| write!(hex, "{byte:02x}").unwrap());
        let expires = now / 1000 * 1000 + expiry * 1000;
        let time = UnixMillis::from_millis;
        self.records.push(Record {
            hash: hex.clone(),
            amount,
            description: description.to_owned(),
            customer_id: customer.map(str::to_owned),
            payment_request: request.clone(),
            paid: false,
            created: time(now),
            updated: time(now),
            expires: time(expires),
        });
        let text = |text: &str| serde_json::to_string(text).unwrap();
        let customer = customer.map_or(String::new(), |id| format!(r#""customer_id":{},"#, text(id)));
        let description = text(description);
        let head = format!(
            r#"{{"id":"{id}","object":"charge","amount":{amount},"currency":"btc","amount_satoshi":{amount},"payment_hash":"{hex}","payment_request":"{request}","description":{description},{customer}"paid":"#
        );
        self.heads.push(head);
    }

    pub(crate) fn respond(&mut self, request: &HttpRequest, now: u64) -> HttpResponse {
        self.requests += 1;
        let path = request.uri().path();
        let (status, body) = if request.method() == Method::POST {
            self.create(request.body(), now);
            (200, self.json(self.records.len() - 1))
        } else if path.ends_with("/charges") {
            (200, self.list(request.uri().query().unwrap_or_default(), now))
        } else {
            let id = path.rsplit('/').next().unwrap_or_default();
            match self.row_of(id) {
                Some(row) => (200, self.json(row)),
                // The other dialects name a charge by its payment hash.
                None if self.records.iter().any(|record| record.hash == id) => (200, "{}".to_owned()),
                None => (404, r#"{"code":404,"message":"not found"}"#.to_owned()),
            }
        };
        let mut response = HttpResponse::new(body.into_bytes());
        *response.status_mut() = status.try_into().unwrap();
        if self.dates {
            let date = self.date(now);
            response.headers_mut().insert(header::DATE, date);
        }
        response
    }

    fn create(&mut self, body: &[u8], now: u64) {
        let (mut amount, mut description, mut customer, mut expiry) = (0, String::new(), None, 3600);
        for (name, value) in form_urlencoded::parse(body) {
            match &*name {
                "amount" => amount = value.parse().unwrap(),
                "description" => description = value.into_owned(),
                "customer_id" => customer = Some(value.into_owned()),
                "expiry_sec" => expiry = value.parse().unwrap(),
                _ => {}
            }
        }
        self.create_charge(amount, &description, customer.as_deref(), expiry, now);
    }

    fn row_of(&self, id: &str) -> Option<usize> {
        let row = usize::from_str_radix(id.get(19..)?, 16).ok()?;
        (row < self.records.len() && Self::id(row) == id).then_some(row)
    }

    pub(crate) fn json(&self, row: usize) -> String {
        let mut text = String::with_capacity(700);
        self.write(row, &mut text);
        text
    }

    fn write(&self, row: usize, to: &mut String) {
        let Record { paid, created, updated, .. } = &self.records[row];
        let (created, updated) = (created.as_millis(), updated.as_millis());
        to.push_str(&self.heads[row]);
        write!(to, r#"{paid},"created":{created},"updated":{updated}}}"#).unwrap();
    }

    fn list(&self, query: &str, now: u64) -> String {
        let number = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map_or(0, |(_, value)| value.parse::<usize>().unwrap())
        };
        let size = number("size").min(self.cap);
        let hidden = (0..self.records.len()).rev().take_while(|row| !self.is_listed(*row, now)).count();
        let end = (self.records.len() - hidden).saturating_sub(number("page") * size);
        let mut text = String::with_capacity(64 + 700 * size.min(end));
        text.push('[');
        for row in (end.saturating_sub(size)..end).rev() {
            if text.len() > 1 {
                text.push(',');
            }
            self.write(row, &mut text);
        }
        text.push(']');
        text
    }

    fn date(&mut self, now: u64) -> HeaderValue {
        if self.date.0 != now / 1000 {
            let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(now / 1000);
            self.date = (now / 1000, HeaderValue::try_from(httpdate::fmt_http_date(at)).unwrap());
        }
        self.date.1.clone()
    }
}
