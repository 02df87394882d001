//! The operations, through both adapters, and what they come back with in the table's words.

use std::time::Duration;

use strike_core::http::Method;
use strike_core::{Charge, CreateOutcome, Error, ErrorKind, Event, Page, RetryPolicy, Wait, WaitOutcome};

use crate::world::{World, order};

/// The order key of everything that is created once.
pub const KEY: &str = "order-17";

/// What is asked of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `create`; the service never hears of it.
    CreateLost,
    /// `create`; the service makes the charge, and then the fault strikes.
    CreateStored,
    Get,
    List,
    /// `wait_until_paid`; the order has been paid meanwhile.
    Wait,
    /// `watch` over three charges, of which one has been paid meanwhile.
    Watch,
    /// `create_once`; its create is not heard of.
    OnceLost,
    /// `create_once`; its create makes the charge, and then the fault strikes.
    OnceStored,
    /// The same, with a list that lags 3 s behind, and called again at once if it fails.
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

    /// Which of its requests meets the fault: the first with this method.
    pub fn method(self) -> Method {
        if self.creates() { Method::POST } else { Method::GET }
    }

    pub fn creates(self) -> bool {
        matches!(self, Self::CreateLost | Self::CreateStored) || self.once()
    }

    pub fn once(self) -> bool {
        matches!(self, Self::OnceLost | Self::OnceStored | Self::OnceLagging)
    }

    /// Whether the service hears of a create before the fault strikes.
    pub fn stores(self) -> bool {
        matches!(self, Self::CreateStored | Self::OnceStored | Self::OnceLagging)
    }

    /// How far the list is behind.
    pub fn list_lag(self) -> Duration {
        if matches!(self, Self::OnceLagging) { Duration::from_secs(3) } else { Duration::ZERO }
    }

    /// Whether it goes on for as long as an invoice can be paid.
    pub fn waits(self) -> bool {
        matches!(self, Self::Wait | Self::Watch)
    }
}

/// Three attempts, and a body of a quarter of a mebibyte. Only what hangs is shortened, so that a busy machine fails nothing.
pub fn policy() -> RetryPolicy {
    RetryPolicy::default().timeout(Duration::from_secs(30)).max_body(1 << 18)
}

/// What an operation came back with.
pub enum Got {
    Charge(Charge),
    Page(Page),
    Waited(WaitOutcome),
    Event(Option<Event>),
    Made(CreateOutcome),
}

fn wait() -> Wait {
    Wait::until_expiry().max_failures(1)
}

pub fn blocking(client: &strike_blocking::Client, operation: Operation, world: &World) -> Result<Got, Error> {
    Ok(match operation {
        Operation::CreateLost | Operation::CreateStored => Got::Charge(client.create(order())?),
        Operation::Get => Got::Charge(client.get(world.order().id())?),
        Operation::List => Got::Page(client.list(0)?),
        Operation::Wait => Got::Waited(client.wait_until_paid(world.order(), wait())?),
        Operation::Watch => {
            let mut watcher = client.watcher().max_failures(1);
            world.charges.iter().for_each(|charge| watcher.add(charge));
            Got::Event(client.watch(watcher).next().transpose()?)
        }
        Operation::OnceLost | Operation::OnceStored => Got::Made(client.create_once(order(), KEY)?),
        Operation::OnceLagging => {
            let first = client.create_once(order(), KEY);
            Got::Made(first.or_else(|_| client.create_once(order(), KEY))?)
        }
    })
}

pub async fn asynchronous(
    client: &strike_async::Client,
    operation: Operation,
    world: &World,
) -> Result<Got, Error> {
    Ok(match operation {
        Operation::CreateLost | Operation::CreateStored => Got::Charge(client.create(order()).await?),
        Operation::Get => Got::Charge(client.get(world.order().id()).await?),
        Operation::List => Got::Page(client.list(0).await?),
        Operation::Wait => Got::Waited(client.wait_until_paid(world.order(), wait()).await?),
        Operation::Watch => {
            let mut watcher = client.watcher().max_failures(1);
            world.charges.iter().for_each(|charge| watcher.add(charge));
            Got::Event(client.watch(watcher).next().await.transpose()?)
        }
        Operation::OnceLost | Operation::OnceStored => Got::Made(client.create_once(order(), KEY).await?),
        Operation::OnceLagging => Got::Made(match client.create_once(order(), KEY).await {
            Ok(made) => made,
            Err(_) => client.create_once(order(), KEY).await?,
        }),
    })
}

impl Got {
    /// The charge that it says is paid.
    pub fn paid(&self) -> Option<&Charge> {
        let charge = match self {
            Self::Charge(charge) => charge,
            Self::Page(page) => return page.charges().find(|charge| charge.is_paid()),
            Self::Waited(waited) => waited.charge(),
            Self::Event(Some(Event::Paid(charge))) => charge,
            Self::Event(_) => return None,
            Self::Made(outcome) => outcome.charge(),
        };
        let told_paid = matches!(self, Self::Waited(WaitOutcome::Paid(_)) | Self::Event(_));
        Some(charge).filter(|charge| charge.is_paid() || told_paid)
    }
}

/// The outcome in the table's words: the value, or the error's kind and advice.
pub fn in_words(outcome: &Result<Got, Error>) -> String {
    match outcome {
        Ok(Got::Charge(charge)) if charge.is_paid() => "paid charge".to_owned(),
        Ok(Got::Charge(_)) => "charge".to_owned(),
        Ok(Got::Page(page)) => match page.unreadable().count() {
            0 => format!("{} charges", page.charges().count()),
            bad => format!("{} charges and {bad} unreadable", page.charges().count()),
        },
        Ok(Got::Waited(WaitOutcome::Paid(_)) | Got::Event(Some(Event::Paid(_)))) => "Paid".to_owned(),
        Ok(Got::Waited(WaitOutcome::Payable(_))) => "Payable".to_owned(),
        Ok(Got::Waited(WaitOutcome::Expired(_)) | Got::Event(Some(Event::Expired(_)))) => {
            "Expired".to_owned()
        }
        Ok(Got::Event(Some(Event::Failed(_, error)))) => format!("Failed with {}", failure(error)),
        Ok(Got::Event(None)) => "nothing".to_owned(),
        Ok(Got::Made(CreateOutcome::Payable(_))) => "Payable".to_owned(),
        Ok(Got::Made(CreateOutcome::Paid(_))) => "Paid".to_owned(),
        Ok(Got::Made(CreateOutcome::Expired { .. })) => "Expired".to_owned(),
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
