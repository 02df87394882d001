//! A sandbox with a server in front, for as long as the value lives.

use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::port::{Port, Protocol};
use super::{Limits, Room};
use crate::sandbox::Sandbox;
use crate::webhooks::{self, Poster};

/// A [`Sandbox`] that also answers on a socket; it is one by [`Deref`].
///
/// Dropping it stops the server: the port is closed when the drop is over, connections with it, and webhooks on their
/// way end unanswered. Clones of the sandbox stay usable in memory.
///
/// Every request that is HTTP goes to [`Sandbox::respond`], by way of the [faults](crate::faults). Only what is none, a
/// head of more than 100 fields or of more than 64 KiB, and plain HTTP on the port for HTTPS, is refused by the server itself, and is no
/// request to the sandbox.
///
/// Nobody holds it up. A TLS handshake may take 10 seconds, a head 75 and a body 30; a connection that stays idle after
/// an answer is closed ([`close_idle_after`](crate::Builder::close_idle_after)), and so is one whose client leaves an
/// answer unread for 30 seconds. Beyond 512 connections on all ports together
/// ([`most_connections`](crate::Builder::most_connections)), the one on which nothing has happened for longest is closed
/// for the next.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct RunningSandbox {
    sandbox: Sandbox,
    address: SocketAddr,
    plain_base_url: Option<String>,
    ca_certificate: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RunningSandbox {
    pub(crate) fn start(
        sandbox: Sandbox,
        front: Port,
        plain: Option<Port>,
        ca_certificate: Option<String>,
        limits: Limits,
    ) -> io::Result<Self> {
        let poster = sandbox.webhook().map(|webhook| Poster::new(&webhook)).transpose()?;
        let address = front.address();
        let plain_base_url = plain.as_ref().map(Port::base_url);
        let ports: Vec<_> = std::iter::once(front).chain(plain).collect();
        let (stop, stopped) = oneshot::channel();
        let (report, outcome) = mpsc::channel();
        let service = sandbox.clone();
        let thread = std::thread::Builder::new().name("strike-sandbox".to_owned()).spawn(move || {
            // The runtime is made here, and dropped here: neither may happen inside a caller's runtime.
            match enter(ports) {
                Ok((runtime, listeners)) => {
                    if let Some(poster) = poster {
                        runtime.spawn(webhooks::dispatch(service.clone(), poster));
                    }
                    let room = Room::new(limits.connections);
                    for (listener, protocol) in listeners {
                        let room = Arc::clone(&room);
                        runtime.spawn(super::serve(listener, protocol, service.clone(), room, limits.idle));
                    }
                    // Whoever started it waits for this, so it does not fail.
                    let _ = report.send(Ok(()));
                    // Either way it is over: told to stop, or nobody is left to tell.
                    let _ = runtime.block_on(stopped);
                    // Without waiting for a name server that a webhook's host is still looked up at.
                    runtime.shutdown_background();
                }
                Err(error) => {
                    // As above.
                    let _ = report.send(Err(error));
                }
            }
        })?;
        let (stop, thread) = (Some(stop), Some(thread));
        let running = Self { sandbox, address, plain_base_url, ca_certificate, stop, thread };
        outcome.recv().unwrap_or_else(|_| Err(io::Error::other("the server's thread ended")))?;
        Ok(running)
    }

    /// The address it listens on, with the port that it was given; with TLS, that of the port for HTTPS. After
    /// [`Builder::listen_localhost`](crate::Builder::listen_localhost) it is that of 127.0.0.1.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where plain HTTP is spoken beside the port of [`base_url`](Sandbox::base_url), if it is: on what was
    /// given to [`Builder::plain_listen`](crate::Builder::plain_listen).
    #[must_use]
    pub fn plain_base_url(&self) -> Option<&str> {
        self.plain_base_url.as_deref()
    }

    /// The certificate, in PEM, of the authority that signed the server's: who trusts it can check who answers.
    /// `None` without TLS.
    ///
    /// It is made when the sandbox starts, and its key is gone by now, so that it vouches for nobody else.
    #[must_use]
    pub fn ca_certificate(&self) -> Option<&str> {
        self.ca_certificate.as_deref()
    }

    /// A handle on the sandbox that outlives the server.
    #[must_use]
    pub fn sandbox(&self) -> Sandbox {
        self.sandbox.clone()
    }
}

/// A runtime of one thread, which waits on the listeners.
fn enter(ports: Vec<Port>) -> io::Result<(Runtime, Vec<(TcpListener, Protocol)>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let listeners =
        runtime.block_on(async { ports.into_iter().map(Port::listen).collect::<io::Result<Vec<_>>>() })?;
    Ok((runtime, listeners.into_iter().flatten().collect()))
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
