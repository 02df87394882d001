//! Wallets of LNbits, used through its own API: what a shop's client does not do.

use std::sync::Arc;

use serde_json::{Value, json};
use strike_core::http::{Method, StatusCode};

use crate::server::Lnbits;

/// A wallet, with both of its keys.
pub struct Wallet {
    lnbits: Arc<Lnbits>,
    id: String,
    pub invoice_key: String,
    pub admin_key: String,
}

impl Wallet {
    /// Creates an empty wallet.
    pub fn new(lnbits: &Arc<Lnbits>, name: &str) -> Self {
        let account = json!({ "name": name });
        let (status, wallet) = lnbits.call(Method::POST, "/api/v1/account", &[], Some(&account));
        assert_eq!(status, 200, "{wallet}");
        let text = |field: &str| wallet[field].as_str().unwrap().to_owned();
        Self {
            lnbits: Arc::clone(lnbits),
            id: text("id"),
            invoice_key: text("inkey"),
            admin_key: text("adminkey"),
        }
    }

    /// Creates a wallet with a million satoshi.
    pub fn funded(lnbits: &Arc<Lnbits>, name: &str) -> Self {
        let wallet = Self::new(lnbits, name);
        wallet.fund();
        wallet
    }

    /// Gives the wallet a million satoshi.
    pub fn fund(&self) {
        let balance = json!({ "id": self.id, "amount": 1_000_000 });
        self.lnbits.administer(Method::PUT, "/users/api/v1/balance", &balance);
    }

    /// Sends a request with a key of this or of no wallet.
    pub fn call(&self, method: Method, path: &str, key: &str, body: Option<&Value>) -> (StatusCode, Value) {
        self.lnbits.call(method, &format!("/api/v1{path}"), &[("x-api-key", key)], body)
    }

    /// Sends a GET request with the invoice key.
    pub fn get(&self, path: &str) -> Value {
        let (status, response) = self.call(Method::GET, path, &self.invoice_key, None);
        assert_eq!(status, 200, "{path}: {response}");
        response
    }

    /// Creates an invoice from these and the usual fields.
    pub fn invoice(&self, fields: &Value) -> Value {
        let mut body = json!({ "out": false, "unit": "sat", "amount": 4200, "memo": "tea", "expiry": 3600 });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, row) = self.call(Method::POST, "/payments", &self.invoice_key, Some(&body));
        assert_eq!(status, 201, "{row}");
        row
    }

    /// Pays a payment request.
    pub fn pay(&self, payment_request: &str) {
        let (status, response) = self.try_pay(payment_request);
        assert_eq!(status, 201, "{response}");
    }

    /// Pays a payment request, which LNbits may refuse.
    pub fn try_pay(&self, payment_request: &str) -> (StatusCode, Value) {
        let payment = json!({ "out": true, "bolt11": payment_request });
        self.call(Method::POST, "/payments", &self.admin_key, Some(&payment))
    }

    /// Returns every incoming row: those of charges, and those of top-ups.
    pub fn rows(&self) -> Vec<Value> {
        let page = self.get("/payments/paginated?limit=1000&amount[gt]=0");
        page["data"].as_array().unwrap().clone()
    }
}
