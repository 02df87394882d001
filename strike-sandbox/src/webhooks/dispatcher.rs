//! Sends due webhooks while the server runs.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::due::DueWebhook;
use super::post::post;
use crate::changes::next_change;
use crate::sandbox::Sandbox;

/// The largest number of webhooks that are sent at the same time. Further ones wait until one of
/// them ends.
const MAX_CONCURRENT: usize = 128;

/// Posts each webhook when it is due. The future never ends.
///
/// When the runtime shuts down, webhooks that are being sent count as having no response.
pub(crate) async fn dispatch(sandbox: Sandbox) {
    let mut changes = sandbox.service().changes().watch();
    let permits = Arc::new(Semaphore::new(MAX_CONCURRENT));
    // The semaphore is never closed, so this never ends.
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let due = next(&sandbox, &mut changes).await;
        tokio::spawn(async move {
            post(due).await;
            drop(permit);
        });
    }
}

/// Waits until a webhook is due and returns it.
async fn next(sandbox: &Sandbox, changes: &mut watch::Receiver<u64>) -> DueWebhook {
    loop {
        // A change after this line wakes the wait below, even if it happens before the wait starts.
        changes.mark_unchanged();
        if let Some(due) = sandbox.next_webhook() {
            return due;
        }
        next_change(changes, sandbox.until_next_webhook()).await;
    }
}
