//! A gate that holds whatever comes to it until the test opens it.

use std::sync::{Arc, Condvar, Mutex};

use tokio::sync::Semaphore;

/// Whether waiting blocks the thread, with all tasks of its runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocking {
    Task,
    Thread,
}

/// A closed gate. Clones share it.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    blocking: Blocking,
    arrived: Semaphore,
    open: Semaphore,
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub fn new(blocking: Blocking) -> Self {
        Self(Arc::new(Inner {
            blocking,
            arrived: Semaphore::new(0),
            open: Semaphore::new(0),
            is_open: Mutex::new(false),
            opened: Condvar::new(),
        }))
    }

    /// Waits until something has come to the gate since the last call.
    pub async fn arrived(&self) {
        let arrived = tokio::time::timeout(super::PATIENCE, self.0.arrived.acquire()).await;
        arrived.expect("nothing came to the gate").unwrap().forget();
    }

    pub fn open(&self) {
        *self.0.is_open.lock().unwrap() = true;
        self.0.opened.notify_all();
        self.0.open.close();
    }

    /// Waits for the test to open the gate.
    pub async fn pass(&self) {
        self.0.arrived.add_permits(1);
        match self.0.blocking {
            // An error means that the gate is open.
            Blocking::Task => drop(self.0.open.acquire().await),
            Blocking::Thread => {
                let is_open = self.0.is_open.lock().unwrap();
                // A test that fails would never open it.
                let patience = 2 * super::PATIENCE;
                let _ = self.0.opened.wait_timeout_while(is_open, patience, |is_open| !*is_open).unwrap();
            }
        }
    }
}
