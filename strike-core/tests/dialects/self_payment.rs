//! Tests of an LNbits wallet that paid its own invoice: a get returns the outgoing record.

use http::Response;
use serde_json::json;
use strike_core::machine::Operation;
use strike_core::{Charge, Error, ErrorKind, Exchange, Get, Reply};

use crate::support::{Virtual, respond, start};
use crate::{client, details, hash, lnbits, payment};

fn outgoing(status: &str) -> String {
    details(&payment(&[("amount", json!(-4_200_000)), ("status", json!(status)), ("extra", json!({}))]))
        .to_string()
}

fn run(server: impl FnMut(Exchange) -> Reply) -> (Result<Charge, Error>, Virtual) {
    let mut server = server;
    let mut world = Virtual::new();
    let mut call = client(lnbits()).call(Get::new(hash().parse().unwrap()));
    (world.run(&mut call, |exchange, _| server(exchange)), world)
}

#[test]
fn the_incoming_record_is_read_whatever_the_outgoing_one_says() {
    for status in ["success", "pending", "failed"] {
        for paid in [true, false] {
            let (charge, world) = run(|exchange| {
                let query = exchange.request.uri().query();
                let Some(query) = query else { return respond(200, outgoing(status)) };
                assert!(
                    query.contains(&format!("payment_hash={}", hash())) && query.contains("amount%5Bgt%5D=0")
                );
                let status = if paid { "success" } else { "pending" };
                let row = payment(&[("status", json!(status)), ("external_id", json!("table-4"))]);
                respond(200, json!({ "data": [row], "total": 1 }).to_string())
            });
            let charge = charge.unwrap();
            assert_eq!((charge.is_paid(), charge.raw_customer_id()), (paid, Some("table-4")));
            assert_eq!(world.sends(), 2);
        }
    }
}

#[test]
fn other_charges_need_one_request() {
    let (charge, world) = run(|_| respond(200, details(&payment(&[])).to_string()));
    assert!(!charge.unwrap().is_paid());
    assert_eq!(world.sends(), 1);
}

#[test]
fn an_invoice_without_an_amount_needs_one_request() {
    let (result, world) = run(|_| respond(200, details(&payment(&[("amount", json!(0))])).to_string()));
    assert_eq!((result.unwrap_err().kind(), world.sends()), (&ErrorKind::Undecodable, 1));
}

#[test]
fn an_outgoing_payment_alone_is_no_charge() {
    let (result, world) = run(|exchange| match exchange.request.uri().query() {
        None => respond(200, outgoing("success")),
        Some(_) => respond(200, r#"{"data":[],"total":0}"#),
    });
    assert_eq!((result.unwrap_err().kind(), world.sends()), (&ErrorKind::NotFound, 2));
    // An old version that ignores the filter returns the outgoing record again.
    let (result, world) = run(|exchange| match exchange.request.uri().query() {
        None => respond(200, outgoing("success")),
        Some(_) => {
            let row = payment(&[("amount", json!(-4_200_000)), ("status", json!("success"))]);
            respond(200, json!({ "data": [row], "total": 1 }).to_string())
        }
    });
    assert_eq!((result.unwrap_err().kind(), world.sends()), (&ErrorKind::NotFound, 2));
}

#[test]
fn a_failure_of_the_second_request_is_an_error_and_never_unpaid() {
    let (result, _) = run(|exchange| match exchange.request.uri().query() {
        None => respond(200, outgoing("success")),
        Some(_) => respond(500, "down"),
    });
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (&ErrorKind::Server, 2));
}

#[test]
fn without_a_client_the_outgoing_record_is_refused() {
    let response = Response::new(outgoing("success").into_bytes());
    let get = Get::new(hash().parse().unwrap());
    assert_eq!(*get.parse(&lnbits(), &response, start()).unwrap_err().kind(), ErrorKind::Undecodable);
    let second = get.follow_up(&lnbits(), &response).unwrap();
    assert!(second.request(&lnbits()).unwrap().uri().path().ends_with("/paginated"));
    assert!(second.follow_up(&lnbits(), &response).is_none(), "it ends after one step");
}
