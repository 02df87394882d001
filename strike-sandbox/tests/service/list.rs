//! Paging of the charge list.

use serde_json::Value;
use strike_sandbox::Sandbox;

use crate::support::{FORM, create, error, get, json, sandbox};

/// Returns a sandbox with charges of 1, 2, 3, … satoshi, all created in the same millisecond.
fn with_charges(count: u64) -> Sandbox {
    let sandbox = sandbox();
    for amount in 1..=count {
        create(&sandbox, FORM, &format!("amount={amount}&currency=btc"));
    }
    sandbox
}

/// Returns the amounts on a page.
fn page(sandbox: &Sandbox, query: &str) -> Vec<u64> {
    let response = get(sandbox, &format!("charges{query}"));
    assert_eq!(response.status(), 200, "{query}");
    let Value::Array(rows) = json(&response) else { panic!("the response to {query} is not a list") };
    rows.iter().map(|row| row["amount"].as_u64().expect("an amount")).collect()
}

fn descending(from: u64, to: u64) -> Vec<u64> {
    (to..=from).rev().collect()
}

#[test]
fn list_is_newest_first_even_within_one_millisecond() {
    let sandbox = with_charges(65);
    assert_eq!(page(&sandbox, ""), descending(65, 36));
    assert_eq!(page(&sandbox, "?page=1"), descending(35, 6));
    assert_eq!(page(&sandbox, "?page=2"), descending(5, 1));
    assert_eq!(page(&sandbox, "?size=1"), [65]);
    assert_eq!(page(&sandbox, "?page=0&size=40"), descending(65, 26));
    assert_eq!(page(&sandbox, "?size=40&page=1"), descending(25, 1));
    assert_eq!(page(&sandbox, "?page=6&size=10"), descending(5, 1));
}

#[test]
fn pages_beyond_the_end_are_empty_and_unknown_parameters_ignored() {
    let sandbox = with_charges(3);
    for query in ["?page=1", "?page=1000000", "?page=99999999999999999999&size=1000", "?page=-1", "?size=0"] {
        assert_eq!(page(&sandbox, query), [0; 0], "{query}");
    }
    for query in ["?1", "?", "?filter=paid&paid=true", "?size=100000"] {
        assert_eq!(page(&sandbox, query), [3, 2, 1], "{query}");
    }
}

#[test]
fn non_numeric_page_and_size_get_400() {
    let sandbox = with_charges(1);
    for query in ["?page=one", "?size=all", "?size=1.5", "?page=0&size=", "?page=%20"] {
        assert_eq!(error(&get(&sandbox, &format!("charges{query}"))).0, 400, "{query}");
    }
}

#[test]
fn new_charges_shift_later_pages() {
    let sandbox = with_charges(4);
    assert_eq!(page(&sandbox, "?size=2"), [4, 3]);
    create(&sandbox, FORM, "amount=5&currency=btc");
    assert_eq!(page(&sandbox, "?size=2&page=1"), [3, 2]);
}

#[test]
fn page_has_at_most_1000_rows() {
    let sandbox = with_charges(1001);
    assert_eq!(page(&sandbox, "?size=1001").len(), 1000);
    assert_eq!(page(&sandbox, "?size=1001&page=1"), [1]);
}
