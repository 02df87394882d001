//! A connection to a proxy, held to one time limit for as long as the tunnel is being opened.
//!
//! ureq grants a proxy the whole time to connect anew for every read of its answer, so one that sends a byte now
//! and then could hold an exchange for ever.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, NextTimeout, Transport};

/// ureq's clock, which it hands to whoever connects.
type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;
type Run = Arc<dyn Fn(&ConnectionDetails<'_>) -> Result<Box<dyn Transport>, ureq::Error> + Send + Sync>;

/// The time left of `after` since `start`.
pub(super) fn remaining(after: Duration, start: Instant, now: Instant) -> Duration {
    match (after, start, now) {
        (Duration::Exact(after), Instant::Exact(start), Instant::Exact(now)) => {
            Duration::Exact(after.saturating_sub(now.saturating_duration_since(start)))
        }
        _ => after,
    }
}

/// The limit, from the start of connecting until [`lift`](Self::lift).
#[derive(Clone)]
pub(super) struct Limit {
    after: Duration,
    start: Instant,
    clock: Clock,
    lifted: Arc<AtomicBool>,
}

impl Limit {
    pub(super) fn new(after: Duration, start: Instant, clock: Clock) -> Self {
        Self { after, start, clock, lifted: Arc::default() }
    }

    /// The connection is ready: from now on, the exchange's own timeout counts.
    pub(super) fn lift(&self) {
        self.lifted.store(true, Ordering::Release);
    }

    /// Makes connections as `run` does, held to this limit.
    pub(super) fn hold(&self, run: Run) -> Run {
        let limit = self.clone();
        Arc::new(move |details: &ConnectionDetails<'_>| {
            let held = Held { connection: run(details)?, limit: limit.clone() };
            Ok(Box::new(held) as Box<dyn Transport>)
        })
    }

    fn cap(&self, timeout: NextTimeout) -> NextTimeout {
        if self.lifted.load(Ordering::Acquire) {
            return timeout;
        }
        let left = remaining(self.after, self.start, (self.clock)());
        NextTimeout { after: timeout.after.min(left), ..timeout }
    }
}

struct Held {
    connection: Box<dyn Transport>,
    limit: Limit,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connection.fmt(f)
    }
}

impl Transport for Held {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.connection.transmit_output(amount, self.limit.cap(timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.connection.await_input(self.limit.cap(timeout))
    }

    fn is_open(&mut self) -> bool {
        self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}
