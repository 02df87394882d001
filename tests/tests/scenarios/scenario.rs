//! What a scenario is made of: things to ask for, what should be seen, and what goes wrong on the way.

use std::ops::RangeInclusive;
use std::time::Duration;

use strike_core::{
    Advice, ApiError, Attempt, Charge, CreateOutcome, Delivery, Error, ErrorKind, NewCharge, Page,
    TransportErrorKind, Wait, WaitOutcome,
};

/// One row of the table.
pub struct Scenario {
    /// What it shows.
    pub name: &'static str,
    /// Whether the client's key is the account's.
    pub key: Key,
    /// What goes wrong in which exchange, counted from 1.
    pub faults: Vec<(usize, Fault)>,
    /// What is asked, one thing after the other, and what is seen.
    pub steps: Vec<(Ask, Sees)>,
    /// How many requests leave the client.
    pub sends: usize,
    /// How many of them the service sees.
    pub arrive: u64,
    /// How many charges there are in the end.
    pub charges: usize,
    /// How many seconds it takes.
    pub lasts: RangeInclusive<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Right,
    Wrong,
}

/// Charges are named by the order in which they were made, from 0.
pub enum Ask {
    Create(NewCharge),
    Get(usize),
    GetUnknown,
    List(u32),
    ListOf {
        page: u32,
        size: u32,
    },
    Wait(usize, Wait),
    /// Under the name of an order.
    Once(NewCharge, &'static str),
    /// A lazy charge with a key that is always the same, asked for whether it is paid.
    LazyPaid(NewCharge),
    ListAll,
    /// Watches all charges that were made, until none is pending.
    Watch,
    /// A webhook comes about a charge.
    Confirm(usize),
    /// The payer pays now.
    Pay(usize),
    /// The payer will have paid after so much waiting.
    PayIn(usize, Duration),
}

/// What is seen, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sees {
    Unpaid,
    Paid,
    Rows(usize),
    ToPay,
    /// So many were paid, so many expired.
    Ended(usize, usize),
    WaitedPaid,
    StillPayable,
    Expired,
    /// The kind's name, and the status of the last answer if there was one.
    Fails(&'static str, Option<u16>),
    Nothing,
}

/// What happens to an exchange instead of what should.
#[derive(Clone)]
pub enum Fault {
    /// No answer. The request arrives all the same, unless it is known to be unsent.
    Fails(TransportErrorKind, Delivery),
    /// Something on the way answers by itself.
    Instead { status: u16, header: (&'static str, &'static str), body: &'static str },
}

impl Fault {
    /// Whether a server on this machine can do that. The others need a network, or somebody to wait for it.
    pub fn works_on_loopback(&self) -> bool {
        use TransportErrorKind::{Closed, Cut};
        matches!(self, Self::Instead { .. } | Self::Fails(Closed | Cut, Delivery::MaybeSent))
    }
}

/// What is seen, in full: to be equal whichever way it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Charge(Charge),
    Page(Page),
    Waited(WaitOutcome),
    Made(CreateOutcome),
    Charges(Vec<Charge>),
    /// The ids of those paid and those expired, in order.
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

impl Told {
    pub fn of<T>(result: Result<T, Error>, good: impl FnOnce(T) -> Self) -> Self {
        match result {
            Ok(output) => good(output),
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

    pub fn in_short(&self) -> Sees {
        match self {
            Self::Charge(charge) if charge.is_paid() => Sees::Paid,
            Self::Charge(_) => Sees::Unpaid,
            Self::Page(page) => Sees::Rows(page.rows()),
            Self::Waited(WaitOutcome::Paid(_)) => Sees::WaitedPaid,
            Self::Waited(WaitOutcome::Payable(_)) => Sees::StillPayable,
            Self::Waited(WaitOutcome::Expired(_)) => Sees::Expired,
            Self::Made(CreateOutcome::Payable(_)) => Sees::ToPay,
            Self::Made(CreateOutcome::Paid(_)) => Sees::Paid,
            Self::Made(CreateOutcome::Expired { .. }) => Sees::Expired,
            Self::Charges(charges) => Sees::Rows(charges.len()),
            Self::Ended(paid, expired) => Sees::Ended(paid.len(), expired.len()),
            Self::Failed { kind, status, .. } => Sees::Fails(name(kind), *status),
            Self::Nothing => Sees::Nothing,
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
        ErrorKind::RateLimited { .. } => "RateLimited",
        ErrorKind::Server => "Server",
        ErrorKind::Redirected => "Redirected",
        ErrorKind::Undecodable => "Undecodable",
        _ => "another kind",
    }
}
