//! The clients of this project, with the settings that a row of the table needs.

use strike_async::ReqwestTransportBuilder;
use strike_core::{ApiKey, Endpoint, Network, RetryPolicy};

use crate::raw::KEY;

fn endpoint(base: &str) -> Endpoint {
    Endpoint::new(base, ApiKey::new(KEY).unwrap(), Network::Testnet).unwrap()
}

fn policy(reuse: bool) -> RetryPolicy {
    RetryPolicy::default().reuse_connections_for_creates(reuse)
}

/// Returns a client that uses kept connections for creates, if `reuse`. `change` sets more.
#[must_use]
pub fn async_client(
    base: &str,
    authority: &str,
    reuse: bool,
    change: impl FnOnce(ReqwestTransportBuilder) -> ReqwestTransportBuilder,
) -> strike_async::Client {
    let builder = strike_async::ReqwestTransport::builder().ca_certificate(authority);
    let transport = change(builder).build().unwrap();
    strike_async::Client::builder(endpoint(base)).transport(transport).retry(policy(reuse)).build().unwrap()
}

/// Returns a client that uses kept connections for creates, if `reuse`.
#[must_use]
pub fn blocking_client(base: &str, authority: &str, reuse: bool) -> strike_blocking::Client {
    let transport = strike_blocking::UreqTransport::builder().ca_certificate(authority).build().unwrap();
    strike_blocking::Client::builder(endpoint(base))
        .transport(transport)
        .retry(policy(reuse))
        .build()
        .unwrap()
}
