//! The loop that waits for core's watcher.

use std::future::pending;

use strike_async::Watch;
use tokio::sync::mpsc;

use super::decide::Found;
use super::queue::Work;
use super::session::Session;
use crate::metrics;

impl Session<'_> {
    /// Passes on how watched charges end, until the session is over.
    pub(super) async fn watch(&self, mut watch: Watch, queue: mpsc::Sender<Work>) {
        let mut over = self.over.subscribe();
        loop {
            let event = tokio::select! {
                _ = over.wait_for(|over| *over) => return,
                event = watch.next() => event,
            };
            match event {
                Some(Ok(event)) => {
                    let (id, found) = Found::of(event);
                    // An error means that nobody works any more. Then the charge is still pending.
                    let _ = queue.send(Work::End(id, found)).await;
                }
                Some(Err(error)) => {
                    metrics::watch_failed();
                    tracing::warn!(%error, "the host cannot be asked about pending charges; trying again");
                }
                // The session has a handle, so the watch does not end.
                None => pending().await,
            }
        }
    }
}
