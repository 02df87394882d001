//! What LNbits itself does, without a client: the facts that the dialect relies on. If one of
//! these tests fails with a new version, the dialect must change.

use serde_json::{Value, json};
use strike_core::http::Method;

use crate::server::Lnbits;
use crate::wallet::Wallet;

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} should be a text: {value}"))
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn amounts_are_millisatoshi_and_a_preimage_is_in_unpaid_rows() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    let created = shop.invoice(&json!({ "amount": 21, "external_id": "order-1" }));
    let got = shop.get(&format!("/payments/{}", text(&created, "payment_hash")));
    for row in [&created, &got["details"], &shop.rows()[0]] {
        assert_eq!(row["amount"], 21_000, "{row}");
        assert_eq!(text(row, "status"), "pending");
        assert_eq!(text(row, "preimage").len(), 64);
        assert_eq!(text(row, "external_id"), "order-1");
        assert_eq!(row["payment_request"], row["bolt11"]);
    }
    assert_eq!(got["paid"], false);
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn get_with_a_wrong_key_is_a_success_without_details() {
    let lnbits = Lnbits::shared();
    let (shop, other) = (Wallet::new(&lnbits, "shop"), Wallet::new(&lnbits, "other"));
    let created = shop.invoice(&json!({}));
    let get = format!("/payments/{}", text(&created, "payment_hash"));
    let (status, response) = shop.call(Method::GET, &get, &"0".repeat(32), None);
    assert_eq!((status.as_u16(), &response["details"]), (200, &Value::Null), "{response}");
    let (status, response) = shop.call(Method::GET, &get, &other.invoice_key, None);
    assert_eq!((status.as_u16(), text(&response, "detail")), (404, "Payment does not exist."));
    let (status, response) = shop.call(Method::GET, "/payments/paginated", &"0".repeat(32), None);
    assert_eq!((status.as_u16(), text(&response, "detail")), (404, "Wallet not found."));
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn only_an_admin_key_is_told_the_id_of_its_wallet() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    let (_, by_invoice_key) = shop.call(Method::GET, "/wallet", &shop.invoice_key, None);
    let (_, by_admin_key) = shop.call(Method::GET, "/wallet", &shop.admin_key, None);
    assert_eq!(by_invoice_key["id"], Value::Null);
    assert!(by_admin_key["id"].is_string(), "{by_admin_key}");
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn unknown_filters_are_ignored_and_external_id_is_exact() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    for order in ["order-1", "order-2", "order-10"] {
        shop.invoice(&json!({ "external_id": order }));
    }
    let found = |query: &str| shop.get(&format!("/payments/paginated?{query}"))["data"].clone();
    assert_eq!(found("externalid=order-1").as_array().unwrap().len(), 3);
    let exact = found("external_id=order-1");
    assert_eq!((exact.as_array().unwrap().len(), text(&exact[0], "external_id")), (1, "order-1"));
    // Past the end, even the total is 0.
    assert_eq!(shop.get("/payments/paginated?offset=3"), json!({ "data": [], "total": 0 }));
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn wallet_that_paid_itself_gets_its_outgoing_row() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::funded(&lnbits, "shop");
    let created = shop.invoice(&json!({ "external_id": "order-1" }));
    shop.pay(text(&created, "bolt11"));
    let hash = text(&created, "payment_hash");
    let got = shop.get(&format!("/payments/{hash}"));
    assert_eq!((&got["paid"], &got["details"]["amount"]), (&json!(true), &json!(-4_200_000)));
    let page = shop.get(&format!("/payments/paginated?payment_hash={hash}&amount[gt]=0"));
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    assert_eq!(page["data"][0]["amount"], 4_200_000);
    assert_eq!(text(&page["data"][0], "status"), "success");
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn every_request_is_redirected_until_lnbits_is_installed() {
    let lnbits = Lnbits::uninstalled(&[("LNBITS_BACKEND_WALLET_CLASS", "FakeWallet")]);
    for path in ["/api/v1/payments", "/api/v1/payments/paginated", "/api/v1/wallet"] {
        let (status, _) = lnbits.call(Method::GET, path, &[("x-api-key", "any")], None);
        assert_eq!(status, 307, "{path}");
    }
}
