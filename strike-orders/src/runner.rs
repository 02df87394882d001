//! `Runner`: whether the desk runs in this process, and with which lease.

use std::sync::{Mutex, MutexGuard, PoisonError};

use strike_async::WatchHandle;
use tokio::sync::watch as flag;

use crate::error::Error;

/// Whether the desk runs in this process, and with which lease.
#[derive(Debug)]
pub(crate) struct Runner {
    state: Mutex<State>,
    pub(crate) stopping: flag::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    is_running: bool,
    active: Option<Active>,
}

/// The lease of this process, and its watch.
#[derive(Debug, Clone)]
pub(crate) struct Active {
    pub(crate) lease: i64,
    pub(crate) handle: WatchHandle,
}

impl Default for Runner {
    fn default() -> Self {
        Self { state: Mutex::default(), stopping: flag::Sender::new(false) }
    }
}

impl Runner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the lease of this process, if it has one.
    pub(crate) fn active(&self) -> Option<Active> {
        self.state().active.clone()
    }

    pub(crate) fn set_active(&self, active: Option<Active>) {
        self.state().active = active;
    }

    /// Marks the desk as running, until the guard is dropped.
    pub(crate) fn start(&self) -> Result<Running<'_>, Error> {
        let mut state = self.state();
        if state.is_running {
            return Err(Error::AlreadyRunning);
        }
        state.is_running = true;
        Ok(Running(self))
    }
}

pub(crate) struct Running<'a>(&'a Runner);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.state() = State::default();
        self.0.stopping.send_replace(false);
    }
}
