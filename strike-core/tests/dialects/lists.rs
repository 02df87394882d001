//! Tests of pages: rows that are no charges keep their place, and empty pages.

use http::Response;
use serde_json::{Value, json};
use strike_core::machine::Operation;
use strike_core::{Endpoint, Error, ErrorKind, List, Page, Row};

use crate::support::{Virtual, respond, start};
use crate::{client, hash, incoming, lnbits, payment, phoenixd};

fn page(endpoint: &Endpoint, body: &Value) -> Result<Page, Error> {
    List::page(0).parse(endpoint, &Response::new(body.to_string().into_bytes()), start())
}

fn numbered(n: u64) -> Value {
    json!(format!("{n:064x}"))
}

#[test]
fn rows_that_are_no_charges_keep_their_place() {
    let rows = [
        incoming(&[]),
        incoming(&[("paymentHash", numbered(2)), ("invoice", Value::Null), ("externalId", json!("x"))]),
        json!({ "type": "incoming_payment", "subType": "on_chain" }),
        incoming(&[("paymentHash", numbered(3)), ("isPaid", json!(true))]),
    ];
    let page = page(&phoenixd(), &json!(rows)).unwrap();
    assert_eq!((page.rows(), page.charges().count(), page.unreadable().count()), (4, 2, 2));
    let reasons: Vec<_> = page.unreadable().map(|row| row.reason().to_owned()).collect();
    assert_eq!(reasons[0], "it has no BOLT11 invoice");
    assert!(reasons[1].contains("paymentHash"), "{reasons:?}");
    let ids: Vec<_> = page.into_rows().iter().map(|row| row.id().map(ToString::to_string)).collect();
    let third = numbered(3).as_str().unwrap().to_owned();
    assert_eq!(ids, [Some(hash()), Some(numbered(2).as_str().unwrap().to_owned()), None, Some(third)]);

    let rows = [
        payment(&[]),
        payment(&[("payment_hash", numbered(2)), ("amount", json!(0))]),
        payment(&[("payment_hash", numbered(3)), ("amount", json!(-4_200_000))]),
        json!({ "payment_hash": 7 }),
    ];
    let page = self::page(&lnbits(), &json!({ "data": rows, "total": 1 })).unwrap();
    assert_eq!((page.rows(), page.charges().count(), page.unreadable().count()), (4, 1, 3));
    assert!(page.unreadable().all(|row| !row.reason().is_empty()));
}

#[test]
fn pages_of_another_form_are_undecodable() {
    for body in [json!({}), json!({ "data": 7 }), json!(null), json!({ "data": null }), json!("x")] {
        for endpoint in [phoenixd(), lnbits()] {
            let error = page(&endpoint, &body).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Undecodable, "{body}");
        }
    }
    assert!(page(&lnbits(), &json!([])).is_err());
    assert_eq!(page(&phoenixd(), &json!([])).unwrap().rows(), 0);
    assert_eq!(page(&lnbits(), &json!({ "data": [], "total": 0 })).unwrap().rows(), 0);
}

#[test]
fn an_empty_page_of_phoenixd_may_have_charges_behind_it() {
    // The node removes on-chain payments from a page: the second is empty.
    let mut pager = client(phoenixd()).pager().page_size(2);
    let mut world = Virtual::new();
    let mut found = Vec::new();
    while let Some(charge) = world
        .run(&mut pager.next(), |exchange, _| {
            let rows: &[u64] = match exchange.request.uri().query().unwrap().rsplit('=').next().unwrap() {
                "0" => &[9, 8],
                "2" => &[],
                "4" => &[5],
                _ => &[],
            };
            let rows: Vec<_> = rows.iter().map(|n| incoming(&[("paymentHash", numbered(*n))])).collect();
            respond(200, json!(rows).to_string())
        })
        .unwrap()
    {
        found.push(charge.id().to_string().trim_start_matches('0').to_owned());
    }
    assert_eq!(found, ["9", "8", "5"]);
    assert_eq!(world.sends(), 5, "two empty pages are the end");
}

#[test]
fn an_empty_page_of_lnbits_is_the_end() {
    let mut pager = client(lnbits()).pager();
    let mut world = Virtual::new();
    let end = world.run(&mut pager.next(), |_, _| respond(200, r#"{"data":[],"total":0}"#));
    assert_eq!((end.unwrap(), world.sends()), (None, 1));
}

#[test]
fn rows_are_marked_as_responses_so_a_paid_one_can_complete_an_order() {
    let rows = json!([incoming(&[("isPaid", json!(true))])]);
    let Row::Charge(charge) = page(&phoenixd(), &rows).unwrap().into_rows().remove(0) else { panic!() };
    assert!(charge.to_paid().is_some());
}
