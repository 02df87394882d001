//! How an order ends. These rules hold on every instance, under the lock of the order.

use strike_async::{ChargeId, Event as Watched, PaidCharge};

use crate::event::EndKind;
use crate::order::OrderState;

/// What was found out about a charge.
#[derive(Debug, Clone)]
pub(super) enum Found {
    Paid(PaidCharge),
    Expired,
    Failed(String),
}

impl Found {
    pub(super) fn of(event: Watched) -> (ChargeId, Self) {
        match event {
            Watched::Paid(charge) => (charge.id().clone(), Self::Paid(charge)),
            Watched::Expired(id) => (id, Self::Expired),
            Watched::Failed(id, error) => (id, Self::Failed(error.to_string())),
        }
    }

    /// Returns the finding as the column `found` holds it.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Paid(_) => "paid",
            Self::Expired => "expired",
            Self::Failed(_) => "failed",
        }
    }

    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What a finding changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    /// What the handler is told, if anything.
    pub(super) told: Option<EndKind>,
    /// The new state of the order, if it changes.
    pub(super) order: Option<OrderState>,
}

/// Decides what a finding changes, or returns `None` if the charge has ended before.
///
/// | finding | charge | order | told | order becomes |
/// | --- | --- | --- | --- | --- |
/// | paid | paid | any | nothing, ended before | |
/// | paid | any other | paid | `PaidAgain` | |
/// | paid | any other | any other | `Paid` | paid |
/// | expired, failed | pending | paid | nothing | |
/// | expired, failed | pending, not the newest | any other | nothing | |
/// | expired, failed | pending, the newest | any other | `Expired`, `Failed` | expired, failed |
/// | expired, failed | any other | any | nothing, ended before | |
pub(super) fn decide(found: &Found, charge: &str, order: &str, is_shown: bool) -> Option<Decision> {
    let is_order_paid = order == OrderState::Paid.as_str();
    let (told, state) = match found {
        Found::Paid(_) if charge == "paid" => return None,
        Found::Paid(_) if is_order_paid => {
            return Some(Decision { told: Some(EndKind::PaidAgain), order: None });
        }
        Found::Paid(_) => (EndKind::Paid, OrderState::Paid),
        _ if charge != "pending" => return None,
        _ if is_order_paid || !is_shown => return Some(Decision { told: None, order: None }),
        Found::Expired => (EndKind::Expired, OrderState::Expired),
        Found::Failed(_) => (EndKind::Failed, OrderState::Failed),
    };
    Some(Decision { told: Some(told), order: Some(state) })
}

#[cfg(test)]
mod tests {
    use strike_async::mirror::Mirror;

    use super::*;

    fn paid() -> Found {
        let charge = format!(
            r#"{{"id":"ch_1","amount":1,"currency":"btc","amount_satoshi":1,"payment_hash":"{}",
                "payment_request":"lnbc1","paid":true,"created":0,"updated":0}}"#,
            "00".repeat(32),
        );
        let stored = format!(r#"{{"version":1,"state":"retrieved","charge":{charge}}}"#);
        let mirror: Mirror = serde_json::from_str(&stored).unwrap();
        Found::Paid(mirror.charge().and_then(|charge| charge.to_paid()).unwrap())
    }

    #[test]
    fn each_finding_is_told_as_the_table_says() {
        let told = |found: &Found, charge: &str, order: &str, is_shown: bool| {
            decide(found, charge, order, is_shown).map(|decision| (decision.told, decision.order))
        };
        let failed = Found::Failed("unknown charge".to_owned());
        for is_shown in [true, false] {
            for order in ["pending", "paid", "expired", "failed"] {
                assert_eq!(told(&paid(), "paid", order, is_shown), None);
                for charge in ["paid", "expired", "failed"] {
                    assert_eq!(told(&Found::Expired, charge, order, is_shown), None);
                    assert_eq!(told(&failed, charge, order, is_shown), None);
                }
                for charge in ["pending", "expired", "failed"] {
                    let expected = if order == "paid" {
                        (Some(EndKind::PaidAgain), None)
                    } else {
                        (Some(EndKind::Paid), Some(OrderState::Paid))
                    };
                    assert_eq!(told(&paid(), charge, order, is_shown), Some(expected), "{charge}, {order}");
                }
            }
            assert_eq!(told(&Found::Expired, "pending", "paid", is_shown), Some((None, None)));
            assert_eq!(told(&failed, "pending", "paid", is_shown), Some((None, None)));
        }
        let expired = Some((Some(EndKind::Expired), Some(OrderState::Expired)));
        assert_eq!(told(&Found::Expired, "pending", "pending", true), expired);
        let failure = Some((Some(EndKind::Failed), Some(OrderState::Failed)));
        assert_eq!(told(&failed, "pending", "pending", true), failure);
        assert_eq!(told(&Found::Expired, "pending", "pending", false), Some((None, None)));
    }
}
