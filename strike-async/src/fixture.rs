//! Test a program that uses this SDK: simulated servers, virtual time, and recorded exchanges (cassettes).
//!
//! | to | use |
//! | --- | --- |
//! | test against the sandbox or a closure, in virtual time | [`SimulatedHost`] |
//! | record the exchanges of a client | [`RecordTransport`] around any transport |
//! | replay recorded exchanges offline | [`ReplayTransport`] |
//!
//! [`ClientBuilder::simulated`] connects a client to a simulated host. The module
//! [`strike_core::fixture`] describes the cassette format and how requests are compared.
//!
//! # Let an hour pass at once
//! ```
//! use strike_async::fixture::SimulatedHost;
//! use strike_async::{ApiKey, Client, Endpoint, NewCharge, Wait, WaitOutcome};
//! use strike_sandbox::Sandbox;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::new();
//! let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
//! let host = SimulatedHost::new(sandbox);
//! let client = Client::builder(endpoint).simulated(&host).build()?;
//!
//! // Nobody pays, so the invoice expires after an hour of virtual time.
//! let charge = client.create(NewCharge::satoshis(4200, "tea")).await?;
//! assert!(matches!(client.wait_until_paid(&charge, Wait::until_expiry()).await?, WaitOutcome::Expired(_)));
//! assert!(host.elapsed().as_secs() >= 3600);
//! println!("{}", host.transcript());
//! # Ok(()) }
//! ```
//!
//! # Record and replay
//! ```
//! use strike_async::fixture::{RecordTransport, ReplayTransport, SimulatedHost};
//! use strike_async::{ApiKey, Client, Endpoint, NewCharge};
//! use strike_sandbox::Sandbox;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::new();
//! let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
//! let recording = RecordTransport::new(SimulatedHost::new(sandbox));
//! let client = Client::builder(endpoint.clone()).transport(recording.clone()).build()?;
//! let created = client.create(NewCharge::satoshis(4200, "tea")).await?;
//!
//! let replay = ReplayTransport::strict(recording.cassette()?);
//! let client = Client::builder(endpoint).simulated(&replay).build()?;
//! assert_eq!(client.create(NewCharge::satoshis(4200, "tea")).await?, created);
//! replay.finish()?;
//! # Ok(()) }
//! ```
//!
//! # Find a request that differs from the recorded one
//! ```
//! use strike_async::fixture::ReplayTransport;
//! use strike_async::{ApiKey, Client, Endpoint, Network};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cassette = r#"{ "format": "strike-cassette", "version": 1, "headers": [], "entries": [
//!     { "request": { "method": "GET", "path": "/api/v1/charges?page=0&size=30", "authorization": true },
//!       "answer": { "status": 200, "body": "[ ]" } } ] }"#;
//! let endpoint = Endpoint::new("http://127.0.0.1/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
//!
//! // A task requests the wrong page and ignores the error. The scope returns it.
//! let failed = ReplayTransport::strict(cassette.parse()?)
//!     .scope_async(async |host| {
//!         let client = Client::builder(endpoint).simulated(host).build().unwrap();
//!         let _ = tokio::spawn(async move { drop(client.list(1).await) }).await;
//!     })
//!     .await;
//! assert!(failed.unwrap_err().to_string().contains("query page"));
//! # Ok(()) }
//! ```

use std::task::Poll;
use std::time::Duration;

use strike_core::{Exchange, Now, Reply};

use crate::builder::ClientBuilder;
use crate::timer::Timer;
use crate::transport::{AsyncTransport, BoxFuture};

pub use strike_core::fixture::{
    Aspect, Cassette, Difference, Entry, FixtureError, MAX_STEPS, PendingRecording, Player, RecordTransport,
    Recorder, ReplayTransport, Responder, SIMULATION_START, SimulatedHost, Simulation, SimulationResult,
    TimedReply, Transcript, TranscriptEvent, TranscriptLine, simulate,
};

impl ClientBuilder {
    /// Uses a simulated host as the transport and the timer of the client, and a fixed seed for its jitter.
    pub fn simulated<R: Responder + Send + 'static>(self, host: &SimulatedHost<R>) -> Self {
        self.transport(host.clone()).timer(host.clone()).seed(0)
    }
}

impl<T: AsyncTransport> AsyncTransport for RecordTransport<T> {
    /// Makes and records the exchange. An exchange is not recorded if its future is dropped early.
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            let pending = self.record_request(&exchange);
            let reply = self.inner().exchange(exchange).await;
            self.record_reply(pending, &reply);
            reply
        })
    }
}

impl<R: Responder + Send> AsyncTransport for SimulatedHost<R> {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            yield_now().await;
            self.respond(exchange)
        })
    }
}

impl<R: Responder + Send> Timer for SimulatedHost<R> {
    fn now(&self) -> Now {
        self.virtual_now()
    }

    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            yield_now().await;
            self.advance(duration);
        })
    }
}

/// Yields to other tasks once. Virtual waits are always ready, so without this they would block a single-threaded executor.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
