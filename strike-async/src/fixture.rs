//! Transports and a timer for tests: exchanges recorded and played, and a client in virtual time.
//!
//! | to | use |
//! | --- | --- |
//! | record what a client sends and gets | [`RecordTransport`] around any transport |
//! | play it again, offline | [`ReplayTransport`] |
//! | let an hour pass at once, against the sandbox or a closure | [`SimulatedHost`] |
//!
//! What a cassette is and what is compared, core's [`fixture`](strike_core::fixture) module says. Files are the test's affair:
//! `include_str!("order.json").parse()` reads one, `std::fs::write("order.json", cassette.to_json()?)` writes one.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use strike_core::{Endpoint, Exchange, Now, Reply};

use crate::builder::ClientBuilder;
use crate::timer::Timer;
use crate::transport::{AsyncTransport, BoxFuture};

pub use strike_core::fixture::{
    Asked, Aspect, Cassette, Difference, Entry, FixtureError, Line, MAX_STEPS, Player, Recorder, Responder,
    START, Simulation, SimulationResult, TimedReply, Transcript, TranscriptEvent, simulate,
};

/// Writes down what another transport does. A clone shares the recording, so that it can be read when the client has the
/// transport.
///
/// ```
/// use strike_async::fixture::{RecordTransport, ReplayTransport, SimulatedHost};
/// use strike_async::{ApiKey, Client, Endpoint, NewCharge};
/// use strike_sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::new();
/// let at = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
/// let recording = RecordTransport::new(SimulatedHost::new(sandbox));
/// let client = Client::builder(at.clone()).transport(recording.clone()).build()?;
/// let made = client.create(NewCharge::satoshis(4200, "tea")).await?;
///
/// let replay = ReplayTransport::strict(recording.cassette()?);
/// let client = replay.client(at).build()?;
/// assert_eq!(client.create(NewCharge::satoshis(4200, "tea")).await?, made);
/// replay.finish()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RecordTransport<T>(Arc<Recording<T>>);

#[derive(Debug)]
struct Recording<T> {
    transport: T,
    recorder: Mutex<Recorder>,
}

impl<T> RecordTransport<T> {
    /// Records by the usual rules: a few headers, and no key.
    pub fn new(transport: T) -> Self {
        Self::with(transport, Recorder::new())
    }

    /// Records by rules of the caller's own.
    pub fn with(transport: T, recorder: Recorder) -> Self {
        Self(Arc::new(Recording { transport, recorder: Mutex::new(recorder) }))
    }

    /// What was recorded so far.
    ///
    /// # Errors
    /// [`FixtureError::TooLarge`] if there was more than a cassette may hold.
    pub fn cassette(&self) -> Result<Cassette, FixtureError> {
        locked(&self.0.recorder).cassette()
    }
}

impl<T> Clone for RecordTransport<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: AsyncTransport> AsyncTransport for RecordTransport<T> {
    /// An exchange that is given up is not recorded.
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            let asked = locked(&self.0.recorder).ask(&exchange);
            let reply = self.0.transport.exchange(exchange).await;
            locked(&self.0.recorder).answer(asked, &reply);
            reply
        })
    }
}

/// Plays a cassette to a client that lives in virtual time, so that its waits take none.
///
/// A request that is not what was recorded fails with a difference that people can read, as the source of the client's
/// error, and so does every one after it. Run the test inside [`scope`](SimulatedHost::scope), which reports this and whether
/// entries are left, whatever the test does with its clients.
///
/// ```
/// use strike_async::fixture::ReplayTransport;
/// use strike_async::{ApiKey, Endpoint, Network};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cassette = r#"{ "format": "strike-cassette", "version": 1, "headers": [], "entries": [
///     { "request": { "method": "GET", "path": "/api/v1/charges?page=0&size=30", "authorization": true },
///       "failure": { "kind": "refused", "delivery": "unsent" } },
///     { "request": { "method": "GET", "path": "/api/v1/charges?page=0&size=30", "authorization": true },
///       "answer": { "status": 200, "body": "[ ]" } } ] }"#;
/// let replay = ReplayTransport::strict(cassette.parse()?);
/// let at = Endpoint::new("http://127.0.0.1/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let client = replay.client(at).build()?;
/// assert_eq!(client.list(0).await?.rows(), 0);
/// replay.finish()?;
/// # Ok(()) }
/// ```
pub type ReplayTransport = SimulatedHost<Player>;

impl ReplayTransport {
    /// Plays every entry, in the order of the cassette.
    #[must_use]
    pub fn strict(cassette: Cassette) -> Self {
        Self::new(Player::strict(cassette))
    }

    /// Plays every entry once, in any order: for programs that send at the same time.
    #[must_use]
    pub fn by_match(cassette: Cassette) -> Self {
        Self::new(Player::by_match(cassette))
    }
}

/// Somebody who answers, and virtual time: a transport and a timer in one. Clones are the same.
///
/// Time moves only when somebody waits on it, and by the delays of a cassette; nothing ever sleeps. As transport alone, it works
/// with any timer. A sandbox with its feature `fixtures` can answer, and its clock then follows.
///
/// # How a failed test is noticed
/// A test fails by the replies of a [`Player`] if a request differs from the recorded one or if entries are left.
///
/// | how | what it catches |
/// | --- | --- |
/// | [`scope`](Self::scope) | everything up to its end, also in tasks that it started, with clients that are leaked or still in use |
/// | [`finish`](Self::finish) | the same, if the test calls it and looks at the result |
/// | dropping the last clone | only what nobody has asked for with `finish`, and only where the panic is seen |
///
/// Dropping panics in the thread that drops the last clone. A test does not see that panic if this happens in a background
/// task that it never joins. Nothing is dropped at all if a clone is leaked, for example with [`std::mem::forget`].
///
/// # Panics
/// Dropping the last clone panics if the test has failed and nobody has called `finish` since the last exchange, unless the
/// thread panics already.
///
/// ```
/// use strike_async::fixture::SimulatedHost;
/// use strike_async::{ApiKey, Endpoint, NewCharge, Wait, WaitOutcome};
/// use strike_sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::new();
/// let at = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
/// let host = SimulatedHost::new(sandbox);
/// let client = host.client(at).build()?;
///
/// // Nobody pays, for an hour and a minute.
/// let charge = client.create(NewCharge::satoshis(4200, "tea")).await?;
/// assert!(matches!(client.wait_until_paid(&charge, Wait::until_expiry()).await?, WaitOutcome::Expired(_)));
/// assert!(host.elapsed().as_secs() >= 3600);
/// println!("{}", host.transcript());
/// # Ok(()) }
/// ```
pub struct SimulatedHost<R: Responder>(Arc<Inner<R>>);

struct Inner<R: Responder> {
    simulation: Mutex<Simulation<R>>,
    finished: AtomicBool,
    /// Whether `finish` has returned an error: then a panic would say it twice.
    reported: AtomicBool,
}

impl<R: Responder> SimulatedHost<R> {
    /// A simulation that starts when `respond` says: a sandbox at its time, a cassette when it was recorded, a closure at
    /// [`START`].
    pub fn new(respond: R) -> Self {
        Self::of(Simulation::new(respond))
    }

    /// A simulation with other clocks or bounds.
    pub fn of(simulation: Simulation<R>) -> Self {
        let [finished, reported] = [false; 2].map(AtomicBool::new);
        Self(Arc::new(Inner { simulation: Mutex::new(simulation), finished, reported }))
    }

    /// What was sent and waited for so far.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        locked(&self.0.simulation).transcript().clone()
    }

    /// How much virtual time has passed.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        locked(&self.0.simulation).elapsed()
    }

    /// Runs a test with this host, then [finishes](Self::finish).
    ///
    /// Exchanges after the end of `test` are not part of it: join every task that must be done by then. A task that still
    /// has to send leaves entries over, which is an error.
    ///
    /// # Errors
    /// Those of [`finish`](Self::finish), whatever `test` returns.
    ///
    /// ```
    /// use strike_async::fixture::ReplayTransport;
    /// use strike_async::{ApiKey, Endpoint, Network};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cassette = r#"{ "format": "strike-cassette", "version": 1, "headers": [], "entries": [
    ///     { "request": { "method": "GET", "path": "/api/v1/charges?page=0&size=30", "authorization": true },
    ///       "answer": { "status": 200, "body": "[ ]" } } ] }"#;
    /// let at = Endpoint::new("http://127.0.0.1/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
    ///
    /// // A task that nobody looks at asks for the wrong page. The test notices.
    /// let failed = ReplayTransport::strict(cassette.parse()?)
    ///     .scope(async |host| {
    ///         let client = host.client(at).build().unwrap();
    ///         let _ = tokio::spawn(async move { drop(client.list(1).await) }).await;
    ///     })
    ///     .await;
    /// assert!(failed.unwrap_err().to_string().contains("query page"));
    /// # Ok(()) }
    /// ```
    pub async fn scope<T>(self, test: impl AsyncFnOnce(&Self) -> T) -> Result<T, FixtureError> {
        let outcome = test(&self).await;
        self.finish().map(|()| outcome)
    }

    /// Ends the test: says whether all was as expected. [`scope`](Self::scope) cannot be forgotten.
    ///
    /// # Errors
    /// What went wrong first: a request that is not what was recorded, a client that finds no end, or entries that are left.
    pub fn finish(&self) -> Result<(), FixtureError> {
        let mut simulation = locked(&self.0.simulation);
        let outcome = simulation.finish();
        self.0.finished.store(true, Ordering::SeqCst);
        self.0.reported.store(outcome.is_err(), Ordering::SeqCst);
        outcome
    }

    fn make(&self, exchange: Exchange) -> Reply {
        let mut simulation = locked(&self.0.simulation);
        if !self.0.reported.load(Ordering::SeqCst) {
            // The test was not over when it was finished.
            self.0.finished.store(false, Ordering::SeqCst);
        }
        simulation.exchange(exchange)
    }
}

impl<R: Responder + Send + 'static> SimulatedHost<R> {
    /// A client in the making that lives here: with this as transport and timer, and jitter that is always the same.
    pub fn client(&self, at: Endpoint) -> ClientBuilder {
        ClientBuilder::with_transport(at, self.clone()).timer(self.clone()).seed(0)
    }
}

impl<R: Responder> Clone for SimulatedHost<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Responder> Drop for Inner<R> {
    #[expect(clippy::panic, reason = "a test that has failed must not pass because it forgot to ask")]
    fn drop(&mut self) {
        let asked = self.finished.load(Ordering::SeqCst) || std::thread::panicking();
        if !asked && let Err(error) = locked(&self.simulation).finish() {
            panic!("{error}");
        }
    }
}

impl<R: Responder + Send> AsyncTransport for SimulatedHost<R> {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            others_first().await;
            self.make(exchange)
        })
    }
}

impl<R: Responder + Send> Timer for SimulatedHost<R> {
    fn now(&self) -> Now {
        locked(&self.0.simulation).now()
    }

    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            others_first().await;
            locked(&self.0.simulation).wait(duration);
        })
    }
}

/// Lets other tasks go on: what never really waits would keep an executor of one thread to itself.
async fn others_first() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<R: Responder> fmt::Debug for SimulatedHost<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimulatedHost").field(&*locked(&self.0.simulation)).finish()
    }
}

/// What a lock holds, whoever panicked while holding it: a test that fails should fail with its own words.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
