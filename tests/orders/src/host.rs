//! The host of the charges: a sandbox in the process of the test, and the payers' wallets.

use std::fmt;
use std::time::Duration;

use strike_async::http::StatusCode;
use strike_async::{ChargeId, Endpoint};
use strike_sandbox::faults::{After, Fault, Match, Plan, RuleStats};
use strike_sandbox::{ChargeRecord, PayError, RunningSandbox, Sandbox};

/// The host. Its ledger is the truth.
pub struct Host(RunningSandbox);

impl Host {
    /// Starts a host with faults on the wire.
    #[must_use]
    pub fn start(seed: u64, faults: Plan) -> Self {
        Self(Sandbox::builder().seed(seed).faults(faults).start().unwrap())
    }

    /// Returns the variables with which a process finds the host.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("STRIKE_BASE_URL", self.0.base_url().to_owned()),
            ("STRIKE_API_KEY", self.0.api_key().to_owned()),
            ("STRIKE_NETWORK", self.0.network().to_string()),
        ]
    }

    /// Returns the endpoint for a client in this process.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.0.endpoint().unwrap()
    }

    /// Pays a charge. Returns false if its invoice has expired or is already paid.
    #[must_use]
    pub fn pay(&self, charge: &str) -> bool {
        match self.0.pay(&id(charge)) {
            Ok(_) => true,
            Err(PayError::Expired | PayError::AlreadyPaid) => false,
            Err(error) => panic!("{charge}: {error}"),
        }
    }

    /// Returns the time by the host's clock, in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.0.now().as_millis()
    }

    /// Returns how many requests have arrived.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.requests()
    }

    /// Returns all charges.
    #[must_use]
    pub fn ledger(&self) -> Vec<ChargeRecord> {
        self.0.list_all()
    }
}

/// Returns the body of the webhook that the host sends for a paid charge.
#[must_use]
pub fn webhook(charge: &str) -> String {
    format!(r#"{{"object":"event","data":{{"id":"{charge}","object":"charge","paid":true}}}}"#)
}

fn id(charge: &str) -> ChargeId {
    ChargeId::new(charge).unwrap()
}

/// Faults of about one request in ten. Some others are slow.
pub fn faults() -> Plan {
    let (short, long) = (Duration::from_millis(50), Duration::from_millis(300));
    let create = || Match::create();
    Plan::new()
        // The charge was created, but the response is lost.
        .on(create().chance(0.02), Fault::close())
        .on(create().chance(0.01), Fault::status(StatusCode::BAD_GATEWAY).processed(true))
        .on(create().chance(0.01), Fault::cut(After::BodyBytes(40)))
        .on(create().chance(0.005), Fault::garbage())
        .on(create().chance(0.002), Fault::stall(After::Bytes(0)))
        // The charge was not created.
        .on(create().chance(0.02), Fault::refuse())
        .on(create().chance(0.02), Fault::status(StatusCode::INTERNAL_SERVER_ERROR))
        .on(Match::get().chance(0.03), Fault::close())
        .on(Match::get().chance(0.03), Fault::status(StatusCode::SERVICE_UNAVAILABLE))
        .on(Match::list().chance(0.03), Fault::close())
        .on(Match::list().chance(0.02), Fault::cut(After::BodyBytes(1000)))
        .on(Match::list().chance(0.03), Fault::status(StatusCode::BAD_GATEWAY))
        .on(Match::list().chance(0.002), Fault::stall(After::Bytes(100)))
        .on(Match::any().chance(0.05), Fault::latency(short, long))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: u64 = self.0.faults().iter().map(RuleStats::fired).sum();
        write!(f, "{} requests to the host, of which {faults} with a fault", self.0.requests())
    }
}
