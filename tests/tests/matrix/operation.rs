//! The operations, with both adapters, and their outcomes in the notation of the table.

use std::time::Duration;

use strike_core::http::Method;
use strike_core::{Charge, CreateOutcome, Error, ErrorKind, Event, Page, RetryPolicy, Wait, WaitOutcome};
use strike_tests::AnyClient;

use crate::world::{World, order};

/// The order key of all calls of `create_once`.
pub const KEY: &str = "order-17";

/// An operation of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `create`. The fault prevents the request from reaching the service.
    CreateLost,
    /// `create`. The service stores the charge, and then the fault happens.
    CreateStored,
    Get,
    List,
    /// `wait_until_paid`. The order is paid before the call.
    Wait,
    /// `watch` with three charges, of which one is paid before the call.
    Watch,
    /// `create_once`. The fault prevents its create from reaching the service.
    OnceLost,
    /// `create_once`. The service stores the charge, and then the fault happens.
    OnceStored,
    /// Like `OnceStored`, with a list that lags by 3 s. If the call fails, it is repeated at once.
    OnceLagging,
}

impl Operation {
    pub const ALL: [Self; 9] = [
        Self::CreateLost,
        Self::CreateStored,
        Self::Get,
        Self::List,
        Self::Wait,
        Self::Watch,
        Self::OnceLost,
        Self::OnceStored,
        Self::OnceLagging,
    ];

    /// The method of the request that the fault affects.
    pub fn method(self) -> Method {
        if self.creates() { Method::POST } else { Method::GET }
    }

    pub fn creates(self) -> bool {
        matches!(self, Self::CreateLost | Self::CreateStored) || self.once()
    }

    pub fn once(self) -> bool {
        matches!(self, Self::OnceLost | Self::OnceStored | Self::OnceLagging)
    }

    /// Returns true if the create reaches the service before the fault happens.
    pub fn stores(self) -> bool {
        matches!(self, Self::CreateStored | Self::OnceStored | Self::OnceLagging)
    }

    /// The lag of the list.
    pub fn list_lag(self) -> Duration {
        if matches!(self, Self::OnceLagging) { Duration::from_secs(3) } else { Duration::ZERO }
    }

    /// Returns true if the operation continues until the invoice expires.
    pub fn waits(self) -> bool {
        matches!(self, Self::Wait | Self::Watch)
    }
}

/// Three attempts and a body limit of 256 KiB. Only faults that hang get a shorter timeout, so that
/// a slow machine does not cause failures.
pub fn policy() -> RetryPolicy {
    RetryPolicy::default().timeout(Duration::from_secs(30)).max_body(1 << 18)
}

/// The value that an operation returned.
pub enum Value {
    Charge(Charge),
    Page(Page),
    Waited(WaitOutcome),
    Event(Option<Event>),
    Made(CreateOutcome),
}

/// How many failures in a row a wait and a watch tolerate.
const TOLERATED: u32 = 1;

/// Runs an operation.
pub fn run(client: &dyn AnyClient, operation: Operation, world: &World) -> Result<Value, Error> {
    Ok(match operation {
        Operation::CreateLost | Operation::CreateStored => Value::Charge(client.create(order())?),
        Operation::Get => Value::Charge(client.get(world.order().id())?),
        Operation::List => Value::Page(client.list(0)?),
        Operation::Wait => {
            let wait = Wait::until_expiry().max_failures(TOLERATED);
            Value::Waited(client.wait_until_paid(world.order(), wait)?)
        }
        Operation::Watch => Value::Event(client.first_event(&world.charges, TOLERATED)?),
        Operation::OnceLost | Operation::OnceStored => Value::Made(client.create_once(order(), KEY)?),
        Operation::OnceLagging => {
            let first = client.create_once(order(), KEY);
            Value::Made(first.or_else(|_| client.create_once(order(), KEY))?)
        }
    })
}

impl Value {
    /// Returns the charge that the value reports as paid.
    pub fn paid(&self) -> Option<&Charge> {
        let charge = match self {
            Self::Charge(charge) => charge,
            Self::Page(page) => return page.charges().find(|charge| charge.is_paid()),
            Self::Waited(waited) => waited.charge(),
            Self::Event(Some(Event::Paid(charge))) => charge,
            Self::Event(_) => return None,
            Self::Made(outcome) => outcome.charge(),
        };
        let reported_paid = matches!(self, Self::Waited(WaitOutcome::Paid(_)) | Self::Event(_));
        Some(charge).filter(|charge| charge.is_paid() || reported_paid)
    }
}

/// Formats an outcome in the notation of the table: the value, or the error's kind and advice.
pub fn outcome_text_of(outcome: &Result<Value, Error>) -> String {
    match outcome {
        Ok(Value::Charge(charge)) if charge.is_paid() => "paid charge".to_owned(),
        Ok(Value::Charge(_)) => "charge".to_owned(),
        Ok(Value::Page(page)) => match page.unreadable().count() {
            0 => format!("{} charges", page.charges().count()),
            bad => format!("{} charges and {bad} unreadable", page.charges().count()),
        },
        Ok(Value::Waited(WaitOutcome::Paid(_)) | Value::Event(Some(Event::Paid(_)))) => "Paid".to_owned(),
        Ok(Value::Waited(WaitOutcome::Payable(_))) => "Payable".to_owned(),
        Ok(Value::Waited(WaitOutcome::Expired(_)) | Value::Event(Some(Event::Expired(_)))) => {
            "Expired".to_owned()
        }
        Ok(Value::Event(Some(Event::Failed(_, error)))) => format!("Failed with {}", failure(error)),
        Ok(Value::Event(None)) => "nothing".to_owned(),
        Ok(Value::Made(CreateOutcome::Payable(_))) => "Payable".to_owned(),
        Ok(Value::Made(CreateOutcome::Paid(_))) => "Paid".to_owned(),
        Ok(Value::Made(CreateOutcome::Expired { .. })) => "Expired".to_owned(),
        Err(error) => failure(error),
    }
}

fn failure(error: &Error) -> String {
    let kind = match error.kind() {
        ErrorKind::Connection { kind, delivery } => format!("{kind:?}/{delivery:?}"),
        kind => format!("{kind:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
    };
    format!("{kind} {:?}", error.advice())
}
