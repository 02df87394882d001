//! `POST /decodeinvoice`: shows what a BOLT11 invoice contains.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use lightning_invoice::{Bolt11Invoice, Bolt11InvoiceDescriptionRef, RouteHintHop};
use serde::Serialize;
use strike_core::Network;

use super::node_info::chain;
use super::parameters::Parameters;
use super::reply::{Failure, Reply};
use super::routes::Call;
use crate::service::Service;

/// The features that invoices usually have: their even bit, and the name in BOLT 9.
const FEATURES: [(usize, &str); 5] = [
    (8, "var_onion_optin"),
    (14, "payment_secret"),
    (16, "basic_mpp"),
    (24, "option_route_blinding"),
    (48, "option_payment_metadata"),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DecodedInvoice {
    chain: &'static str,
    /// In millisatoshi.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
    payment_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description_hash: Option<String>,
    min_final_cltv_expiry_delta: u64,
    payment_secret: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_metadata: Option<String>,
    expiry_seconds: u64,
    extra_hops: Vec<Vec<ExtraHop>>,
    features: Features,
    timestamp_seconds: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtraHop {
    node_id: String,
    short_channel_id: String,
    fee_base: u32,
    fee_proportional_millionths: u32,
    cltv_expiry_delta: u16,
}

#[derive(Serialize)]
struct Features {
    activated: BTreeMap<&'static str, &'static str>,
    unknown: Vec<usize>,
}

pub(super) fn decode(_: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    let invoice = Parameters::of_form(call.http)?.required_invoice("invoice")?;
    Ok(Reply::json(&DecodedInvoice::from(&invoice)))
}

impl From<&Bolt11Invoice> for DecodedInvoice {
    fn from(invoice: &Bolt11Invoice) -> Self {
        let (description, description_hash) = match invoice.description() {
            Bolt11InvoiceDescriptionRef::Direct(text) => (Some(text.as_inner().0.clone()), None),
            Bolt11InvoiceDescriptionRef::Hash(hash) => (None, Some(HEXLOWER.encode(hash.0.as_ref()))),
        };
        Self {
            chain: chain(network(invoice)),
            amount: invoice.amount_milli_satoshis(),
            payment_hash: HEXLOWER.encode(invoice.payment_hash().as_ref()),
            description,
            description_hash,
            min_final_cltv_expiry_delta: invoice.min_final_cltv_expiry_delta(),
            payment_secret: HEXLOWER.encode(&invoice.payment_secret().0),
            payment_metadata: invoice.payment_metadata().map(|bytes| HEXLOWER.encode(bytes)),
            expiry_seconds: invoice.expiry_time().as_secs(),
            extra_hops: invoice
                .route_hints()
                .iter()
                .map(|hint| hint.0.iter().map(Into::into).collect())
                .collect(),
            features: features(invoice),
            timestamp_seconds: invoice.duration_since_epoch().as_secs(),
        }
    }
}

impl From<&RouteHintHop> for ExtraHop {
    fn from(hop: &RouteHintHop) -> Self {
        let id = hop.short_channel_id;
        Self {
            node_id: hop.src_node_id.to_string(),
            // The block, the transaction in it, and its output.
            short_channel_id: format!("{}x{}x{}", id >> 40, (id >> 16) & 0xff_ffff, id & 0xffff),
            fee_base: hop.fees.base_msat,
            fee_proportional_millionths: hop.fees.proportional_millionths,
            cltv_expiry_delta: hop.cltv_expiry_delta,
        }
    }
}

fn network(invoice: &Bolt11Invoice) -> Network {
    match invoice.network() {
        bitcoin::Network::Bitcoin => Network::Bitcoin,
        bitcoin::Network::Signet => Network::Signet,
        bitcoin::Network::Regtest => Network::Regtest,
        _ => Network::Testnet,
    }
}

/// Names the features. Of each pair of bits, the even one means mandatory.
fn features(invoice: &Bolt11Invoice) -> Features {
    let mut features = Features { activated: BTreeMap::new(), unknown: Vec::new() };
    let bytes = invoice.features().map(|features| features.le_flags().to_vec()).unwrap_or_default();
    let bits =
        (0..bytes.len() * 8).filter(|bit| bytes.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1));
    for bit in bits {
        match FEATURES.iter().find(|(even, _)| *even == bit & !1) {
            Some((_, name)) => {
                features.activated.insert(name, if bit % 2 == 0 { "mandatory" } else { "optional" });
            }
            None => features.unknown.push(bit),
        }
    }
    features
}
