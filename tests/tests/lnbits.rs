//! The LNbits in memory responds like a running LNbits 1.6.2, and the sandbox's faults apply to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use serde_json::{Value, json};
use strike_core::http::{Method, Request, StatusCode};
use strike_core::{Delivery, Exchange, HttpRequest, Reply, TransportErrorKind, UnixMillis};
use strike_sandbox::faults::{After, Fault, Match, Plan};
use strike_sandbox::{ChargeState, Sandbox};
use strike_tests::lnbits::{Kind, LnbitsQuirks, PREIMAGE};
use strike_tests::{Backend, Dialect, ORIGIN};

const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// The fields of a payment in a create, in the details of a get and in a page.
const FIELDS: [&str; 22] = [
    "amount",
    "bolt11",
    "checking_id",
    "created_at",
    "expiry",
    "extension",
    "external_id",
    "extra",
    "fee",
    "fiat_provider",
    "labels",
    "memo",
    "payment_hash",
    "payment_request",
    "preimage",
    "status",
    "tag",
    "time",
    "updated_at",
    "wallet_id",
    "webhook",
    "webhook_status",
];

fn backend(faults: Plan, quirks: LnbitsQuirks) -> Backend {
    let sandbox = Sandbox::builder().api_key("inkey").clock_at(START).faults(faults).build();
    Backend::with_quirks(Dialect::Lnbits, sandbox, quirks)
}

fn request(method: Method, tail: &str, key: Option<&str>, body: &str) -> HttpRequest {
    let builder = Request::builder().method(method).uri(format!("{ORIGIN}/api/v1/{tail}"));
    let builder = match key {
        Some(key) => builder.header("x-api-key", key),
        None => builder,
    };
    builder.body(body.as_bytes().to_vec()).unwrap()
}

fn exchange(backend: &Backend, request: HttpRequest) -> Reply {
    backend.reply(Exchange::new(request, Duration::from_secs(5), 1 << 20))
}

/// The status and the JSON of a response.
fn ask(backend: &Backend, request: HttpRequest) -> (u16, Value) {
    let response = exchange(backend, request).unwrap();
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

fn create_body() -> Value {
    json!({ "out": false, "unit": "sat", "amount": 4200, "memo": "Coffee", "expiry": 3600,
        "external_id": "v1.order-17", "extra": { "customer_id": "v1.order 17 of Ann" } })
}

fn create() -> HttpRequest {
    request(Method::POST, "payments", Some("inkey"), &create_body().to_string())
}

fn get(hash: &Value, key: Option<&str>) -> HttpRequest {
    request(Method::GET, &format!("payments/{}", hash.as_str().unwrap()), key, "")
}

fn page(query: &str) -> HttpRequest {
    request(Method::GET, &format!("payments/paginated?{query}"), Some("inkey"), "")
}

fn fields(payment: &Value) -> Vec<&str> {
    payment.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn lnbits_in_memory_sends_the_fields_of_a_running_one() {
    let backend = backend(Plan::new(), LnbitsQuirks::default());
    let (status, created) = ask(&backend, create());
    assert_eq!((status, fields(&created)), (201, FIELDS.to_vec()));
    assert_eq!(created["amount"], 4_200_000);
    assert_eq!(created["preimage"], PREIMAGE);
    assert_eq!(created["expiry"], "2023-11-14T23:13:20", "without an offset");
    assert_eq!(created["created_at"], "2023-11-14T22:13:20+00:00");

    let hash = &created["payment_hash"];
    let (status, unpaid) = ask(&backend, get(hash, Some("inkey")));
    assert_eq!((status, fields(&unpaid["details"])), (200, FIELDS.to_vec()));
    assert_eq!(
        (&unpaid["paid"], &unpaid["status"], &unpaid["preimage"]),
        (&json!(false), &json!("pending"), &Value::Null)
    );
    assert_eq!(unpaid["details"]["preimage"], PREIMAGE);

    backend.pay(&hash.as_str().unwrap().parse().unwrap()).unwrap();
    let (_, paid) = ask(&backend, get(hash, Some("inkey")));
    assert_eq!(
        (&paid["paid"], paid.get("status"), &paid["preimage"]),
        (&json!(true), None, &json!(PREIMAGE))
    );
    assert_eq!(paid["details"]["status"], "success");

    let (_, all) = ask(&backend, page("limit=10&amount%5Bgt%5D=0&external_id=v1.order-17"));
    assert_eq!(fields(&all["data"][0]), FIELDS.to_vec());
    assert_eq!(all["data"][0]["extra"]["customer_id"], "v1.order 17 of Ann");
    // Beyond the end, the total is 0.
    assert_eq!(ask(&backend, page("limit=10&offset=300")).1, json!({ "data": [], "total": 0 }));
}

#[test]
fn lnbits_in_memory_rejects_keys_and_input_like_a_running_one() {
    let backend = backend(Plan::new(), LnbitsQuirks::default());
    let created = ask(&backend, create()).1;
    let hash = &created["payment_hash"];
    let detail = |text: &str| json!({ "detail": text });
    let unknown = json!("ab".repeat(32));
    let without_details = json!({ "paid": false, "preimage": null });
    for (request, expected) in [
        (get(hash, Some("wrong")), (200, without_details.clone())),
        (get(hash, None), (200, without_details)),
        (get(&unknown, Some("inkey")), (404, detail("Payment does not exist."))),
        (get(&unknown, Some("wrong")), (404, detail("Payment does not exist."))),
        (request(Method::GET, "payments/paginated", Some("wrong"), ""), (404, detail("Wallet not found."))),
        (request(Method::GET, "payments/paginated", None, ""), (401, detail("No Api Key provided."))),
        (request(Method::POST, "payments", Some("wrong"), "{}"), (404, detail("Wallet not found."))),
        (
            request(Method::POST, "payments", Some("inkey"), "{}"),
            (403, detail("Invoice (or Admin) key required.")),
        ),
        (request(Method::GET, "wallet", Some("inkey"), ""), (200, json!({ "name": "shop", "balance": 0 }))),
        (request(Method::GET, "nothing", Some("inkey"), ""), (404, detail("Not Found"))),
    ] {
        let uri = request.uri().to_string();
        assert_eq!(ask(&backend, request), expected, "{uri}");
    }
    for query in ["limit=x", "sortby=status"] {
        assert_eq!(ask(&backend, page(query)).0, 400, "{query}");
    }
    let mut spaced = create_body();
    spaced["external_id"] = json!("a b");
    let spaced = request(Method::POST, "payments", Some("inkey"), &spaced.to_string());
    assert_eq!(ask(&backend, spaced).0, 400);
    // Unknown filters and operators are ignored.
    assert_eq!(
        ask(&backend, page("externalid=nobody&amount%5Bat%5D=7")).1["data"].as_array().unwrap().len(),
        1
    );
    assert_eq!(backend.sandbox.charges(), 1);
}

#[test]
fn lnbits_in_memory_asks_the_node_only_where_a_running_one_does() {
    let quirks = LnbitsQuirks { events_are_lost: true, fee_msat: 3000, ..LnbitsQuirks::default() };
    let backend = backend(Plan::new(), quirks);
    let paid = ask(&backend, create()).1["payment_hash"].clone();
    let late = ask(&backend, create()).1["payment_hash"].clone();
    let id = |hash: &Value| hash.as_str().unwrap().parse().unwrap();
    backend.pay(&id(&paid)).unwrap();
    backend.pay(&id(&late)).unwrap();
    let status = |backend: &Backend, query| ask(backend, page(query)).1["data"][1]["status"].clone();
    assert_eq!(status(&backend, "limit=10"), "pending", "a list alone does not ask");
    let read = ask(&backend, get(&paid, Some("inkey"))).1;
    assert_eq!((&read["paid"], &read["details"]["fee"]), (&json!(true), &json!(-3000)));
    // The other one is looked at only after its expiry, so the node is not asked.
    backend.sandbox.advance(Duration::from_secs(3601));
    let read = ask(&backend, get(&late, Some("inkey"))).1;
    assert_eq!((&read["paid"], &read["status"]), (&json!(false), &json!("failed")));
    assert_eq!(backend.sandbox.charge(&id(&late)).unwrap().state(), ChargeState::Paid);
    // A late event heals it. The fee has the other sign then.
    backend.lnbits().deliver(late.as_str().unwrap(), backend.sandbox.now());
    let read = ask(&backend, get(&late, Some("inkey"))).1;
    assert_eq!((&read["paid"], &read["details"]["fee"]), (&json!(true), &json!(3000)));
}

#[test]
fn lnbits_in_memory_shows_the_outgoing_payment_of_a_wallet_that_paid_itself() {
    let backend = backend(Plan::new(), LnbitsQuirks::default());
    let hash = ask(&backend, create()).1["payment_hash"].clone();
    backend.lnbits().mark(hash.as_str().unwrap(), Kind::SelfPaid);
    backend.pay(&hash.as_str().unwrap().parse().unwrap()).unwrap();
    let outgoing = &ask(&backend, get(&hash, Some("inkey"))).1["details"];
    assert_eq!((&outgoing["amount"], &outgoing["external_id"]), (&json!(-4_200_000), &Value::Null));
    let query = format!("payment_hash={}", hash.as_str().unwrap());
    assert_eq!(ask(&backend, page(&query)).1["data"].as_array().unwrap().len(), 2);
    let incoming = ask(&backend, page(&format!("{query}&amount%5Bgt%5D=0"))).1;
    assert_eq!(incoming["data"][0]["amount"], 4_200_000);
    assert_eq!(incoming["total"], 1);
}

#[test]
fn faults_of_the_sandbox_apply_to_lnbits() {
    let busy = Fault::status(StatusCode::SERVICE_UNAVAILABLE);
    for (fault, on, expected, charges) in [
        (Fault::refuse(), Match::create(), Err(TransportErrorKind::Closed), 0),
        (Fault::close(), Match::create(), Err(TransportErrorKind::Closed), 1),
        (Fault::cut(After::BodyBytes(40)), Match::create(), Err(TransportErrorKind::Cut), 1),
        (Fault::stall(After::Bytes(0)), Match::create(), Err(TransportErrorKind::Timeout), 1),
        (Fault::latency(Duration::from_secs(1), Duration::ZERO), Match::create(), Ok(201), 1),
        (busy.clone(), Match::create(), Ok(503), 0),
        (busy.processed(true), Match::create(), Ok(503), 1),
        (Fault::close(), Match::list(), Ok(201), 1),
    ] {
        let name = format!("{fault:?}");
        let backend = backend(Plan::new().on(on, fault), LnbitsQuirks::default());
        let reply = exchange(&backend, create());
        let actual = reply.as_ref().map(|response| response.status().as_u16()).map_err(|error| error.kind());
        assert_eq!((actual, backend.sandbox.charges()), (expected, charges), "{name}");
        if let Err(error) = reply {
            assert_eq!(error.delivery(), Delivery::MaybeSent, "{name}");
        }
        // LNbits has stored the external id also if its response was lost.
        backend.sandbox.clear_faults();
        let found = ask(&backend, page("external_id=v1.order-17")).1;
        assert_eq!(found["total"], charges, "{name}");
    }
}
