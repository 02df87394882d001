//! The same calls, written with reqwest and with ureq, as their documentation shows.

use std::time::Duration;

use reqwest::Certificate;
use serde::{Deserialize, Serialize};
use ureq::tls::{RootCerts, TlsConfig};

const TIMEOUT: Duration = Duration::from_secs(30);

pub const KEY: &str = "sk_00000000000000000000000000000000";

#[derive(Serialize)]
struct RawOrder {
    amount: u64,
    currency: &'static str,
    description: &'static str,
}

#[derive(Debug, Deserialize)]
pub struct RawCharge {
    pub id: String,
    pub amount: u64,
    pub currency: String,
    pub amount_satoshi: u64,
    pub payment_hash: String,
    pub payment_request: String,
    pub description: String,
    pub paid: bool,
    pub created: u64,
    pub updated: u64,
}

const ORDER: RawOrder = RawOrder { amount: 4200, currency: "btc", description: "a pot of tea" };

/// reqwest with a timeout for each request.
#[derive(Clone)]
pub struct RawAsync {
    client: reqwest::Client,
    base: String,
}

impl RawAsync {
    #[must_use]
    pub fn new(base: String, authority: &str) -> Self {
        let authority = Certificate::from_pem(authority.as_bytes()).unwrap();
        let client =
            reqwest::Client::builder().tls_certs_only([authority]).http1_only().no_proxy().build().unwrap();
        Self { client, base }
    }

    /// # Errors
    /// Returns reqwest's error.
    pub async fn create(&self) -> Result<RawCharge, reqwest::Error> {
        let request = self.client.post(format!("{}charges", self.base)).basic_auth(KEY, Some(""));
        let response = request.json(&ORDER).timeout(TIMEOUT).send().await?.error_for_status()?;
        response.json().await
    }

    /// # Errors
    /// Returns reqwest's error.
    pub async fn get(&self, id: &str) -> Result<RawCharge, reqwest::Error> {
        let request = self.client.get(format!("{}charges/{id}", self.base)).basic_auth(KEY, Some(""));
        request.timeout(TIMEOUT).send().await?.error_for_status()?.json().await
    }
}

/// ureq, without or with a timeout for each request.
pub struct RawBlocking {
    agent: ureq::Agent,
    base: String,
    authorization: String,
}

impl RawBlocking {
    #[must_use]
    pub fn new(base: String, authority: &str, with_timeout: bool) -> Self {
        let authority = ureq::tls::Certificate::from_pem(authority.as_bytes()).unwrap();
        let roots = RootCerts::from([authority].into_iter());
        let tls = TlsConfig::builder().root_certs(roots).build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .timeout_global(with_timeout.then_some(TIMEOUT))
            .build();
        // The encoding of `KEY` and an empty password.
        let encoded = "c2tfMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA6";
        Self { agent: config.into(), base, authorization: format!("Basic {encoded}") }
    }

    /// # Errors
    /// Returns ureq's error.
    pub fn create(&self) -> Result<RawCharge, ureq::Error> {
        let request = self.agent.post(format!("{}charges", self.base));
        request.header("Authorization", &self.authorization).send_json(&ORDER)?.body_mut().read_json()
    }

    /// # Errors
    /// Returns ureq's error.
    pub fn get(&self, id: &str) -> Result<RawCharge, ureq::Error> {
        let request = self.agent.get(format!("{}charges/{id}", self.base));
        request.header("Authorization", &self.authorization).call()?.body_mut().read_json()
    }
}
