//! Room for a bounded number of connections: when it is full, whoever has waited longest makes room for the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

/// How far the exchange on a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The head of a request is awaited, the connection's first or the next of which bytes have come.
    Asking,
    /// The head was read, and the body is awaited.
    Telling,
    /// The request was read, and the answer is not yet made, or not yet handed over.
    Answering,
    /// The answer's last byte is on its way.
    Answered,
    /// An answer was sent, and no byte has come since.
    Idle,
}

impl Stage {
    /// Whether it is the client's turn.
    const fn waits(self) -> bool {
        matches!(self, Self::Asking | Self::Telling | Self::Idle)
    }
}

/// Every open connection.
pub(super) struct Room {
    most: usize,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    /// Counts entries and changes of stage: the lower, the longer ago.
    ticks: u64,
    taken: BTreeMap<u64, Seat>,
}

struct Seat {
    stage: Stage,
    since: u64,
    task: Option<AbortHandle>,
}

/// A connection's place; leaving is dropping it.
pub(super) struct Place {
    room: Arc<Room>,
    number: u64,
}

impl Room {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, seats: Mutex::default() })
    }

    /// A place for one more. If there is none, the connection on which nothing has happened for longest is closed:
    /// one that waits for its client, if any does, else one whose answer takes so long.
    pub(super) fn enter(self: &Arc<Self>) -> Arc<Place> {
        let mut seats = self.seats();
        while seats.taken.len() >= self.most {
            let longest = seats.taken.iter().min_by_key(|(_, seat)| (!seat.stage.waits(), seat.since));
            let Some((&number, _)) = longest else { break };
            if let Some(task) = seats.taken.remove(&number).and_then(|seat| seat.task) {
                task.abort();
            }
        }
        seats.ticks += 1;
        let number = seats.ticks;
        seats.taken.insert(number, Seat { stage: Stage::Asking, since: number, task: None });
        drop(seats);
        Arc::new(Place { room: Arc::clone(self), number })
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Names the task that ends when the place is needed.
    pub(super) fn belongs_to(&self, task: AbortHandle) {
        match self.room.seats().taken.get_mut(&self.number) {
            Some(seat) => seat.task = Some(task),
            None => task.abort(),
        }
    }

    pub(super) fn stage(&self) -> Stage {
        let seats = self.room.seats();
        // A connection that had to go does nothing more.
        seats.taken.get(&self.number).map_or(Stage::Asking, |seat| seat.stage)
    }

    pub(super) fn comes_to(&self, stage: Stage) {
        let mut seats = self.room.seats();
        seats.ticks += 1;
        let since = seats.ticks;
        if let Some(seat) = seats.taken.get_mut(&self.number) {
            seat.stage = stage;
            seat.since = since;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.seats().taken.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_connections(room: &Room) -> Vec<u64> {
        room.seats().taken.keys().copied().collect()
    }

    #[test]
    fn connection_idle_longest_is_closed_at_the_limit() {
        let room = Room::new(3);
        let [a, b, c] = [room.enter(), room.enter(), room.enter()];
        // `a` handles a request and then becomes idle, so it has been idle for the shortest time.
        for stage in [Stage::Telling, Stage::Answering, Stage::Answered, Stage::Idle] {
            a.comes_to(stage);
        }
        b.comes_to(Stage::Answering);
        let d = room.enter();
        assert_eq!(
            open_connections(&room),
            [a.number, b.number, d.number],
            "c was idle longest; b is active"
        );
        let e = room.enter();
        assert_eq!(open_connections(&room), [b.number, d.number, e.number]);
        d.comes_to(Stage::Answering);
        e.comes_to(Stage::Answering);
        let f = room.enter();
        assert_eq!(
            open_connections(&room),
            [d.number, e.number, f.number],
            "all are active, and b for the longest time"
        );
        drop(e);
        drop(c);
        assert_eq!(open_connections(&room), [d.number, f.number]);
        let g = room.enter();
        assert_eq!(open_connections(&room), [d.number, f.number, g.number]);
    }
}
