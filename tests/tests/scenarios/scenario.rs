//! The parts of a scenario: actions, expected results and injected faults.

use std::ops::RangeInclusive;
use std::time::Duration;

use strike_core::{
    Advice, ApiError, Attempt, Charge, CreateOutcome, Delivery, Error, ErrorKind, NewCharge, Page,
    TransportErrorKind, Wait, WaitOutcome,
};

/// One row of the table.
pub struct Scenario {
    /// The behaviour that the scenario shows.
    pub name: &'static str,
    /// Whether the client has the account's key.
    pub key: Key,
    /// The faults, each with the number of the exchange that it affects, from 1.
    pub faults: Vec<(usize, Fault)>,
    /// The actions, in order, each with its expected result.
    pub steps: Vec<(Action, Expected)>,
    /// How many requests the client sends.
    pub sends: usize,
    /// How many of them reach the sandbox.
    pub arrive: u64,
    /// How many charges exist at the end.
    pub charges: usize,
    /// How many seconds the scenario takes.
    pub lasts: RangeInclusive<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Right,
    Wrong,
}

/// One action. A charge is identified by its index, in the order of creation.
pub enum Action {
    Create(NewCharge),
    Get(usize),
    GetUnknown,
    List(u32),
    ListOf {
        page: u32,
        size: u32,
    },
    Wait(usize, Wait),
    /// Creates a charge once, under the name of an order.
    Once(NewCharge, &'static str),
    /// Fetches a lazy charge with a fixed order key until it is known whether the charge is paid.
    LazyPaid(NewCharge),
    ListAll,
    /// Watches all created charges until none is pending.
    Watch,
    /// Confirms a webhook for a charge.
    Confirm(usize),
    /// Pays a charge now.
    Pay(usize),
    /// Pays a charge after the client has waited this long.
    PayIn(usize, Duration),
}

/// The expected result of an action, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Unpaid,
    Paid,
    Rows(usize),
    ToPay,
    /// The numbers of paid and of expired charges.
    Ended(usize, usize),
    WaitedPaid,
    StillPayable,
    Expired,
    /// The name of the error's kind, and the status of the last response, if any.
    Fails(&'static str, Option<u16>),
    Nothing,
}

/// A fault that replaces the normal response.
#[derive(Clone)]
pub enum Fault {
    /// The transport fails. The request still arrives, unless the fault says that it was not sent.
    Fails(TransportErrorKind, Delivery),
    /// Something between client and server sends this response.
    Instead { status: u16, header: (&'static str, &'static str), body: &'static str },
}

impl Fault {
    /// Returns true if the relay can produce this fault. The others need a real network or a long
    /// timeout.
    pub fn works_on_loopback(&self) -> bool {
        use TransportErrorKind::{Closed, Cut};
        matches!(self, Self::Instead { .. } | Self::Fails(Closed | Cut, Delivery::MaybeSent))
    }
}

/// The full result of an action, which must be the same for every driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionResult {
    Charge(Charge),
    Page(Page),
    Waited(WaitOutcome),
    Made(CreateOutcome),
    Charges(Vec<Charge>),
    /// The ids of the paid and of the expired charges, in order.
    Ended(Vec<String>, Vec<String>),
    Failed {
        kind: ErrorKind,
        status: Option<u16>,
        api: Option<ApiError>,
        excerpt: Option<String>,
        advice: Advice,
        attempts: Vec<Attempt>,
    },
    Nothing,
}

impl ActionResult {
    pub fn of<T>(result: Result<T, Error>, on_success: impl FnOnce(T) -> Self) -> Self {
        match result {
            Ok(output) => on_success(output),
            Err(error) => Self::Failed {
                kind: error.kind().clone(),
                status: error.status(),
                api: error.api().cloned(),
                excerpt: error.excerpt().map(str::to_owned),
                advice: error.advice(),
                attempts: error.attempts().to_vec(),
            },
        }
    }

    pub fn in_brief(&self) -> Expected {
        match self {
            Self::Charge(charge) if charge.is_paid() => Expected::Paid,
            Self::Charge(_) => Expected::Unpaid,
            Self::Page(page) => Expected::Rows(page.rows()),
            Self::Waited(WaitOutcome::Paid(_)) => Expected::WaitedPaid,
            Self::Waited(WaitOutcome::Payable(_)) => Expected::StillPayable,
            Self::Waited(WaitOutcome::Expired(_)) => Expected::Expired,
            Self::Made(CreateOutcome::Payable(_)) => Expected::ToPay,
            Self::Made(CreateOutcome::Paid(_)) => Expected::Paid,
            Self::Made(CreateOutcome::Expired { .. }) => Expected::Expired,
            Self::Charges(charges) => Expected::Rows(charges.len()),
            Self::Ended(paid, expired) => Expected::Ended(paid.len(), expired.len()),
            Self::Failed { kind, status, .. } => Expected::Fails(name(kind), *status),
            Self::Nothing => Expected::Nothing,
        }
    }
}

fn name(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidInput(_) => "InvalidInput",
        ErrorKind::Connection { .. } => "Connection",
        ErrorKind::OutcomeUnknown => "OutcomeUnknown",
        ErrorKind::Unauthorized => "Unauthorized",
        ErrorKind::NotFound => "NotFound",
        ErrorKind::BadRequest => "BadRequest",
        ErrorKind::RateLimited { .. } => "RateLimited",
        ErrorKind::Server => "Server",
        ErrorKind::Redirected => "Redirected",
        ErrorKind::Undecodable => "Undecodable",
        _ => "another kind",
    }
}
