//! A tokio runtime on one background thread, for connections and timers.
//!
//! A connection is bound to the runtime in which it was created. It stalls while that runtime is
//! idle, and is lost when the runtime ends. And tokio panics if a runtime has no sockets or no
//! timers; there is no way to check for them first. With a runtime of this library, any executor
//! can poll the futures of a client.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

use crate::wake::Wake;

/// The running runtime, if there is one. All users of the process share it.
static RUNNING: Mutex<Weak<Running>> = Mutex::new(Weak::new());

/// Access to the shared runtime. It starts on first use, and stops when its last user is dropped.
#[derive(Default)]
pub(crate) struct Background {
    /// A runtime of the caller, used instead of the shared one.
    given: Option<Handle>,
    shared: OnceLock<Arc<Running>>,
}

struct Running {
    handle: Handle,
    stop: Wake,
}

impl Background {
    /// Uses this runtime instead of the shared one, if there is one.
    #[cfg(feature = "reqwest")]
    pub(crate) fn on(given: Option<Handle>) -> Self {
        Self { given, shared: OnceLock::new() }
    }

    /// Returns true if the caller runs on the runtime that was given.
    #[cfg(feature = "reqwest")]
    pub(crate) fn is_current(&self) -> bool {
        let is_given = |current: Handle| self.given.as_ref().is_some_and(|given| given.id() == current.id());
        self.given.is_some() && Handle::try_current().is_ok_and(is_given)
    }

    /// Runs the future on the runtime.
    ///
    /// # Errors
    /// Returns an error if the operating system cannot start a thread or provide the resources of a
    /// runtime.
    pub(crate) fn spawn<F>(&self, future: F) -> io::Result<Task<F::Output>>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        if let Some(handle) = &self.given {
            return Ok(Task(handle.spawn(future)));
        }
        let running = match self.shared.get() {
            Some(running) => running,
            None => {
                let running = Running::shared()?;
                self.shared.get_or_init(|| running)
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
            // Do not wait for blocking tasks: resolving a host name may take long.
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

/// Runs the tasks that are ready, and then returns.
///
/// tokio's `yield_now` looks for events of sockets before it returns, which is a system call.
#[cfg(feature = "reqwest")]
pub(crate) async fn run_ready_tasks() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A future that runs on the runtime. Dropping the task cancels the future.
pub(crate) struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    /// The output of the future, or `None` if it panicked.
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
