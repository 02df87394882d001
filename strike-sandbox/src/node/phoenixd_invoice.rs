//! Builds invoices in the shape of phoenixd's: its tags, in its order.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use lightning_invoice::{
    Currency, InvoiceBuilder, PaymentSecret, RawBolt11Invoice, RouteHint, RouteHintHop, RoutingFees,
};

use super::invoice::{DEFAULT_EXPIRY, InvoiceTerms, SigningError};

/// The CLTV delta of phoenixd's invoices and of the hop in their route hint, in blocks.
const CLTV_DELTA: u16 = 144;
/// The payment metadata, which is always the same.
const METADATA: u8 = 0x2a;
/// The fees in the route hint of a node whose peer has not announced others.
const HOP_FEES: RoutingFees = RoutingFees { base_msat: 1000, proportional_millionths: 100 };

/// Returns an invoice without its signature. `payee` is the node that signs it.
///
/// The order of the calls is the order of the tags: p, c, s, features, d or h, m, x, r.
pub(super) fn unsigned(
    currency: Currency,
    terms: &InvoiceTerms<'_>,
    payee: PublicKey,
) -> Result<RawBolt11Invoice, SigningError> {
    InvoiceBuilder::new(currency)
        .amount_milli_satoshis(terms.amount.millisatoshi().ok_or(SigningError)?)
        .duration_since_epoch(terms.timestamp)
        .payment_hash(sha256::Hash::from_byte_array(*terms.payment_hash.as_bytes()))
        .min_final_cltv_expiry_delta(CLTV_DELTA.into())
        .payment_secret(PaymentSecret(terms.payment_secret))
        .basic_mpp()
        .invoice_description(terms.description.to_tag()?)
        .payment_metadata(vec![METADATA])
        .expiry_time(terms.expiry.unwrap_or(DEFAULT_EXPIRY))
        .private_route(RouteHint(vec![last_hop(payee)?]))
        .build_raw()
        .map_err(|_| SigningError)
}

/// Returns a hop from an invented peer, in the place of ACINQ's node. Its channel id contains the
/// beginning of the payee's key, as phoenixd's has.
fn last_hop(payee: PublicKey) -> Result<RouteHintHop, SigningError> {
    let payee = payee.serialize();
    let peer = sha256::Hash::hash(&payee).to_byte_array();
    let peer = SecretKey::from_slice(&peer).map_err(|_| SigningError)?;
    let short_channel_id = payee.iter().take(8).fold(0, |id, byte| (id << 8) | u64::from(*byte));
    Ok(RouteHintHop {
        src_node_id: PublicKey::from_secret_key(&Secp256k1::signing_only(), &peer),
        short_channel_id,
        fees: HOP_FEES,
        cltv_expiry_delta: CLTV_DELTA,
        htlc_minimum_msat: None,
        htlc_maximum_msat: None,
    })
}
