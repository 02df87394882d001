//! The values of the API: charges, orders, amounts, times and ids.

mod charge;
mod charge_id;
mod charge_texts;
mod currency;
mod invalid_input;
mod network;
pub(crate) mod new_charge;
mod now;
pub(crate) mod order_key;
mod paid_charge;
mod payment_hash;
mod satoshi;
mod settlement;
mod unix_millis;

pub use self::charge::Charge;
pub(crate) use self::charge::Origin;
pub use self::charge_id::ChargeId;
pub(crate) use self::charge_texts::ChargeTexts;
pub use self::currency::Currency;
pub use self::invalid_input::InvalidInput;
pub use self::network::Network;
pub use self::new_charge::NewCharge;
pub use self::now::Now;
pub use self::order_key::OrderKey;
pub use self::paid_charge::PaidCharge;
pub use self::payment_hash::PaymentHash;
pub use self::satoshi::Satoshi;
pub use self::settlement::Settlement;
pub use self::unix_millis::UnixMillis;
