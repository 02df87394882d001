//! What the node tells about itself: `getinfo`, `getbalance`, and its channel.

use bitcoin::hashes::{Hash, sha256};
use serde::Serialize;
use strike_core::Network;

use super::parameters::Parameters;
use super::payment_json::received_millisatoshi;
use super::reply::{Failure, Reply};
use super::routes::Call;
use crate::service::Service;

/// The release that the API follows. The suffix shows that this is not phoenixd.
const VERSION: &str = "0.8.0-sandbox";
/// No block is ever found.
const BLOCK_HEIGHT: u32 = 900_000;
/// The inbound liquidity of the channel, which payments do not use up.
const INBOUND_LIQUIDITY: i64 = 10_000_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeInfo {
    node_id: String,
    channels: Vec<Channel>,
    chain: &'static str,
    block_height: u32,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Channel {
    state: &'static str,
    channel_id: String,
    balance_sat: i64,
    inbound_liquidity_sat: i64,
    capacity_sat: i64,
    funding_tx_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Balance {
    balance_sat: i64,
    fee_credit_sat: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LiquidityFees {
    mining_fee_sat: u64,
    service_fee_sat: u64,
}

#[expect(clippy::unnecessary_wraps, reason = "the type of a handler")]
pub(super) fn info(service: &mut Service, _: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::json(&NodeInfo {
        node_id: service.payee(),
        channels: vec![channel(service)],
        chain: chain(service.network()),
        block_height: BLOCK_HEIGHT,
        version: VERSION,
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "the type of a handler")]
pub(super) fn balance(service: &mut Service, _: &Call<'_>) -> Result<Reply, Failure> {
    let fee_credit_sat = service.phoenixd().fee_credit();
    Ok(Reply::json(&Balance { balance_sat: balance_satoshi(service), fee_credit_sat }))
}

#[expect(clippy::unnecessary_wraps, reason = "the type of a handler")]
pub(super) fn channels(service: &mut Service, _: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::json(&[channel(service)]))
}

/// Liquidity is free here. The fee of a payment is a setting.
pub(super) fn liquidity_fees(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    Parameters::of_query(call.http).required_integer("amountSat")?;
    Ok(Reply::json(&LiquidityFees { mining_fee_sat: 0, service_fee_sat: 0 }))
}

/// Returns the only channel, with ids that do not change.
fn channel(service: &Service) -> Channel {
    let id = |name: &str| sha256::Hash::hash(format!("{name} {}", service.payee()).as_bytes()).to_string();
    let balance = balance_satoshi(service);
    Channel {
        state: "Normal",
        channel_id: id("channel"),
        balance_sat: balance,
        inbound_liquidity_sat: INBOUND_LIQUIDITY,
        capacity_sat: balance.saturating_add(INBOUND_LIQUIDITY),
        funding_tx_id: id("funding"),
    }
}

/// Returns the sum of all payments after fees. A channel's balance is never negative.
fn balance_satoshi(service: &Service) -> i64 {
    let received = service.newest_first().map(received_millisatoshi);
    received.fold(0_i64, i64::saturating_add).max(0) / 1000
}

/// Returns the name of the chain. phoenixd runs only on the first two.
pub(super) const fn chain(network: Network) -> &'static str {
    match network {
        Network::Bitcoin => "mainnet",
        Network::Testnet => "testnet3",
        Network::Signet => "signet",
        Network::Regtest => "regtest",
    }
}
