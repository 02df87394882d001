//! Tests of creating once where the backend finds by `customer_id`: the look is one request.

use std::collections::BTreeSet;

use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::secp256k1::Secp256k1;
use http::Method;
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};
use serde_json::{Value, json};
use strike_core::{
    Advice, CreateOnceOptions, CreateOutcome, Delivery, Endpoint, Error, ErrorKind, Exchange, NewCharge, Now,
    OrderKey, Reply, TransportErrorKind, UnixMillis,
};

use crate::support::{Virtual, no_response, respond};
use crate::{client, incoming, lnbits, payment, phoenixd};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backend {
    Phoenixd,
    Lnbits,
    /// It ignores the filter `external_id` and does not store one.
    OldLnbits,
}

const BOTH: [Backend; 2] = [Backend::Phoenixd, Backend::Lnbits];

struct Row {
    customer_id: String,
    description: String,
    created: u64,
    paid: bool,
    expiry: u64,
}

/// A backend with its charges, oldest first.
struct Host {
    backend: Backend,
    rows: Vec<Row>,
    /// How many responses to creates are lost.
    lose: usize,
    looks: usize,
    creates: usize,
}

impl Host {
    fn new(backend: Backend) -> Self {
        Self { backend, rows: Vec::new(), lose: 0, looks: 0, creates: 0 }
    }

    fn endpoint(&self) -> Endpoint {
        if self.backend == Backend::Phoenixd { phoenixd() } else { lnbits() }
    }

    fn add(&mut self, customer_id: &str, created: u64, paid: bool) {
        let customer_id = customer_id.to_owned();
        self.rows.push(Row { customer_id, description: "tea".to_owned(), created, paid, expiry: 3600 });
    }

    fn hash(n: usize) -> [u8; 32] {
        sha256::Hash::hash(&n.to_be_bytes()).to_byte_array()
    }

    fn invoice(&self, n: usize) -> String {
        let row = &self.rows[n];
        let currency =
            if self.backend == Backend::Phoenixd { Currency::BitcoinTestnet } else { Currency::Bitcoin };
        let builder = InvoiceBuilder::new(currency)
            .amount_milli_satoshis(4_200_000)
            .description(row.description.clone())
            .payment_hash(sha256::Hash::from_byte_array(Self::hash(n)))
            .payment_secret(PaymentSecret([1; 32]))
            .duration_since_epoch(std::time::Duration::from_secs(row.created))
            .min_final_cltv_expiry_delta(144)
            .expiry_time(std::time::Duration::from_secs(row.expiry));
        let key = crate::support::invoices::key();
        builder.build_signed(|hash| Secp256k1::new().sign_ecdsa_recoverable(hash, &key)).unwrap().to_string()
    }

    fn record(&self, n: usize) -> Value {
        let row = &self.rows[n];
        let hash = data_encoding::HEXLOWER.encode(&Self::hash(n));
        if self.backend == Backend::Phoenixd {
            return incoming(&[
                ("paymentHash", json!(hash)),
                ("externalId", json!(row.customer_id)),
                ("invoice", json!(self.invoice(n))),
                ("description", json!(row.description)),
                ("isPaid", json!(row.paid)),
                ("createdAt", json!(row.created * 1000 + 7)),
            ]);
        }
        let time = UnixMillis::from_secs(row.created);
        let key = OrderKey::from_customer_id(&row.customer_id).map(|(key, _)| key.to_string());
        let external_id = json!(key.unwrap_or_else(|| row.customer_id.clone()));
        payment(&[
            ("payment_hash", json!(hash)),
            ("external_id", if self.backend == Backend::OldLnbits { Value::Null } else { external_id }),
            ("extra", json!({ "customer_id": row.customer_id })),
            ("bolt11", json!(self.invoice(n))),
            ("memo", json!(row.description)),
            ("status", json!(if row.paid { "success" } else { "pending" })),
            ("created_at", json!(time.to_string())),
        ])
    }

    fn serve(&mut self, exchange: &Exchange, now: Now) -> Reply {
        let request = &exchange.request;
        let query: Vec<(String, String)> =
            form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if request.method() == Method::POST {
            self.creates += 1;
            let customer_id = if self.backend == Backend::Phoenixd {
                let form = form_urlencoded::parse(request.body()).into_owned();
                form.into_iter().find(|(key, _)| key == "externalId").unwrap().1
            } else {
                let body: Value = serde_json::from_slice(request.body()).unwrap();
                body["extra"]["customer_id"].as_str().unwrap().to_owned()
            };
            self.add(&customer_id, now.unix.as_millis() / 1000, false);
            if self.lose > 0 {
                self.lose -= 1;
                return no_response(TransportErrorKind::Timeout, Delivery::MaybeSent);
            }
            let n = self.rows.len() - 1;
            let body = if self.backend == Backend::Phoenixd {
                let hash = data_encoding::HEXLOWER.encode(&Self::hash(n));
                json!({ "amountSat": 4200, "paymentHash": hash, "serialized": self.invoice(n) })
            } else {
                self.record(n)
            };
            return respond(200, body.to_string());
        }
        if request.uri().query().is_none() {
            let hash = request.uri().path().rsplit('/').next().unwrap();
            let n = (0..self.rows.len()).find(|n| data_encoding::HEXLOWER.encode(&Self::hash(*n)) == hash);
            let record = self.record(n.unwrap());
            let is_phoenixd = self.backend == Backend::Phoenixd;
            let body = if is_phoenixd { record } else { json!({ "paid": false, "details": record }) };
            return respond(200, body.to_string());
        }
        self.looks += 1;
        let matching = |n: &usize| match self.backend {
            Backend::Phoenixd => value("externalId").is_none_or(|id| self.rows[*n].customer_id == id),
            Backend::Lnbits => value("external_id").is_none_or(|id| self.record(*n)["external_id"] == id),
            Backend::OldLnbits => true,
        };
        let number = |name: &str| value(name).map_or(0, |value| value.parse().unwrap());
        let rows = (0..self.rows.len()).rev().filter(matching).skip(number("offset")).take(number("limit"));
        let rows: Vec<_> = rows.map(|n| self.record(n)).collect();
        let is_phoenixd = self.backend == Backend::Phoenixd;
        let body = if is_phoenixd { json!(rows) } else { json!({ "data": rows, "total": rows.len() }) };
        respond(200, body.to_string())
    }
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea").customer_id("table 4")
}

fn customer_id(attempt: u8) -> String {
    let first = OrderKey::named("order-17").customer_id("table 4");
    let digits = ["1", "2", "3", "4"];
    format!("{}{}", digits[usize::from(attempt) - 1], &first[1..])
}

fn run(host: &mut Host, options: CreateOnceOptions) -> Result<CreateOutcome, Error> {
    let mut machine = client(host.endpoint()).create_once(order(), options);
    Virtual::new().run(&mut machine, |exchange, now| host.serve(&exchange, *now))
}

#[test]
fn a_new_order_needs_one_look_and_one_create_on_a_long_list() {
    for backend in BOTH {
        let mut host = Host::new(backend);
        (0..300).for_each(|n| host.add(&format!("other-{n}"), 1_699_000_000 + n, false));
        let outcome = run(&mut host, CreateOnceOptions::named("order-17")).unwrap();
        assert!(matches!(outcome, CreateOutcome::Payable(_)));
        assert_eq!(outcome.charge().customer_id(), Some("table 4"));
        assert_eq!((host.looks, host.creates), (1, 1), "{backend:?}");
    }
}

#[test]
fn a_lost_response_is_recovered_with_one_look_and_no_second_invoice() {
    for backend in BOTH {
        let mut host = Host::new(backend);
        host.lose = 1;
        let outcome = run(&mut host, CreateOnceOptions::fresh(OrderKey::named("order-17"))).unwrap();
        assert!(matches!(outcome, CreateOutcome::Payable(_)));
        let looks = if backend == Backend::Phoenixd { 2 } else { 1 };
        assert_eq!((host.looks, host.creates, host.rows.len()), (looks, 1, 1), "{backend:?}");
    }
}

#[test]
fn a_known_order_is_found_after_a_restart() {
    for backend in BOTH {
        let mut host = Host::new(backend);
        let first = run(&mut host, CreateOnceOptions::named("order-17")).unwrap();
        (0..300).for_each(|n| host.add(&format!("other-{n}"), 1_700_000_001, false));
        let again = run(&mut host, CreateOnceOptions::named("order-17")).unwrap();
        assert_eq!(again.charge().id(), first.charge().id());
        assert_eq!(host.creates, 1);
    }
}

#[test]
fn later_attempts_and_late_payments_of_earlier_ones_are_found() {
    for backend in BOTH {
        // Three attempts. The third is payable.
        let mut host = Host::new(backend);
        host.add(&customer_id(1), 1_699_990_000, false);
        host.add(&customer_id(2), 1_699_995_000, false);
        host.add(&customer_id(3), 1_700_000_000, false);
        let outcome = run(&mut host, CreateOnceOptions::named("order-17")).unwrap();
        assert!(
            matches!(&outcome, CreateOutcome::Payable(charge)
            if charge.raw_customer_id() == Some(&customer_id(3))),
            "{backend:?} {outcome:?}"
        );
        assert_eq!(host.creates, 0);
        assert_eq!(host.looks, if backend == Backend::Phoenixd { 4 } else { 1 });

        // The first was paid after all: it counts, although a later one is payable.
        host.rows[0].paid = true;
        let outcome = run(&mut host, CreateOnceOptions::named("order-17")).unwrap();
        assert!(
            matches!(&outcome, CreateOutcome::Paid(charge)
            if charge.raw_customer_id() == Some(&customer_id(1))),
            "{backend:?} {outcome:?}"
        );
        assert_eq!(host.creates, 0);
    }
}

#[test]
fn an_expired_charge_leads_to_the_next_attempt() {
    for backend in BOTH {
        let mut host = Host::new(backend);
        host.add(&customer_id(1), 1_699_990_000, false);
        let outcome = run(&mut host, CreateOnceOptions::named("order-17")).unwrap();
        let CreateOutcome::Expired { next, .. } = outcome else { panic!("{outcome:?}") };
        let outcome = run(&mut host, next).unwrap();
        assert_eq!(outcome.charge().raw_customer_id(), Some(customer_id(2).as_str()));
        assert_eq!(host.creates, 1);
    }
}

#[test]
fn a_server_that_ignores_the_filter_is_searched_page_by_page() {
    let mut host = Host::new(Backend::OldLnbits);
    host.add(&customer_id(1), 1_700_000_000, false);
    (0..600).for_each(|n| host.add(&format!("other-{n}"), 1_700_000_000, false));
    let outcome = run(&mut host, CreateOnceOptions::named("order-17")).unwrap();
    assert_eq!(outcome.charge().raw_customer_id(), Some(customer_id(1).as_str()));
    assert_eq!((host.creates, host.looks), (0, 5), "one look, three pages of 250, and an empty one");

    // Few rows, all of other orders: the filter was ignored, too.
    let mut host = Host::new(Backend::OldLnbits);
    (0..3).for_each(|n| host.add(&format!("other-{n}"), 1_699_000_000, false));
    run(&mut host, CreateOnceOptions::named("order-17")).unwrap();
    assert_eq!((host.creates, host.looks), (1, 3));
    assert_eq!(host.rows.iter().map(|row| &row.customer_id).collect::<BTreeSet<_>>().len(), 4);
}

#[test]
fn an_unreadable_row_with_the_key_prevents_a_second_invoice() {
    for backend in BOTH {
        let mut machine =
            client(Host::new(backend).endpoint()).create_once(order(), CreateOnceOptions::named("order-17"));
        let mut posts = 0;
        let result = Virtual::new().run(&mut machine, |exchange, _| {
            posts += usize::from(exchange.request.method() == Method::POST);
            let key = OrderKey::named("order-17").to_string();
            let row = match backend {
                Backend::Phoenixd => incoming(&[("externalId", json!(customer_id(1))), ("isPaid", json!(7))]),
                _ => payment(&[
                    ("external_id", json!(key)),
                    ("status", json!(7)),
                    ("extra", json!({ "customer_id": customer_id(1) })),
                ]),
            };
            let is_phoenixd = backend == Backend::Phoenixd;
            respond(200, if is_phoenixd { json!([row]) } else { json!({ "data": [row] }) }.to_string())
        });
        assert_eq!((result.unwrap_err().kind(), posts), (&ErrorKind::Undecodable, 0), "{backend:?}");
    }
}

#[test]
fn an_unreadable_row_beside_an_unpaid_charge_of_the_order_is_reported() {
    // A find returns only charges of the order. The unreadable one may be paid.
    for backend in BOTH {
        let mut host = Host::new(backend);
        host.add(&customer_id(1), 1_700_000_000, false);
        let mut machine = client(host.endpoint()).create_once(order(), CreateOnceOptions::named("order-17"));
        let result = Virtual::new().run(&mut machine, |_, _| {
            let rows = json!([host.record(0), { "unexpected": 7, "externalId": 7, "external_id": 7 }]);
            let is_phoenixd = backend == Backend::Phoenixd;
            respond(200, if is_phoenixd { rows } else { json!({ "data": rows }) }.to_string())
        });
        assert_eq!(result.unwrap_err().kind(), &ErrorKind::Undecodable, "{backend:?}");
    }
}

#[test]
fn a_key_that_was_used_for_another_order_is_reported() {
    for backend in BOTH {
        let mut host = Host::new(backend);
        host.add(&customer_id(1), 1_700_000_000, false);
        host.rows[0].description = "coffee".to_owned();
        let error = run(&mut host, CreateOnceOptions::named("order-17")).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mismatch(m) if m.field() == "description"), "{error}");
        assert_eq!(error.advice(), Advice::CheckOrder);
        assert_eq!(host.creates, 0);
    }
}
