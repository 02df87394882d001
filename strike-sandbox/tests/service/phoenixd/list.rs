//! `GET /payments/incoming`: its order, its filters and its pages.

use std::time::Duration;

use strike_sandbox::Sandbox;

use super::{get, pay, payment_hash, sandbox, text_error};
use crate::support::{json, text};

/// Returns the external ids in the list.
fn listed(sandbox: &Sandbox, query: &str) -> String {
    let response = get(sandbox, &format!("/payments/incoming?{query}"));
    assert_eq!(response.status(), 200, "{}", text(&response));
    let ids = json(&response);
    ids.as_array().expect("a list").iter().filter_map(|row| row["externalId"].as_str()).collect()
}

/// Creates invoices `a` to `e` at seconds 0 to 4. Pays `d` at second 10 and `b` at second 11.
fn five_invoices() -> Sandbox {
    let sandbox = sandbox();
    let create = |id| {
        let hash = payment_hash(&sandbox, &format!("amountSat=1&description=&externalId={id}"));
        sandbox.advance(Duration::from_secs(1));
        hash
    };
    let hashes = ["a", "b", "c", "d", "e"].map(create);
    sandbox.advance(Duration::from_secs(5));
    pay(&sandbox, &hashes[3]);
    sandbox.advance(Duration::from_secs(1));
    pay(&sandbox, &hashes[1]);
    sandbox
}

const START: u64 = 1_542_221_803_505;

#[test]
fn list_contains_paid_payments_by_time_of_payment() {
    let sandbox = five_invoices();
    assert_eq!(listed(&sandbox, ""), "bd");
    assert_eq!(listed(&sandbox, "all=false"), "bd");
    assert_eq!(listed(&sandbox, &format!("from={}", START + 10_001)), "b");
    assert_eq!(listed(&sandbox, &format!("to={}", START + 10_000)), "d");
    assert_eq!(listed(&sandbox, "limit=1&offset=1"), "d");
}

#[test]
fn list_of_all_contains_unpaid_payments_by_time_of_creation() {
    let sandbox = five_invoices();
    assert_eq!(listed(&sandbox, "all=true"), "edcba");
    assert_eq!(listed(&sandbox, "all=TRUE&limit=2"), "ed");
    assert_eq!(listed(&sandbox, "all=true&limit=2&offset=1"), "dc");
    assert_eq!(listed(&sandbox, "all=true&offset=5"), "");
    // Both ends are included.
    assert_eq!(listed(&sandbox, &format!("all=true&from={}&to={}", START + 1_000, START + 3_000)), "dcb");
    assert_eq!(listed(&sandbox, "all=true&limit=-1&offset=-7"), "edcba");
}

#[test]
fn list_has_twenty_rows_by_default() {
    let sandbox = sandbox();
    for _ in 0..21 {
        payment_hash(&sandbox, "amountSat=1&description=&externalId=x");
    }
    assert_eq!(listed(&sandbox, "all=true"), "x".repeat(20));
    assert_eq!(text(&get(&sandbox, "/payments/incoming")), "[]");
}

#[test]
fn external_id_matches_exactly_and_an_empty_one_is_not_none() {
    let sandbox = five_invoices();
    payment_hash(&sandbox, "amountSat=1&description=&externalId=");
    payment_hash(&sandbox, "amountSat=1&description=");
    payment_hash(&sandbox, "amountSat=1&description=&externalId=a");
    let count = |query: &str| {
        let response = get(&sandbox, &format!("/payments/incoming?all=true&{query}"));
        json(&response).as_array().expect("a list").len()
    };
    assert_eq!(count("externalId=a"), 2);
    assert_eq!(count("externalId="), 1);
    assert_eq!(count("externalId=A"), 0);
    assert_eq!(listed(&sandbox, "externalId=b"), "b");
    assert_eq!(listed(&sandbox, "externalId=a"), "");
}

#[test]
fn parameter_of_a_list_that_is_no_integer_is_a_400() {
    let sandbox = sandbox();
    for name in ["from", "to", "limit", "offset"] {
        let expected = format!("Request parameter {name} couldn't be parsed/converted to integer");
        let response = get(&sandbox, &format!("/payments/incoming?{name}=x"));
        assert_eq!(text_error(&response), (400, expected.as_str()));
    }
}
