//! Sends what is due, for as long as the server runs.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use super::due::DueWebhook;
use super::post::Poster;
use crate::sandbox::Sandbox;

/// How many are on their way at once. More wait, so a receiver that never answers holds up the others only when so many
/// hang.
const MOST_AT_ONCE: usize = 128;

/// Posts each webhook when it is due, until it is dropped; those on their way are then unanswered.
pub(crate) async fn dispatch(sandbox: Sandbox, poster: Poster) {
    let mut changes = sandbox.service().changes().watch();
    let poster = Arc::new(poster);
    let room = Arc::new(Semaphore::new(MOST_AT_ONCE));
    // Nobody closes the semaphore, so there is always room in the end.
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        let due = next(&sandbox, &mut changes).await;
        let poster = Arc::clone(&poster);
        tokio::spawn(async move {
            poster.post(due).await;
            drop(place);
        });
    }
}

/// The next webhook, when it is due.
async fn next(sandbox: &Sandbox, changes: &mut watch::Receiver<u64>) -> DueWebhook {
    loop {
        // What changes after this line wakes the wait below, even if it is before the wait begins.
        changes.mark_unchanged();
        if let Some(due) = sandbox.next_webhook() {
            return due;
        }
        let moment = sandbox.until_next_webhook();
        let moved = changes.changed();
        match moment {
            Some(wait) => tokio::select! {
                _ = moved => {}
                () = sleep(wait) => {}
            },
            // Its sender lives as long as the sandbox, so this is a change.
            None => drop(moved.await),
        }
    }
}
