//! Detects that a charge is no longer the one that was added.

use crate::values::Charge;

/// Returns a 4-byte hash of the fields of a charge that never change, to detect that the server
/// returns different ones.
pub(super) fn digest(charge: &Charge) -> u32 {
    let mut hash = hmac_sha256::Hash::new();
    hash.update(charge.payment_hash().as_bytes());
    hash.update(charge.amount.to_be_bytes());
    hash.update(charge.amount_satoshi.get().to_be_bytes());
    for text in [charge.payment_request(), charge.description()] {
        // With the length, the end of one text cannot be taken for the beginning of the next.
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().iter().take(4).fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
}
