//! The simulated service as a phoenixd. It is faster than the sandbox's.

use serde_json::{Value, json};
use strike_core::http::{Method, StatusCode};
use strike_core::{HttpRequest, HttpResponse};
use strike_tests::lnbits::{PREIMAGE, Record};

use super::service::Service;

/// Responds to a request. On-chain payments are removed from a page after its rows were counted.
pub(crate) fn respond(
    service: &mut Service,
    request: &HttpRequest,
    now: u64,
    is_on_chain: impl Fn(usize) -> bool,
) -> HttpResponse {
    service.requests += 1;
    let path = request.uri().path();
    let body = if request.method() == Method::POST {
        create(service, request.body(), now).to_string()
    } else if let Some(hash) = path.strip_prefix("/payments/incoming/") {
        match service.records.iter().find(|record| record.hash == hash) {
            Some(record) => payment(record, now).to_string(),
            None => return text(StatusCode::NOT_FOUND, "Not found"),
        }
    } else if path == "/payments/incoming" {
        let rows = page(service, request.uri().query().unwrap_or_default(), now);
        let rows = rows.filter(|row| !is_on_chain(*row)).map(|row| payment(&service.records[row], now));
        Value::Array(rows.collect()).to_string()
    } else {
        return text(StatusCode::NOT_FOUND, "Unknown endpoint (check api doc)");
    };
    text(StatusCode::OK, &body)
}

fn text(status: StatusCode, body: &str) -> HttpResponse {
    let mut response = HttpResponse::new(body.as_bytes().to_vec());
    *response.status_mut() = status;
    response
}

fn create(service: &mut Service, form: &[u8], now: u64) -> Value {
    let (mut amount, mut description, mut external_id, mut expiry) = (0, String::new(), None, 86_400);
    for (name, value) in form_urlencoded::parse(form) {
        match &*name {
            "amountSat" => amount = value.parse().unwrap(),
            "description" => description = value.into_owned(),
            "externalId" => external_id = Some(value.into_owned()),
            "expirySeconds" => expiry = value.parse().unwrap(),
            _ => {}
        }
    }
    assert!(description.encode_utf16().count() <= 128, "phoenixd takes at most 128 units");
    service.create_charge(amount, &description, external_id.as_deref(), expiry, now);
    let record = service.records.last().unwrap();
    json!({ "amountSat": amount, "paymentHash": record.hash, "serialized": record.payment_request })
}

/// The rows of a page, newest first.
fn page<'a>(service: &'a Service, query: &str, now: u64) -> impl Iterator<Item = usize> + use<'a> {
    let (mut limit, mut offset, mut external_id) = (20, 0, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "limit" => limit = value.parse().unwrap(),
            "offset" => offset = value.parse().unwrap(),
            "externalId" => external_id = Some(value.into_owned()),
            _ => {}
        }
    }
    let has_id = move |record: &Record| external_id.is_none() || record.customer_id == external_id;
    let rows = (0..service.records.len()).rev();
    rows.filter(move |row| service.is_listed(*row, now) && has_id(&service.records[*row]))
        .skip(offset)
        .take(limit)
}

/// A payment, with a fee that may exceed the amount.
fn payment(record: &Record, now: u64) -> Value {
    let fee_satoshi = i64::from(record.paid) * 7;
    let received = if record.paid { i64::try_from(record.amount).unwrap() - fee_satoshi } else { 0 };
    let mut payment = json!({
        "type": "incoming_payment",
        "subType": "lightning",
        "paymentHash": record.hash,
        "preimage": PREIMAGE,
        "description": record.description,
        "invoice": record.payment_request,
        "isPaid": record.paid,
        "isExpired": record.expires.as_millis() < now,
        "requestedSat": record.amount,
        "receivedSat": received,
        "fees": fee_satoshi * 1000,
        "expiresAt": record.expires.as_millis(),
        "createdAt": record.created.as_millis(),
    });
    if let Some(external_id) = &record.customer_id {
        payment["externalId"] = json!(external_id);
    }
    if record.paid {
        payment["completedAt"] = json!(record.updated.as_millis());
    }
    payment
}
