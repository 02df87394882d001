//! A sandbox with a running server, which stops when the value is dropped.

use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use strike_core::UnixMillis;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::port::Port;
use super::{ConnectionLimit, Limits};
use crate::changes::next_change;
use crate::sandbox::Sandbox;
use crate::webhooks;

/// A [`Sandbox`] with a running HTTP server. It derefs to [`Sandbox`].
///
/// Dropping it stops the server. When the drop returns, the port and all connections are closed. Webhooks that were
/// being sent are aborted. Clones of the sandbox stay usable in memory.
///
/// The server applies the [faults](crate::faults) and passes every valid request to [`Sandbox::respond`]. It rejects
/// the following itself, and the sandbox does not count them:
///
/// * requests that are not valid HTTP
/// * heads with more than 100 fields or more than 64 KiB
/// * plain HTTP on the port for HTTPS
///
/// # Timeouts and limits
///
/// | what | limit | then |
/// | --- | --- | --- |
/// | TLS handshake | 10 s | the connection is closed |
/// | request head | 75 s | the connection is closed |
/// | request body | 30 s | the connection is closed |
/// | idle after a response | 75 s, see [`close_idle_after`](crate::SandboxBuilder::close_idle_after) | the connection is closed |
/// | response not read by the client | 30 s | the connection is closed |
/// | open connections, on all ports together | 512, see [`most_connections`](crate::SandboxBuilder::most_connections) | the one that has been idle longest is closed |
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
        opens_after: Duration,
    ) -> io::Result<Self> {
        sandbox.webhooks().iter().try_for_each(webhooks::check)?;
        let opens_at = sandbox.now().saturating_add(opens_after);
        let address = front.address();
        let plain_base_url = plain.as_ref().map(Port::base_url);
        let ports: Vec<_> = std::iter::once(front).chain(plain).collect();
        let (stop, stopped) = oneshot::channel();
        let (report, started) = mpsc::channel();
        let service = sandbox.clone();
        let thread = std::thread::Builder::new().name("strike-sandbox".to_owned()).spawn(move || {
            // The caller may be inside a runtime of its own, where another one can be neither created nor dropped.
            let open = || {
                let runtime = build_runtime()?;
                if opens_after.is_zero() {
                    runtime.block_on(async { serve_all(ports, &service, limits) })?;
                } else {
                    runtime.spawn(serve_later(ports, service.clone(), limits, opens_at));
                }
                runtime.spawn(webhooks::dispatch(service));
                Ok(runtime)
            };
            match open() {
                Ok(runtime) => {
                    // Cannot fail: `start` waits for this message.
                    let _ = report.send(Ok(()));
                    // An error means that the sender was dropped, which also stops the server.
                    let _ = runtime.block_on(stopped);
                    // Does not wait for a DNS lookup of a webhook's host that is still running.
                    runtime.shutdown_background();
                }
                Err(error) => {
                    // Cannot fail either.
                    let _ = report.send(Err(error));
                }
            }
        })?;
        let (stop, thread) = (Some(stop), Some(thread));
        let running = Self { sandbox, address, plain_base_url, ca_certificate, stop, thread };
        started
            .recv()
            .unwrap_or_else(|_| Err(io::Error::other("the server thread ended before it started")))?;
        Ok(running)
    }

    /// Returns the address of the server, with the real port.
    ///
    /// With TLS this is the port for HTTPS. After
    /// [`SandboxBuilder::listen_localhost`](crate::SandboxBuilder::listen_localhost) it is the address of 127.0.0.1.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL for plain HTTP beside HTTPS, if
    /// [`SandboxBuilder::plain_listen`](crate::SandboxBuilder::plain_listen) was called.
    #[must_use]
    pub fn plain_base_url(&self) -> Option<&str> {
        self.plain_base_url.as_deref()
    }

    /// Returns the certificate of the authority that signed the server's certificate, in PEM. `None` without TLS.
    ///
    /// Clients must trust it to connect. A new authority is created for each start. Its private key is discarded once
    /// the server's certificate is signed.
    #[must_use]
    pub fn ca_certificate(&self) -> Option<&str> {
        self.ca_certificate.as_deref()
    }

    /// Returns a handle to the sandbox that stays usable after the server has stopped.
    #[must_use]
    pub fn sandbox(&self) -> Sandbox {
        self.sandbox.clone()
    }
}

fn build_runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()
}

/// Accepts connections on all ports, in tasks of the current runtime.
fn serve_all(ports: Vec<Port>, sandbox: &Sandbox, limits: Limits) -> io::Result<()> {
    let limit = ConnectionLimit::new(limits.connections);
    let listeners = ports.into_iter().map(Port::listen).collect::<io::Result<Vec<_>>>()?;
    for (listener, protocol) in listeners.into_iter().flatten() {
        tokio::spawn(super::serve(listener, protocol, sandbox.clone(), Arc::clone(&limit), limits.idle));
    }
    Ok(())
}

/// Does the same from this time on, by the sandbox's clock. Until then, connections are refused.
async fn serve_later(ports: Vec<Port>, sandbox: Sandbox, limits: Limits, opens_at: UnixMillis) {
    let mut changes = sandbox.changes().watch();
    while sandbox.now() < opens_at {
        let time_left = sandbox.service().clock().until(opens_at);
        next_change(&mut changes, time_left).await;
    }
    // Nobody is left to report an error to: the port stays closed.
    let _ = serve_all(ports, &sandbox, limits);
}

impl Deref for RunningSandbox {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        // Dropping the sender wakes the thread. Dropping its runtime then closes every connection.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already printed, and a drop should not panic.
            let _ = thread.join();
        }
    }
}
