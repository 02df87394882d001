//! A sandbox with a server in front, for as long as the value lives.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::ops::Deref;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::Limits;
use crate::sandbox::Sandbox;

/// A [`Sandbox`] that also answers on a socket; it is one by [`Deref`].
///
/// Dropping it stops the server: the port is closed when the drop is over, connections with it. Clones of the
/// sandbox stay usable in memory.
///
/// Every request that is HTTP goes to [`Sandbox::respond`], by way of the [faults](crate::faults). Only what is none,
/// and a head of more than 100 fields, is refused by the server itself, and is no request to the sandbox.
///
/// Nobody holds it up. A head may take 75 seconds and a body 30; a connection that stays idle after an answer is
/// closed ([`close_idle_after`](crate::Builder::close_idle_after)), and so is one whose client leaves an answer unread
/// for 30 seconds. Beyond 512 connections ([`most_connections`](crate::Builder::most_connections)), the one on which
/// nothing has happened for longest is closed for the next.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct RunningSandbox {
    sandbox: Sandbox,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RunningSandbox {
    pub(crate) fn start(
        sandbox: Sandbox,
        listener: TcpListener,
        address: SocketAddr,
        limits: Limits,
    ) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (report, outcome) = mpsc::channel();
        let service = sandbox.clone();
        let thread = std::thread::Builder::new().name("strike-sandbox".to_owned()).spawn(move || {
            // The runtime is made here, and dropped here: neither may happen inside a caller's runtime.
            match enter(listener) {
                Ok((runtime, listener)) => {
                    runtime.spawn(super::serve(listener, service, limits));
                    let _ = report.send(Ok(()));
                    // Either way it is over: told to stop, or nobody is left to tell.
                    let _ = runtime.block_on(stopped);
                }
                Err(error) => {
                    let _ = report.send(Err(error));
                }
            }
        })?;
        let running = Self { sandbox, address, stop: Some(stop), thread: Some(thread) };
        outcome.recv().unwrap_or_else(|_| Err(io::Error::other("the server's thread ended")))?;
        Ok(running)
    }

    /// The address it listens on, with the port that it was given.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle on the sandbox that outlives the server.
    #[must_use]
    pub fn sandbox(&self) -> Sandbox {
        self.sandbox.clone()
    }
}

/// A runtime of one thread, which waits on the listener.
fn enter(listener: TcpListener) -> io::Result<(Runtime, tokio::net::TcpListener)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let listener = runtime.block_on(async { tokio::net::TcpListener::from_std(listener) })?;
    Ok((runtime, listener))
}

impl Deref for RunningSandbox {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        // Dropping the sender wakes the thread, and its runtime drops every connection where it stands.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed when it happened, and a drop must not panic again.
            let _ = thread.join();
        }
    }
}
