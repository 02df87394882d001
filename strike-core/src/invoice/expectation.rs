//! The values that an order requires of a charge and its invoice.

#[cfg(feature = "signature")]
use super::payee::{PayeeKey, sha256};
use crate::values::{Network, NewCharge, Satoshi};

/// What [`Charge::check`](crate::Charge::check) holds a charge and its invoice against.
///
/// Name what the order says. Of a field that is not named, the charge's own value must be in the invoice, so that
/// the two at least agree. How long the invoice can be paid is never compared: a host may ignore the order's
/// `expiry_sec`, and [`CheckedInvoice::expires_at`](crate::CheckedInvoice::expires_at) is the truth either way.
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
    /// Expects an invoice of that network which says what its charge says.
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

    /// Expects the amount and the description of an order, on that network.
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
    /// An invoice that carries the hash of its description must carry the hash of this one; that is checked under
    /// the feature `signature` alone, and otherwise left to
    /// [`description_checked`](crate::CheckedInvoice::description_checked).
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Expects an invoice that Lightning wallets of today pay: one without a [`WalletObjection`](crate::WalletObjection).
    ///
    /// Off unless called, since the hosted service of 2018 made invoices without a payment secret, and a host that imitates
    /// it may do the same. [`CheckedInvoice::wallet_objections`](crate::CheckedInvoice::wallet_objections) says so in any case.
    pub const fn for_todays_wallets(mut self) -> Self {
        self.todays_wallets = true;
        self
    }

    /// Expects this node to have signed: the one that the shop knows to be the host's.
    ///
    /// Without it, a signature says which node would be paid, but not that it is the right one.
    #[cfg(feature = "signature")]
    pub const fn payee(mut self, payee: PayeeKey) -> Self {
        self.payee = Some(payee);
        self
    }

    /// Expects the invoice to carry the SHA-256 of this text instead of a description in words.
    ///
    /// For terms that are too long for an invoice, and that the payer gets in another way. The charge's own
    /// description is not affected.
    #[cfg(feature = "signature")]
    pub fn description_text(mut self, text: &str) -> Self {
        self.description_hash = Some(sha256(text));
        self
    }
}
