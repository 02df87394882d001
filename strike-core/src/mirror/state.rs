//! The states of a mirror, the queries and requests, and the changes.

use crate::machine::CreateOnceOptions;
use crate::values::{ChargeId, NewCharge};

/// What you want to know about a charge.
///
/// | query | draft or in doubt | only the id is known | unpaid | paid |
/// | --- | --- | --- | --- | --- |
/// | `Id` | create or find it | no request | no request | no request |
/// | `Charge` | create or find it | read it | no request | no request |
/// | `Paid`, `Update` | create or find it | read it | read it | no request |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a program may handle each of the four queries")]
pub enum Query {
    /// The id. A charge that does not exist is created. A known id needs no request.
    Id,
    /// The data that never changes, such as the payment request. It is read once.
    Charge,
    /// Whether the charge is paid. The charge is read each time, until it is paid.
    Paid,
    /// The current data. The charge is created if it does not exist, and read unless it is paid.
    Update,
}

/// The state of a [`Mirror`](super::Mirror).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all five")]
pub enum State {
    /// No create was sent.
    Draft,
    /// A create may have been sent, and it is unknown whether the charge exists.
    InDoubt,
    /// Only the id is known.
    Known,
    /// The charge is known, and it was unpaid when it was last read.
    Pending,
    /// The charge is paid. This state is final.
    Paid,
}

/// The request that a [`Mirror`](super::Mirror) needs next.
///
/// [`Mirror::ask`](super::Mirror::ask) returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must handle both")]
pub enum NextRequest {
    /// Create the charge, or find it if it exists: run a [`CreateOnce`](crate::machine::CreateOnce)
    /// with these arguments.
    Once(NewCharge, CreateOnceOptions),
    /// Read the charge: run a [`Call`](crate::machine::Call) of a [`Get`](crate::Get).
    Get(ChargeId),
}

/// What a result changed in a [`Mirror`](super::Mirror).
///
/// ```
/// use strike_core::mirror::Change;
///
/// fn next_step(change: Change) -> &'static str {
///     match change {
///         Change::Paid => "complete the order, and save the mirror",
///         Change::Learned | Change::Refused => "save the mirror",
///         Change::Nothing => "nothing to do",
///         Change::InDoubt => "fetch again later",
///     }
/// }
/// # let _ = next_step;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle all of them")]
pub enum Change {
    /// Nothing changed: the data was known, or older than what is known.
    Nothing,
    /// The charge is known now, or its data is newer.
    Learned,
    /// The charge is paid, and this was not known before. Complete the order.
    Paid,
    /// The create was rejected. The mirror is a draft again.
    Refused,
    /// It is still unknown whether the charge exists.
    InDoubt,
}
