//! The values that a charge and its invoice must have.

#[cfg(feature = "signature")]
use super::payee::{PayeeKey, sha256};
use crate::values::{Network, NewCharge, Satoshi};

/// The values that [`Charge::check`](crate::Charge::check) requires of a charge and its invoice.
///
/// Set the values of your order. For a value that you do not set, the invoice must agree with the
/// charge.
///
/// The lifetime of the invoice is not compared, because a server may ignore the order's
/// `expiry_sec`. Use [`CheckedInvoice::expires_at`](crate::CheckedInvoice::expires_at) for the
/// actual expiry.
///
/// ```
/// use strike_core::{Expectation, Network, NewCharge, Satoshi};
///
/// let order = NewCharge::satoshis(4200, "services rendered");
/// let expected = Expectation::new(Network::Testnet).amount(Satoshi::new(4200)).description("services rendered");
/// assert_eq!(Expectation::of(&order, Network::Testnet), expected);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Expectation {
    pub(super) network: Network,
    pub(super) amount: Option<Satoshi>,
    pub(super) description: Option<String>,
    pub(super) todays_wallets: bool,
    #[cfg(feature = "signature")]
    pub(super) payee: Option<PayeeKey>,
    #[cfg(feature = "signature")]
    pub(super) description_hash: Option<[u8; 32]>,
}

impl Expectation {
    /// Expects an invoice for this network that agrees with its charge.
    pub const fn new(network: Network) -> Self {
        Self {
            network,
            amount: None,
            description: None,
            todays_wallets: false,
            #[cfg(feature = "signature")]
            payee: None,
            #[cfg(feature = "signature")]
            description_hash: None,
        }
    }

    /// Expects the amount and the description of an order, on this network.
    pub fn of(order: &NewCharge, network: Network) -> Self {
        Self::new(network).amount(order.amount()).description(order.description())
    }

    /// Expects exactly this amount.
    pub const fn amount(mut self, amount: Satoshi) -> Self {
        self.amount = Some(amount);
        self
    }

    /// Expects exactly this description.
    ///
    /// If the invoice contains only the hash of a description, the hash must be that of this text.
    /// The hash is compared only with the feature `signature`. Without it,
    /// [`description_checked`](crate::CheckedInvoice::description_checked) returns false.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Expects an invoice that current Lightning wallets pay: one without a
    /// [`WalletObjection`](crate::WalletObjection).
    ///
    /// Off by default: the hosted service of 2018 created invoices without a payment secret, and
    /// compatible servers may do the same.
    /// [`CheckedInvoice::wallet_objections`](crate::CheckedInvoice::wallet_objections) lists the
    /// objections in any case.
    pub const fn for_todays_wallets(mut self) -> Self {
        self.todays_wallets = true;
        self
    }

    /// Expects that this node signed the invoice. Pass the public key of your server's node.
    ///
    /// Without it, a valid signature shows which node would be paid, but not that it is your
    /// server's.
    #[cfg(feature = "signature")]
    pub const fn payee(mut self, payee: PayeeKey) -> Self {
        self.payee = Some(payee);
        self
    }

    /// Expects the invoice to contain the SHA-256 of this text instead of a description.
    ///
    /// Use it for terms that are too long for an invoice and that the payer receives separately.
    /// The charge's own description is not affected.
    #[cfg(feature = "signature")]
    pub fn description_text(mut self, text: &str) -> Self {
        self.description_hash = Some(sha256(text));
        self
    }
}
