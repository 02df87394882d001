//! A time limit for opening a tunnel through a proxy.
//!
//! ureq applies the connect timeout to each read of the proxy's response. A proxy that sends one
//! byte at a time would never time out. So the limit here covers the whole time until the tunnel is
//! open.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, NextTimeout, Transport};

/// ureq's clock, which it passes to connectors.
type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;
/// Opens a connection to a proxy.
type Run = Arc<dyn Fn(&ConnectionDetails<'_>) -> Result<Box<dyn Transport>, ureq::Error> + Send + Sync>;

/// Returns how much of the limit `after` is left at `now`, if it began at `start`.
pub(super) fn remaining(after: Duration, start: Instant, now: Instant) -> Duration {
    match (after, start, now) {
        (Duration::Exact(after), Instant::Exact(start), Instant::Exact(now)) => {
            Duration::Exact(after.saturating_sub(now.saturating_duration_since(start)))
        }
        _ => after,
    }
}

/// The time limit, from the start of connecting until [`disable`](Self::disable) is called.
#[derive(Clone)]
pub(super) struct Limit {
    after: Duration,
    start: Instant,
    clock: Clock,
    disabled: Arc<AtomicBool>,
}

impl Limit {
    pub(super) fn new(after: Duration, start: Instant, clock: Clock) -> Self {
        Self { after, start, clock, disabled: Arc::default() }
    }

    /// Disables the limit when the connection is ready. The timeout of the exchange still applies.
    pub(super) fn disable(&self) {
        self.disabled.store(true, Ordering::Release);
    }

    /// Returns a function that opens connections like `run`, with this limit.
    pub(super) fn wrap(&self, run: Run) -> Run {
        let limit = self.clone();
        Arc::new(move |details: &ConnectionDetails<'_>| {
            let limited = LimitedConnection { connection: run(details)?, limit: limit.clone() };
            Ok(Box::new(limited) as Box<dyn Transport>)
        })
    }

    fn cap(&self, timeout: NextTimeout) -> NextTimeout {
        if self.disabled.load(Ordering::Acquire) {
            return timeout;
        }
        let left = remaining(self.after, self.start, (self.clock)());
        NextTimeout { after: timeout.after.min(left), ..timeout }
    }
}

/// A connection to a proxy, with the time limit.
struct LimitedConnection {
    connection: Box<dyn Transport>,
    limit: Limit,
}

impl fmt::Debug for LimitedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connection.fmt(f)
    }
}

impl Transport for LimitedConnection {
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
