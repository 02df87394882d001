//! What the runner has found to do.

use strike_async::ChargeId;

use super::decide::Found;
use crate::store::{Creation, Row};

/// How many findings may wait.
pub(super) const LENGTH: usize = 64;

/// Something to do.
pub(super) enum Work {
    /// A watched charge has ended.
    End(ChargeId, Found),
    /// An ended charge may have been paid late. It is due again at this time.
    Late(Box<Row>, i64),
    /// A handler failed, and is to be called again.
    Retry(Box<Row>),
    /// A create was left unfinished.
    Create(Box<Creation>),
}
