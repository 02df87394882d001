//! `Signal`: what changed, told to the tasks of this process at once.

use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::timeout;

/// Something changed in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// There is work for a runner, such as a charge that no instance watches.
    Work,
    /// The order with this name changed.
    Order(String),
}

impl Change {
    /// Returns the payload of a notification.
    pub(crate) fn payload(&self) -> String {
        match self {
            Self::Work => "work".to_owned(),
            Self::Order(name) => format!("order {name}"),
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn parse(payload: &str) -> Self {
        payload.strip_prefix("order ").map_or(Self::Work, |name| Self::Order(name.to_owned()))
    }
}

/// Tells the tasks of this process what changed.
#[derive(Debug, Clone)]
pub(crate) struct Signal(broadcast::Sender<Change>);

impl Signal {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(1024))
    }

    pub(crate) fn send(&self, change: Change) {
        // An error means that nobody waits.
        let _ = self.0.send(change);
    }

    pub(crate) fn subscribe(&self) -> Changes {
        Changes(self.0.subscribe())
    }
}

/// The changes since it was created.
#[derive(Debug)]
pub(crate) struct Changes(broadcast::Receiver<Change>);

impl Changes {
    /// Waits for a change that matters, at most this long.
    pub(crate) async fn wait(&mut self, at_most: Duration, mut matters: impl FnMut(&Change) -> bool) {
        let change = async {
            loop {
                match self.0.recv().await {
                    Ok(change) if !matters(&change) => {}
                    // Too many changes to keep: one of them may matter.
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        let _ = timeout(at_most, change).await;
    }
}
