//! Runs the lanes of a watcher: several exchanges in flight, each in a thread.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use strike_core::machine::{Machine, SharedWatcher, Step, WatchLane};
use strike_core::{AttemptReport, Error, Event, Exchange, Now};

use crate::driver::Driver;
use crate::timer::Wake;

/// How long to wait if only the end of an exchange can change something. That ends the wait.
const LONG: Duration = Duration::from_secs(3600);

/// The lanes of a watcher, and the threads that make their exchanges. There are as many threads as
/// exchanges were in flight at the same time. They end when this value is dropped.
///
/// A thread only makes an exchange. So a charge is watched only while [`next`](Self::next) runs,
/// and no thread takes an event that the caller would not get.
pub(crate) struct Lanes {
    driver: Driver,
    wake: Wake,
    /// The lanes without an exchange.
    idle: Vec<WatchLane>,
    in_flight: usize,
    ended: Arc<Mutex<Vec<Ended>>>,
    /// Where the threads get their work. `None` before the first thread has started.
    threads: Option<Threads>,
}

struct Threads {
    count: usize,
    work: mpsc::Sender<Begun>,
    queue: Arc<Mutex<mpsc::Receiver<Begun>>>,
}

struct Begun {
    lane: WatchLane,
    exchange: Exchange,
    began: Now,
}

struct Ended {
    lane: WatchLane,
    /// An error if the transport panicked.
    report: thread::Result<AttemptReport>,
}

impl Lanes {
    pub(crate) fn new(driver: Driver, watcher: &SharedWatcher, wake: Wake) -> Self {
        let ended = Arc::default();
        Self { driver, wake, idle: watcher.lanes(), in_flight: 0, ended, threads: None }
    }

    /// Returns the next event, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            self.take_ended();
            let (mut shortest, mut at) = (LONG, 0);
            while let Some(lane) = self.idle.get_mut(at) {
                let now = self.driver.now();
                match lane.poll(now) {
                    Step::Send(exchange) => {
                        let lane = self.idle.swap_remove(at);
                        self.begin(Begun { lane, exchange, began: now });
                    }
                    Step::Wait(wait) => {
                        shortest = shortest.min(wait);
                        at += 1;
                    }
                    Step::Done(result) => return result,
                }
            }
            if self.in_flight > 0 {
                // The timer of a test may end a wait at once, but the exchanges take real time.
                self.wake.wait(shortest);
            } else {
                self.driver.wait(shortest, &self.wake);
            }
        }
    }

    /// Begins an exchange in a thread. If there is only one lane, or no thread can be started, makes
    /// it here.
    fn begin(&mut self, begun: Begun) {
        let has_others = self.in_flight > 0 || !self.idle.is_empty();
        self.in_flight += 1;
        let unqueued = if has_others { self.queue(begun) } else { Some(begun) };
        if let Some(begun) = unqueued {
            make_exchange(&self.driver, begun, &self.ended);
            self.wake.wake();
        }
    }

    /// Returns the exchange if no thread makes it.
    fn queue(&mut self, begun: Begun) -> Option<Begun> {
        let threads = self.threads.get_or_insert_with(|| {
            let (work, queue) = mpsc::channel();
            Threads { count: 0, work, queue: Arc::new(Mutex::new(queue)) }
        });
        if threads.count < self.in_flight {
            let (driver, queue) = (self.driver.clone(), Arc::clone(&threads.queue));
            let (ended, wake) = (Arc::clone(&self.ended), self.wake.clone());
            let run = move || {
                while let Some(begun) = next_of(&queue) {
                    make_exchange(&driver, begun, &ended);
                    wake.wake();
                }
            };
            if thread::Builder::new().name("strike-watch".into()).spawn(run).is_ok() {
                threads.count += 1;
            }
        }
        if threads.count == 0 { Some(begun) } else { threads.work.send(begun).err().map(|unsent| unsent.0) }
    }

    /// Reports the exchanges that have ended. Their lanes are idle again.
    fn take_ended(&mut self) {
        loop {
            let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(Ended { lane, report }) = ended else { return };
            self.idle.push(lane);
            self.in_flight -= 1;
            match report {
                Ok(report) => self.driver.report(&report),
                Err(panic) => resume_unwind(panic),
            }
        }
    }
}

/// Waits for the next exchange to make. Returns `None` after the lanes were dropped.
fn next_of(queue: &Mutex<mpsc::Receiver<Begun>>) -> Option<Begun> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn make_exchange(driver: &Driver, Begun { mut lane, exchange, began }: Begun, ended: &Mutex<Vec<Ended>>) {
    let report = catch_unwind(AssertUnwindSafe(|| {
        let (reply, now, report) = driver.exchange(exchange, began);
        lane.handle(reply, now);
        report
    }));
    ended.lock().unwrap_or_else(PoisonError::into_inner).push(Ended { lane, report });
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("in_flight", &self.in_flight).finish_non_exhaustive()
    }
}
