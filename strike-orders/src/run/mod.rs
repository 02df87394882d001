//! Running a desk: a lease, a watcher, and a handler that is told how each order ended.
//!
//! `session.rs` joins three loops while a lease is valid: `tick.rs` looks into the database with `look.rs`, `watch.rs`
//! waits for core's watcher, and `work.rs` does what the two have put into the queue. `finish.rs` is the
//! transaction in which an order ends, and `decide.rs` says how.

mod decide;
mod finish;
mod look;
mod queue;
mod session;
mod share;
mod tick;
mod watch;
mod work;

use std::time::Duration;

use crate::desk::Desk;
use crate::error::{Error, HandlerError};
use crate::event::Event;
use crate::run::session::{Over, Session};
use crate::store::Transaction;

/// How long to wait after the database could not be reached.
const DATABASE_PAUSE: Duration = Duration::from_secs(1);

impl Desk {
    /// Watches the pending orders of this instance's share, and tells the handler how each ended.
    ///
    /// It runs until [`stop`](Self::stop) is called. Then it finishes the handlers that have begun,
    /// and gives its orders to the other instances.
    ///
    /// **The transaction.** Write to your own tables with `tx`. The desk writes the end of the order
    /// in the same transaction: both are committed, or neither. If the handler returns an error,
    /// panics or takes too long, the transaction is rolled back. The event is handled again after 1 s,
    /// then at growing intervals up to 5 minutes. The table `strike_charges` shows the error.
    ///
    /// What the handler does outside the transaction can happen more than once, such as sending a
    /// mail. Do not call the desk from the handler: on SQLite it waits for this transaction.
    ///
    /// **Other instances.** Each order is watched by one instance. If an instance dies, its lease
    /// lapses, and others take over. Even if two instances see the same payment, it is handled once.
    ///
    /// **Failures.** If the database or the host cannot be reached, `run` tries again for as long as
    /// it takes. It logs a warning with `tracing`.
    ///
    /// If you drop the future, its lease lapses. To pass the future to `tokio::spawn`, write the handler
    /// as `async move`:
    ///
    /// ```no_run
    /// # use strike_orders::Desk;
    /// # fn spawn(desk: &Desk) {
    /// let runner = desk.clone();
    /// tokio::spawn(async move { runner.run(async move |event, _tx| Ok(println!("{event:?}"))).await });
    /// # }
    /// ```
    ///
    /// ```no_run
    /// use strike_orders::{Desk, Error, Event, sqlx};
    ///
    /// async fn run(desk: Desk) -> Result<(), Error> {
    ///     desk.run(async |event, tx| {
    ///         if let Event::Paid { order, charge } = event {
    ///             sqlx::query("INSERT INTO sales (name, satoshi) VALUES ($1, $2)")
    ///                 .bind(order.name())
    ///                 .bind(charge.amount().get() as i64)
    ///                 .execute(tx.sqlite()?)
    ///                 .await?;
    ///         }
    ///         Ok(())
    ///     })
    ///     .await
    /// }
    /// # let _ = run;
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::AlreadyRunning`] if the desk, or a clone of it, is running.
    pub async fn run<H>(&self, handler: H) -> Result<(), Error>
    where
        H: AsyncFn(Event, &mut Transaction) -> Result<(), HandlerError>,
    {
        let _running = self.inner().runner.start()?;
        let mut stopping = self.inner().runner.stopping.subscribe();
        while !*stopping.borrow_and_update() {
            let session = tokio::select! {
                session = Session::begin(self) => session,
                _ = stopping.wait_for(|stopping| *stopping) => break,
            };
            let is_over = match session {
                Ok((session, watch)) => session.run(watch, &handler).await,
                Err(error) => {
                    tracing::warn!(%error, "no lease could be taken; trying again");
                    Over::Broken
                }
            };
            if is_over == Over::Broken {
                let stop = stopping.wait_for(|stopping| *stopping);
                let _ = tokio::time::timeout(DATABASE_PAUSE, stop).await;
            }
        }
        Ok(())
    }

    /// Makes [`run`](Self::run) return, on this desk and its clones in this process.
    ///
    /// If the desk does not run yet, the next `run` returns at once.
    pub fn stop(&self) {
        self.inner().runner.stopping.send_replace(true);
    }
}
