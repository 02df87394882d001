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
//! use strike_blocking::fixture::SimulatedHost;
//! use strike_blocking::{ApiKey, Client, Endpoint, NewCharge, Wait, WaitOutcome};
//! use strike_sandbox::Sandbox;
//!
//! let sandbox = Sandbox::new();
//! let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
//! let host = SimulatedHost::new(sandbox);
//! let client = Client::builder(endpoint).simulated(&host).build()?;
//!
//! // Nobody pays, so the invoice expires after an hour of virtual time.
//! let charge = client.create(NewCharge::satoshis(4200, "tea"))?;
//! assert!(matches!(client.wait_until_paid(&charge, Wait::until_expiry())?, WaitOutcome::Expired(_)));
//! assert!(host.elapsed().as_secs() >= 3600);
//! println!("{}", host.transcript());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Record and replay
//! ```
//! use strike_blocking::fixture::{RecordTransport, ReplayTransport, SimulatedHost};
//! use strike_blocking::{ApiKey, Client, Endpoint, NewCharge};
//! use strike_sandbox::Sandbox;
//!
//! let sandbox = Sandbox::new();
//! let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
//! let recording = RecordTransport::new(SimulatedHost::new(sandbox));
//! let client = Client::builder(endpoint.clone()).transport(recording.clone()).build()?;
//! let created = client.create(NewCharge::satoshis(4200, "tea"))?;
//!
//! let replay = ReplayTransport::strict(recording.cassette()?);
//! let client = Client::builder(endpoint).simulated(&replay).build()?;
//! assert_eq!(client.create(NewCharge::satoshis(4200, "tea"))?, created);
//! replay.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Find a request that differs from the recorded one
//! ```
//! use strike_blocking::fixture::ReplayTransport;
//! use strike_blocking::{ApiKey, Client, Endpoint, Network};
//!
//! let cassette = r#"{ "format": "strike-cassette", "version": 1, "headers": [], "entries": [
//!     { "request": { "method": "GET", "path": "/api/v1/charges?page=0&size=30", "authorization": true },
//!       "answer": { "status": 200, "body": "[ ]" } } ] }"#;
//! let endpoint = Endpoint::new("http://127.0.0.1/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
//!
//! // A thread requests the wrong page and ignores the error. The scope returns it.
//! let failed = ReplayTransport::strict(cassette.parse()?).scope(|host| {
//!     let client = Client::builder(endpoint).simulated(host).build().unwrap();
//!     let _ = std::thread::spawn(move || drop(client.list(1))).join();
//! });
//! assert!(failed.unwrap_err().to_string().contains("query page"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::time::Duration;

use strike_core::{Exchange, Now, Reply};

use crate::builder::ClientBuilder;
use crate::timer::{Timer, Wake};
use crate::transport::Transport;

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

impl<T: Transport> Transport for RecordTransport<T> {
    fn exchange(&self, exchange: Exchange) -> Reply {
        let pending = self.record_request(&exchange);
        let reply = self.inner().exchange(exchange);
        self.record_reply(pending, &reply);
        reply
    }
}

impl<R: Responder + Send> Transport for SimulatedHost<R> {
    fn exchange(&self, exchange: Exchange) -> Reply {
        self.respond(exchange)
    }
}

impl<R: Responder + Send> Timer for SimulatedHost<R> {
    fn now(&self) -> Now {
        self.virtual_now()
    }

    fn wait(&self, duration: Duration, _: &Wake) {
        self.advance(duration);
    }
}
