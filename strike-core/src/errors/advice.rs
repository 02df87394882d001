//! What to do about an error.

use std::fmt;

/// What to do about an error. Its `Display` is a sentence for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Correct the input. Nothing was sent, or the host refused it in the API's own words.
    FixInput,
    /// Ask again later: nothing was changed by asking.
    RetryLater,
    /// Look before asking again: a charge may have been made.
    LookFirst,
    /// Check the key, and that it belongs to this host and network.
    CheckKey,
    /// Check the id, the account and the base URL.
    CheckId,
    /// Check that the base URL names a Strike-compatible host, and how it is reached.
    CheckHost,
    /// ACINQ closed its hosted service in 2021: name another host.
    ServiceClosed,
    /// Check the clocks of this machine and of the host: they disagree.
    CheckClock,
    /// Do not show this invoice or complete the order; ask whoever runs the host.
    DoNotUse,
    /// Do not show this invoice: it is for another network than the endpoint's. Correct the endpoint's
    /// [`Network`](crate::Network), or name a host on that network.
    CheckNetwork,
    /// The name of this order was used before, for another amount, description or `customer_id`. Use another name, or call again
    /// with the order as it was.
    CheckOrder,
    /// Do not show this invoice: it has expired. Make a new charge.
    InvoiceExpired,
    /// Say with [`CreateOnceOptions::since`](crate::CreateOnceOptions::since) when the order was placed, so that less of the list has to be read. Nothing was
    /// created.
    SetSince,
    /// Make a new machine: this one has ended.
    CreateNewMachine,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FixInput => "correct the input",
            Self::RetryLater => "it is safe to ask again later",
            Self::LookFirst => {
                "a charge may exist: before you create another, call `create_once` with the same key, or look through the list"
            },
            Self::CheckKey => "check the API key, and that it belongs to this host and network",
            Self::CheckId => "check the id, and that base URL and key belong to the account that made it",
            Self::CheckHost => {
                "check that the base URL names a Strike-compatible host, and how it is reached"
            }
            Self::ServiceClosed => {
                "ACINQ closed its hosted service in 2021: name a compatible host, or start the sandbox"
            }
            Self::DoNotUse => {
                "do not show its invoice and do not complete the order: ask whoever runs the host"
            }
            Self::InvoiceExpired => {
                "do not show its invoice, which has expired: make a new charge; if that has expired too, the server's clock is wrong"
            }
            Self::CheckNetwork => {
                "do not show its invoice: check the `Network` of the endpoint, and that its base URL is on that network"
            }
            Self::CheckOrder => {
                "this order name was used before, for another order: use another name, or the order as it was"
            }
            Self::CheckClock => {
                "check the clocks of this machine and of the host, and do not show its invoice until they agree"
            }
            Self::SetSince => "say with `CreateOnceOptions::since` when the order was placed; nothing was created",
            Self::CreateNewMachine => "make a new one: this machine had already ended",
        })
    }
}
