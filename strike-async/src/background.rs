//! A tokio runtime of this library's own, on one thread, for what needs a runtime's sockets and timers.
//!
//! A connection belongs to the runtime that it was made in: it stalls while that runtime is idle, and dies with it.
//! And tokio panics where a runtime has no sockets or no timers, without a way to ask first. So connections and timers
//! live here, and the caller's futures can be polled by any executor.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

use crate::wake::Wake;

/// The one that runs, while anybody uses it.
static RUNNING: Mutex<Weak<Running>> = Mutex::new(Weak::new());

/// Access to the runtime: it is started when it is first used, and ends with the last who used it.
#[derive(Default)]
pub(crate) struct Background(OnceLock<Arc<Running>>);

struct Running {
    handle: Handle,
    stop: Wake,
}

impl Background {
    /// Starts the future on the runtime.
    ///
    /// # Errors
    /// If the system gives no thread, or no sockets.
    pub(crate) fn spawn<F>(&self, future: F) -> io::Result<Task<F::Output>>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let running = match self.0.get() {
            Some(running) => running,
            None => {
                let running = Running::shared()?;
                self.0.get_or_init(|| running)
            }
        };
        Ok(Task(running.handle.spawn(future)))
    }
}

impl Running {
    fn shared() -> io::Result<Arc<Self>> {
        let mut shared = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Ok(running);
        }
        let running = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&running);
        Ok(running)
    }

    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, stop) = (runtime.handle().clone(), Wake::default());
        let stopped = stop.clone();
        thread::Builder::new().name("strike-async".into()).spawn(move || {
            runtime.block_on(stopped.or(pending()));
            // A lookup of a name may take long, and nobody waits for it any more.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, stop })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.wake();
    }
}

/// A future on the runtime. Dropping this drops the future.
pub(crate) struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    /// `None` if the future panicked.
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(context)).ok())
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
