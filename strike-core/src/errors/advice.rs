//! What to do about an error.

use std::fmt;

/// What to do about an error. `Display` writes it as a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Correct the input. Nothing was sent, or the server rejected it.
    FixInput,
    /// Call again later. The failed call changed nothing.
    RetryLater,
    /// Look for the charge before you create another: the server may have created one.
    LookFirst,
    /// Check the API key, and that it belongs to this host and network.
    CheckKey,
    /// Replace the credential by one that can only receive: phoenixd's limited password, or the invoice key of an
    /// LNbits wallet.
    UseReceiveOnlyCredential,
    /// Check the id, the account and the base URL.
    CheckId,
    /// Check that the base URL is that of the server's API, and how it is reached.
    CheckHost,
    /// Use another host: ACINQ closed its hosted service in 2021.
    ServiceClosed,
    /// Check the clocks of this machine and of the host: they disagree.
    CheckClock,
    /// Do not show this invoice and do not complete the order. Ask the operator of the host.
    DoNotUse,
    /// Correct the endpoint's [`Network`](crate::Network), or use a host on that network. Until then, show no invoice.
    CheckNetwork,
    /// The order's name was used before, for another amount, description or `customer_id`. Use another name, or call
    /// again with the same order.
    CheckOrder,
    /// Do not show this invoice: it has expired. Create a new charge.
    InvoiceExpired,
    /// Set [`CreateOnceOptions::since`](crate::CreateOnceOptions::since) to the time of the order, so that less of the
    /// list has to be read. Nothing was created.
    SetSince,
    /// Create a new machine: this one has finished.
    CreateNewMachine,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FixInput => "correct the input",
            Self::RetryLater => "it is safe to try again later",
            Self::LookFirst => {
                "a charge may exist: before you create another, call `create_once` with the same key, or search the list"
            }
            Self::CheckKey => "check the API key, and that it belongs to this host and network",
            Self::UseReceiveOnlyCredential => {
                "use a credential that can only receive: a leak of this one could cost the whole balance"
            }
            Self::CheckId => "check the id, and that base URL and key belong to the account that created it",
            Self::CheckHost => "check that the base URL is that of the server's API, and how it is reached",
            Self::ServiceClosed => {
                "ACINQ closed its hosted service in 2021: use a compatible host, or start the sandbox"
            }
            Self::DoNotUse => {
                "do not show its invoice and do not complete the order: ask the operator of the host"
            }
            Self::InvoiceExpired => {
                "do not show its invoice, which has expired: create a new charge; if that has expired too, the server's \
                 clock is wrong"
            }
            Self::CheckNetwork => {
                "check the `Network` of the endpoint, and that its base URL is on that network; until then, show no invoice"
            }
            Self::CheckOrder => {
                "this order name was used before for another order: use another name, or call again with the same order"
            }
            Self::CheckClock => {
                "check the clocks of this machine and of the host, and do not show its invoice until they agree"
            }
            Self::SetSince => {
                "set `CreateOnceOptions::since` to the time of the order; nothing was created"
            }
            Self::CreateNewMachine => "create a new machine: this one has finished",
        })
    }
}
