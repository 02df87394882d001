//! Listens to the notifications of other instances. PostgreSQL only.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::task::JoinHandle;

use crate::signal::{Change, Signal};
use crate::store::Store;

/// How long to wait before a listener connects again.
const RECONNECT: Duration = Duration::from_secs(1);

/// Starts a task that forwards notifications, or none on SQLite.
pub(crate) fn spawn(store: &Store, signal: &Signal) -> Option<JoinHandle<()>> {
    match store {
        #[cfg(feature = "sqlite")]
        Store::Sqlite { .. } => None,
        Store::Postgres(pool) => {
            let (pool, signal) = (pool.clone(), signal.clone());
            Some(tokio::spawn(async move {
                loop {
                    let error = forward(&pool, &signal).await;
                    tracing::warn!(%error, "the database connection for notifications was lost; orders are polled until it is back");
                    tokio::time::sleep(RECONNECT).await;
                }
            }))
        }
    }
}

/// Forwards notifications until the connection fails.
async fn forward(pool: &sqlx::PgPool, signal: &Signal) -> sqlx::Error {
    let listen = async {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen("strike_orders").await?;
        Ok(listener)
    };
    let mut listener = match listen.await {
        Ok(listener) => listener,
        Err(error) => return error,
    };
    loop {
        match listener.try_recv().await {
            Ok(Some(notification)) => signal.send(Change::parse(notification.payload())),
            // Connected again. Notifications may have been missed.
            Ok(None) => signal.send(Change::Work),
            Err(error) => return error,
        }
    }
}
