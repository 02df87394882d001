//! An LNbits in memory, on top of a service that speaks the Strike API. It responds like a running
//! LNbits 1.6.2.
//!
//! The service plays the node: it makes the invoices, and knows which of them are paid. Each request
//! is also made of the service, in the Strike API. So the faults of a sandbox apply as they do to
//! its own requests.

mod ledger;
mod payment;
mod query;
mod quirks;
mod request;
mod response;
mod status;

use std::collections::BTreeMap;

use strike_core::http::{HeaderMap, StatusCode, header};
use strike_core::{Charge, Exchange, HttpResponse, Reply};

pub use self::ledger::{Ledger, Record};
pub use self::payment::PREIMAGE;
use self::payment::Payment;
use self::query::Query;
pub use self::quirks::LnbitsQuirks;
use self::request::{Asked, NewPayment};
use self::response::{detail, json_response};
use self::status::Entry;
pub use self::status::{Kind, Status};

/// An LNbits with one wallet.
#[derive(Debug)]
pub struct Lnbits {
    invoice_key: String,
    admin_key: String,
    quirks: LnbitsQuirks,
    /// What LNbits stores beside the node's records, by payment hash.
    entries: BTreeMap<String, Entry>,
}

/// The key of a request.
enum Access {
    Allowed { admin: bool },
    Missing,
    Wrong,
}

impl Lnbits {
    /// Creates a wallet with this invoice key. The admin key is the same text with `-admin` at its
    /// end.
    #[must_use]
    pub fn new(invoice_key: &str, quirks: LnbitsQuirks) -> Self {
        let admin_key = format!("{invoice_key}-admin");
        Self { invoice_key: invoice_key.to_owned(), admin_key, quirks, entries: BTreeMap::new() }
    }

    /// Makes an exchange. The faults of the service below apply.
    ///
    /// # Errors
    /// Returns the error of a fault.
    pub fn exchange(&mut self, mut exchange: Exchange, ledger: &mut impl Ledger) -> Reply {
        let asked = Asked::read(&exchange.request);
        let access = self.access(exchange.request.headers());
        let max_body = exchange.max_body;
        let rejected = match (&asked, &access) {
            (Asked::Create(new), Access::Allowed { .. }) => new.rejected(),
            (Asked::Create(_) | Asked::Page(_) | Asked::Wallet, Access::Missing) => {
                Some(detail(StatusCode::UNAUTHORIZED, "No Api Key provided."))
            }
            (Asked::Create(_) | Asked::Page(_) | Asked::Wallet, Access::Wrong) => {
                Some(detail(StatusCode::NOT_FOUND, "Wallet not found."))
            }
            _ => None,
        };
        exchange.request = match &rejected {
            // A create that LNbits rejects does not reach the node. Faults apply nevertheless.
            Some(_) => Asked::Wallet.below(),
            None => asked.below(),
        };
        let known = ledger.records().len();
        let below = ledger.exchange(exchange);
        if let Asked::Create(new) = &asked
            && !self.quirks.ignores_external_id
            && let Some(record) = ledger.records().get(known)
        {
            // Also if a fault loses the response.
            self.entry(&record.hash).external_id = new.external_id.clone();
        }
        let below = below?;
        if !response::is_own(&below, &asked) {
            return Ok(response::translated(below, &asked));
        }
        let mut response = match rejected {
            Some(rejected) => rejected,
            None => self.respond(asked, &access, &below, ledger),
        };
        if !self.quirks.no_date
            && let Some(date) = below.headers().get(header::DATE)
        {
            response.headers_mut().insert(header::DATE, date.clone());
        }
        response.body_mut().truncate(max_body.saturating_add(1));
        Ok(response)
    }

    fn access(&self, headers: &HeaderMap) -> Access {
        match headers.get("x-api-key") {
            None => Access::Missing,
            Some(key) if key.as_bytes() == self.invoice_key.as_bytes() => Access::Allowed { admin: false },
            Some(key) if key.as_bytes() == self.admin_key.as_bytes() => Access::Allowed { admin: true },
            Some(_) => Access::Wrong,
        }
    }

    fn respond(
        &mut self,
        asked: Asked,
        access: &Access,
        below: &HttpResponse,
        ledger: &impl Ledger,
    ) -> HttpResponse {
        match asked {
            Asked::Create(new) => self.created(&new, below),
            Asked::Get(hash) => self.get(&hash, access, ledger),
            Asked::Page(Ok(query)) => self.page(&query, ledger),
            Asked::Page(Err(text)) => detail(StatusCode::BAD_REQUEST, text),
            Asked::Wallet => {
                let id = if matches!(access, Access::Allowed { admin: true }) { r#","id":"w1""# } else { "" };
                json_response(StatusCode::OK, format!(r#"{{"name":"shop","balance":0{id}}}"#))
            }
            Asked::Other => detail(StatusCode::NOT_FOUND, "Not Found"),
        }
    }

    fn created(&self, new: &NewPayment, below: &HttpResponse) -> HttpResponse {
        match serde_json::from_slice::<Charge>(below.body()) {
            Ok(charge) => {
                let (record, entry) = (Record::of(&charge), Entry::new(new.external_id.clone()));
                let payment = Payment::new(&record, &entry, self.quirks.fee_msat);
                json_response(StatusCode::CREATED, payment.without_offset().json())
            }
            Err(_) => detail(StatusCode::INTERNAL_SERVER_ERROR, "Unexpected error! ID: none"),
        }
    }

    fn get(&mut self, hash: &str, access: &Access, ledger: &impl Ledger) -> HttpResponse {
        let Some(record) = ledger.records().iter().find(|record| record.hash == hash).cloned() else {
            return detail(StatusCode::NOT_FOUND, "Payment does not exist.");
        };
        self.look(&record, true, ledger);
        let fee = self.quirks.fee_msat;
        let entry = self.entry(hash);
        let is_paid = entry.status == Status::Success;
        let preimage = if is_paid { format!("\"{PREIMAGE}\"") } else { "null".to_owned() };
        if !matches!(access, Access::Allowed { .. }) {
            return json_response(StatusCode::OK, format!(r#"{{"paid":{is_paid},"preimage":{preimage}}}"#));
        }
        let payment = Payment::new(&record, entry, fee);
        // The outgoing row of a wallet that paid itself comes first.
        let details = if is_paid && entry.kind == Kind::SelfPaid { payment.outgoing() } else { payment };
        let status = if is_paid { String::new() } else { format!(r#""status":"{}","#, entry.status.name()) };
        let details = details.json();
        json_response(
            StatusCode::OK,
            format!(r#"{{"paid":{is_paid},{status}"preimage":{preimage},"details":{details}}}"#),
        )
    }

    fn page(&mut self, query: &Query, ledger: &impl Ledger) -> HttpResponse {
        let ignores_external_id = self.quirks.ignores_external_id;
        let records = ledger.records();
        let mut rows = Vec::new();
        let mut skipped = 0;
        for record in records.iter().rev() {
            if record.created.saturating_add(self.quirks.list_lag) > ledger.now() {
                continue;
            }
            for is_outgoing in [true, false] {
                let entry = self.entry(&record.hash);
                let exists = !is_outgoing || (entry.kind == Kind::SelfPaid && record.paid);
                let msat = entry.amount(record, is_outgoing);
                if !exists || !query.matches(record, entry, msat, ignores_external_id) {
                    continue;
                }
                if skipped < query.offset {
                    skipped += 1;
                } else if rows.len() < query.limit {
                    rows.push((record, is_outgoing));
                }
            }
            if rows.len() == query.limit {
                break;
            }
        }
        let mut json = Vec::with_capacity(rows.len());
        for (record, is_outgoing) in rows {
            self.look(record, query.recheck_pending && !self.quirks.ignores_recheck, ledger);
            let fee = self.quirks.fee_msat;
            let payment = Payment::new(record, self.entry(&record.hash), fee);
            json.push(if is_outgoing { payment.outgoing().json() } else { payment.json() });
        }
        let total = json.len();
        json_response(StatusCode::OK, format!(r#"{{"data":[{}],"total":{total}}}"#, json.join(",")))
    }
}
