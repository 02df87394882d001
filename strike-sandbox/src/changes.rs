//! Tells whoever waits that the service is no longer what it was: a charge more, a charge paid, a clock moved.

#[cfg(feature = "server")]
use tokio::sync::watch;

/// Counts the changes of a service, and wakes those who watch the count. Without a server nobody does.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    #[cfg(feature = "server")]
    count: watch::Sender<u64>,
}

impl Changes {
    /// Something changed.
    pub(crate) fn announce(&self) {
        #[cfg(feature = "server")]
        self.count.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Learns of every change from now on; several that come close together may be told as one.
    #[cfg(feature = "server")]
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }

    /// How many changes there were.
    #[cfg(feature = "server")]
    pub(crate) fn count(&self) -> u64 {
        *self.count.borrow()
    }

    /// How many watch.
    #[cfg(feature = "server")]
    pub(crate) fn watchers(&self) -> usize {
        self.count.receiver_count()
    }
}
