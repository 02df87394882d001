//! Limits the number of open connections: when it is reached, the one that has been idle longest is closed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

/// How far the current request on a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The server waits for a request's head: for the first request, or for the rest of a later one.
    ReadingHead,
    /// The head was read. The server waits for the body.
    ReadingBody,
    /// The request was read. The response is not written yet.
    Responding,
    /// The response was handed to hyper, and its last bytes are not flushed yet.
    Flushing,
    /// The response was sent, and no byte of another request has arrived.
    Idle,
}

impl Stage {
    /// Returns true if the server waits for the client.
    const fn waits_for_client(self) -> bool {
        matches!(self, Self::ReadingHead | Self::ReadingBody | Self::Idle)
    }
}

/// The open connections of a server, at most `limit` of them.
pub(super) struct ConnectionLimit {
    limit: usize,
    /// Counts new connections and changes of stage. It serves as a clock: a lower value is longer ago.
    ticks: AtomicU64,
    open: Mutex<BTreeMap<u64, Entry>>,
}

struct Entry {
    progress: Arc<Progress>,
    task: Option<AbortHandle>,
}

/// The stage of a connection and the tick of its last change, in one number: the stage in the lowest
/// bits. Every request changes it several times, so that takes no lock.
struct Progress(AtomicU64);

const STAGE_BITS: u32 = 3;

impl Progress {
    const fn number(stage: Stage, since: u64) -> u64 {
        since << STAGE_BITS | stage as u64
    }

    fn get(&self) -> (Stage, u64) {
        let number = self.0.load(Ordering::Relaxed);
        let stage = match number % (1 << STAGE_BITS) {
            0 => Stage::ReadingHead,
            1 => Stage::ReadingBody,
            2 => Stage::Responding,
            3 => Stage::Flushing,
            _ => Stage::Idle,
        };
        (stage, number >> STAGE_BITS)
    }
}

/// A connection's slot within the limit. Dropping it frees the slot.
pub(super) struct Slot {
    connections: Arc<ConnectionLimit>,
    number: u64,
    progress: Arc<Progress>,
}

impl ConnectionLimit {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, ticks: AtomicU64::new(0), open: Mutex::default() })
    }

    /// Takes a slot for a new connection.
    ///
    /// At the limit, this closes the connection whose last change of stage is longest ago. Connections that wait
    /// for their client are closed first; one with a response under way is closed only if there is no other.
    pub(super) fn acquire(self: &Arc<Self>) -> Arc<Slot> {
        let mut open = self.lock();
        while open.len() >= self.limit {
            let age = |entry: &Entry| {
                let (stage, since) = entry.progress.get();
                (!stage.waits_for_client(), since)
            };
            let oldest = open.iter().min_by_key(|(_, entry)| age(entry));
            let Some((&number, _)) = oldest else { break };
            if let Some(task) = open.remove(&number).and_then(|entry| entry.task) {
                task.abort();
            }
        }
        let number = self.tick();
        let progress = Arc::new(Progress(AtomicU64::new(Progress::number(Stage::ReadingHead, number))));
        open.insert(number, Entry { progress: Arc::clone(&progress), task: None });
        drop(open);
        Arc::new(Slot { connections: Arc::clone(self), number, progress })
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Sets the task to abort when the connection has to be closed.
    pub(super) fn set_task(&self, task: AbortHandle) {
        match self.connections.lock().get_mut(&self.number) {
            Some(entry) => entry.task = Some(task),
            // The slot was taken away before the task was known.
            None => task.abort(),
        }
    }

    pub(super) fn stage(&self) -> Stage {
        self.progress.get().0
    }

    pub(super) fn set_stage(&self, stage: Stage) {
        self.progress.0.store(Progress::number(stage, self.connections.tick()), Ordering::Relaxed);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connections.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_numbers(limit: &ConnectionLimit) -> Vec<u64> {
        limit.lock().keys().copied().collect()
    }

    #[test]
    fn at_the_limit_the_connection_idle_longest_is_closed() {
        let limit = ConnectionLimit::new(3);
        let [a, b, c] = [limit.acquire(), limit.acquire(), limit.acquire()];
        // `a` serves a request, so its last change is the most recent.
        for stage in [Stage::ReadingBody, Stage::Responding, Stage::Flushing, Stage::Idle] {
            a.set_stage(stage);
        }
        b.set_stage(Stage::Responding);
        let d = limit.acquire();
        assert_eq!(
            open_numbers(&limit),
            [a.number, b.number, d.number],
            "c was idle longest; b is responding"
        );
        let e = limit.acquire();
        assert_eq!(open_numbers(&limit), [b.number, d.number, e.number]);
        d.set_stage(Stage::Responding);
        e.set_stage(Stage::Responding);
        let f = limit.acquire();
        assert_eq!(open_numbers(&limit), [d.number, e.number, f.number], "all are responding, b for longest");
        drop(e);
        drop(c);
        assert_eq!(open_numbers(&limit), [d.number, f.number]);
        let g = limit.acquire();
        assert_eq!(open_numbers(&limit), [d.number, f.number, g.number]);
    }
}
