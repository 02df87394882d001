//! Notifies watchers of changes to the service, such as a new charge, a payment or a moved clock.

#[cfg(feature = "server")]
use std::time::Duration;

#[cfg(feature = "server")]
use tokio::sync::watch;
#[cfg(feature = "server")]
use tokio::time::sleep;

/// Counts the changes of a service and wakes the watchers. Only a server has watchers.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    #[cfg(feature = "server")]
    count: watch::Sender<u64>,
}

impl Changes {
    /// Counts a change and wakes all watchers.
    pub(crate) fn announce(&self) {
        #[cfg(feature = "server")]
        self.count.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Returns a receiver for future changes. It may report several changes as one.
    #[cfg(feature = "server")]
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }

    /// Returns the number of changes so far.
    #[cfg(feature = "server")]
    pub(crate) fn count(&self) -> u64 {
        *self.count.borrow()
    }

    /// Returns the number of watchers.
    #[cfg(feature = "server")]
    pub(crate) fn watchers(&self) -> usize {
        self.count.receiver_count()
    }
}

/// Waits for the next change, at most for this time. `None` waits for a change only.
#[cfg(feature = "server")]
pub(crate) async fn next_change(changes: &mut watch::Receiver<u64>, time_left: Option<Duration>) {
    let change = changes.changed();
    match time_left {
        Some(time_left) => tokio::select! {
            _ = change => {}
            () = sleep(time_left) => {}
        },
        // Cannot fail: the sandbox owns the sender.
        None => drop(change.await),
    }
}
