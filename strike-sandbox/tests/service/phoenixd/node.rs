//! `getinfo`, `getbalance` and the channel.

use serde_json::json;
use strike_core::{Network, Satoshi};
use strike_sandbox::{Phoenixd, Sandbox};

use super::{builder, get, pay, payment_hash, sandbox, text_error};
use crate::support::{json, text};

#[test]
fn node_info_has_the_node_its_channel_and_the_chain() {
    for (network, chain) in [
        (Network::Bitcoin, "mainnet"),
        (Network::Testnet, "testnet3"),
        (Network::Signet, "signet"),
        (Network::Regtest, "regtest"),
    ] {
        let sandbox = builder().network(network).build();
        let info = json(&get(&sandbox, "/getinfo"));
        assert_eq!((&info["chain"], &info["nodeId"]), (&json!(chain), &json!(sandbox.payee())));
        assert!(info["blockHeight"].is_u64() && info["version"].is_string());
        let channel = &info["channels"][0];
        assert_eq!((&channel["state"], &channel["balanceSat"]), (&json!("Normal"), &json!(0)));
        assert_eq!(channel["channelId"].as_str().map(str::len), Some(64));
        assert_eq!(channel["fundingTxId"].as_str().map(str::len), Some(64));
        assert_eq!(json(&get(&sandbox, "/listchannels"))[0], *channel);
    }
}

#[test]
fn balance_is_the_sum_after_fees_beside_the_fee_credit() {
    let settings = Phoenixd::new().limited_password("limited").fee_millisatoshi(1_500);
    let sandbox = builder().phoenixd(settings.fee_credit(Satoshi::new(77))).build();
    let balance = |sandbox: &Sandbox| text(&get(sandbox, "/getbalance")).to_owned();
    assert_eq!(balance(&sandbox), "{\n    \"balanceSat\": 0,\n    \"feeCreditSat\": 77\n}");
    payment_hash(&sandbox, "amountSat=1000&description=");
    for amount in [10, 20] {
        let hash = payment_hash(&sandbox, &format!("amountSat={amount}&description="));
        pay(&sandbox, &hash);
    }
    assert_eq!(balance(&sandbox), "{\n    \"balanceSat\": 27,\n    \"feeCreditSat\": 77\n}");
    assert_eq!(json(&get(&sandbox, "/getinfo"))["channels"][0]["balanceSat"], 27);
}

#[test]
fn balance_is_not_negative_when_fees_exceed_payments() {
    let settings = Phoenixd::new().limited_password("limited").fee_millisatoshi(9_000_000);
    let sandbox = builder().phoenixd(settings).build();
    let hash = payment_hash(&sandbox, "amountSat=10&description=");
    pay(&sandbox, &hash);
    assert_eq!(json(&get(&sandbox, "/getbalance"))["balanceSat"], 0);
}

#[test]
fn liquidity_is_free() {
    let fees = json(&get(&sandbox(), "/estimateliquidityfees?amountSat=1000"));
    assert_eq!(fees, json!({ "miningFeeSat": 0, "serviceFeeSat": 0 }));
    let missing = get(&sandbox(), "/estimateliquidityfees");
    assert_eq!(text_error(&missing), (400, "Request parameter amountSat is missing"));
}
