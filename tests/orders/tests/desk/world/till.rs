//! The shop's own handler: it books sales in its own table, and fails on demand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use strike_orders::{Connection, Event, HandlerError, Transaction};

use super::Gate;

/// What goes wrong in one call of the handler, after it has booked the sale.
#[derive(Debug, Clone)]
pub enum Trouble {
    Error(String),
    Panic(String),
    /// Waits at a gate, and then succeeds.
    Wait(Gate),
}

/// Books each event in the table `sales`. Clones share the troubles.
#[derive(Debug, Clone, Default)]
pub struct Till(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    calls: usize,
    troubles: VecDeque<Trouble>,
}

impl Till {
    /// Returns a handler whose first calls go wrong.
    pub fn with(troubles: impl IntoIterator<Item = Trouble>) -> Self {
        Self(Arc::new(Mutex::new(Inner { calls: 0, troubles: troubles.into_iter().collect() })))
    }

    /// Returns how often the handler was called.
    pub fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    pub async fn handle(&self, event: &Event, tx: &mut Transaction) -> Result<(), HandlerError> {
        let trouble = {
            let mut inner = self.0.lock().unwrap();
            inner.calls += 1;
            inner.troubles.pop_front()
        };
        book(event, tx).await?;
        match trouble {
            None => Ok(()),
            Some(Trouble::Error(text)) => Err(text.into()),
            Some(Trouble::Panic(text)) => panic!("{text}"),
            Some(Trouble::Wait(gate)) => {
                gate.pass().await;
                Ok(())
            }
        }
    }
}

async fn book(event: &Event, tx: &mut Transaction) -> Result<(), sqlx::Error> {
    const SQL: &str = "INSERT INTO sales (kind, name, attempt) VALUES ($1, $2, $3)";
    let (order, kind) = (event.order(), event.kind().as_str());
    let attempt = i64::from(order.attempt());
    match tx.connection() {
        Connection::Sqlite(c) => {
            sqlx::query(SQL).bind(kind).bind(order.name()).bind(attempt).execute(c).await.map(drop)
        }
        Connection::Postgres(c) => {
            sqlx::query(SQL).bind(kind).bind(order.name()).bind(attempt).execute(c).await.map(drop)
        }
    }
}
