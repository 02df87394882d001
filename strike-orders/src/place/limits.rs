//! The limits of what can be ordered. They are checked before anything is written or sent.

use std::time::Duration;

use strike_async::machine::{Machine, Step};
use strike_async::{CoreClient, CreateOnceOptions, NewCharge, Now, OrderKey, UnixMillis};

use crate::error::Error;

/// The longest name of an order, in characters.
const MAX_NAME: usize = 200;

pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME {
        return Err(Error::InvalidName { rule: "1 to 200 characters long" });
    }
    if name.chars().any(char::is_control) {
        return Err(Error::InvalidName { rule: "free of control characters" });
    }
    Ok(())
}

/// Checks the limits of an order. A machine that is dropped before its first request sends nothing.
pub(super) fn check_order(core: &CoreClient, ordered: &NewCharge) -> Result<(), Error> {
    let texts = [
        ("description", ordered.description()),
        ("customer_id", ordered.get_customer_id().unwrap_or_default()),
    ];
    if let Some((field, _)) = texts.into_iter().find(|(_, text)| text.contains('\0')) {
        return Err(Error::NulCharacter { field });
    }
    let now = Now::new(Duration::ZERO, UnixMillis::from_millis(0));
    let options = CreateOnceOptions::fresh(OrderKey::from_entropy(0));
    match core.create_once(ordered.clone(), options).poll(now) {
        Step::Done(Err(error)) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Returns an error if two orders differ in what the payer pays for.
pub(super) fn unless_different(name: &str, stored: &NewCharge, ordered: &NewCharge) -> Result<(), Error> {
    let field = if stored.amount() != ordered.amount() {
        "amount"
    } else if stored.description() != ordered.description() {
        "description"
    } else if stored.get_customer_id() != ordered.get_customer_id() {
        "customer_id"
    } else {
        return Ok(());
    };
    Err(Error::DifferentOrder { name: name.to_owned(), field })
}
