//! Runs the lanes of a watcher: several exchanges in flight, in one task.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use strike_core::machine::{Machine, SharedWatcher, Step, WatchLane};
use strike_core::{Error, Event};

use crate::driver::Driver;
use crate::transport::BoxFuture;
use crate::wake::Wake;

/// The lanes of a watcher, and their exchanges. The state is here, so nothing is lost if the future
/// of [`next`](Self::next) is dropped.
pub(crate) struct Lanes {
    driver: Driver,
    wake: Wake,
    /// The lanes without an exchange.
    idle: Vec<WatchLane>,
    exchanges: FuturesUnordered<BoxFuture<'static, WatchLane>>,
}

impl Lanes {
    pub(crate) fn new(driver: Driver, watcher: &SharedWatcher, wake: Wake) -> Self {
        Self { driver, wake, idle: watcher.lanes(), exchanges: FuturesUnordered::new() }
    }

    /// Returns the next event, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            match self.start_exchanges() {
                ControlFlow::Continue(wait) => self.wait(wait).await,
                ControlFlow::Break(result) => return result,
            }
        }
    }

    /// Polls all idle lanes, and begins their exchanges. Returns the shortest wait, or a result.
    fn start_exchanges(&mut self) -> ControlFlow<Result<Option<Event>, Error>, Duration> {
        let mut shortest = Duration::MAX;
        let mut at = 0;
        while let Some(lane) = self.idle.get_mut(at) {
            let now = self.driver.now();
            match lane.poll(now) {
                Step::Send(exchange) => {
                    let (mut lane, driver) = (self.idle.swap_remove(at), self.driver.clone());
                    self.exchanges.push(Box::pin(async move {
                        let (reply, now) = driver.exchange(exchange, now).await;
                        lane.handle(reply, now);
                        lane
                    }));
                }
                Step::Wait(wait) => {
                    shortest = shortest.min(wait);
                    at += 1;
                }
                Step::Done(result) => return ControlFlow::Break(result),
            }
        }
        ControlFlow::Continue(shortest)
    }

    /// Waits until an exchange ends, this time has passed, or the watcher has changed.
    async fn wait(&mut self, wait: Duration) {
        let Self { driver, wake, idle, exchanges } = self;
        let has_idle = !idle.is_empty();
        // The timer of a test may end a wait at once. So it is not asked before the exchanges.
        let mut timeout = None;
        let next = poll_fn(|context| {
            if !exchanges.is_empty()
                && let Poll::Ready(Some(lane)) = exchanges.poll_next_unpin(context)
            {
                idle.push(lane);
                return Poll::Ready(());
            }
            if has_idle {
                timeout.get_or_insert_with(|| driver.wait(wait)).as_mut().poll(context)
            } else {
                Poll::Pending
            }
        });
        wake.or(next).await;
    }
}
