//! Tests of lists with and without unreadable rows.

use serde_json::{Value, json};
use strike_core::{ErrorKind, Row};

use super::{get, list, response};
use crate::support::{CANARY, charge_json};

#[test]
fn null_or_zero_code_is_ignored() {
    for nothing in [Value::Null, json!(0)] {
        let charge = charge_json(&[("code", nothing)]);
        assert_eq!(get(&response(200, charge.to_string())).unwrap().id().as_str(), "ch_1");
        let page = list(&json!([charge, charge]).to_string()).unwrap();
        assert_eq!((page.charges().count(), page.unreadable().count()), (2, 0));
    }
}

#[test]
fn row_with_an_error_code_is_unreadable() {
    let doubtful = charge_json(&[("paid", json!(true)), ("code", json!(500))]);
    for (rows, charges) in [(json!([doubtful]), 0), (json!([charge_json(&[]), doubtful]), 1)] {
        let page = list(&rows.to_string()).unwrap();
        assert_eq!((page.charges().count(), page.unreadable().count()), (charges, 1), "{rows}");
        assert!(page.unreadable().all(|row| row.reason().contains("code")), "{page:?}");
    }
}

#[test]
fn list_separates_charges_and_unreadable_rows() {
    assert_eq!(list("[ ]").unwrap().rows(), 0);
    let good = charge_json(&[]);
    let page = list(&json!([good, good]).to_string()).unwrap();
    assert_eq!((page.charges().count(), page.unreadable().count(), page.rows()), (2, 0, 2));

    let bad = charge_json(&[("id", json!("ch_bad")), ("amount", json!("x"))]);
    let page = list(&json!([good, bad, 7, good, {"code": 1}]).to_string()).unwrap();
    assert_eq!((page.charges().count(), page.rows()), (2, 5));
    let rows: Vec<_> = page.unreadable().map(|bad| bad.id().map(|id| id.as_str())).collect();
    assert_eq!(rows, [Some("ch_bad"), None, None]);
    assert!(page.unreadable().all(|bad| !bad.reason().is_empty()));
    // An unreadable row does not show the API key.
    let talkative = list(&json!([{"id": "ch_bad", "customer_id": CANARY}]).to_string()).unwrap();
    assert!(!format!("{talkative:?}").contains(CANARY), "{talkative:?}");
    let places: Vec<_> = page.into_rows().iter().map(|row| matches!(row, Row::Charge(_))).collect();
    assert_eq!(places, [true, false, false, true, false]);

    for body in ["", "{}", "7", "[", "[1,", "<html>", r#"{"message":"x"}"#] {
        assert_eq!(list(body).unwrap_err().kind(), &ErrorKind::Undecodable, "{body}");
    }
}
