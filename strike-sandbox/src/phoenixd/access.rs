//! The password of a request: Basic credentials with any user name.

use strike_core::http::HeaderMap;

use super::Account;
use super::account::Access;
use super::reply::Failure;
use crate::guard;

/// Checks that a request may use a route which requires this access.
pub(super) fn check(headers: &HeaderMap, account: &Account, required: Access) -> Result<(), Failure> {
    let credentials = guard::basic_credentials(headers).unwrap_or_default();
    let mut parts = credentials.splitn(2, |byte| *byte == b':').skip(1);
    let granted = parts.next().and_then(|password| account.access(password));
    if granted.is_some_and(|granted| granted >= required) { Ok(()) } else { Err(Failure::unauthorized()) }
}
