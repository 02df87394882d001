//! The environment of a client: a service with three charges, and clocks that advance only when the
//! client waits.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use strike_async::BoxFuture;
use strike_blocking::Client;
use strike_blocking::fixture::SimulatedHost;
use strike_core::{Charge, ChargeId, Exchange, NewCharge, Now, UnixMillis};
use strike_sandbox::Quirks;
use strike_tests::lnbits::LnbitsQuirks;
use strike_tests::{Backend, Dialect, ORIGIN, secrets};

/// The start of the virtual clock: 2023-11-14T22:13:20Z.
const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// The wait during which the payer pays, if [`World::pay_later`] was called.
const PAID_AT: usize = 3;

/// The limit of waits, to stop a client that never ends.
const MAX_WAITS: usize = 500;

/// With this seed, the ids and the payment hashes of the charges sort in the same order. So a watch
/// reads the charges in the same order in every dialect.
const SEED: u64 = 9;

/// A service with the same invoices, ids and times in every run.
pub fn backend(dialect: Dialect, list_lag: Duration) -> Backend {
    let quirks = Quirks::new().list_lag(list_lag);
    let sandbox = secrets::sandbox().seed(SEED).clock_at(START).quirks(quirks).build();
    Backend::with_quirks(dialect, sandbox, LnbitsQuirks { list_lag, ..LnbitsQuirks::default() })
}

/// The order that the operations create.
pub fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

/// The service, its payer, and the client's clocks.
pub struct World {
    pub backend: Backend,
    /// The charges that existed at the start.
    pub charges: Vec<Charge>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    monotonic: Duration,
    waits: usize,
    /// How the wall clock jumps during the first wait.
    jump: Jump,
    pays: Option<ChargeId>,
}

/// A jump of the wall clock, in addition to the time that passes.
#[derive(Debug, Clone, Copy, Default)]
pub enum Jump {
    #[default]
    None,
    Ahead(Duration),
    Back(Duration),
}

impl World {
    /// Creates the environment, with three unpaid charges.
    pub fn new(dialect: Dialect, list_lag: Duration) -> Self {
        let backend = backend(dialect, list_lag);
        let shop = backend.clone();
        let endpoint = secrets::endpoint_in(dialect, ORIGIN).unwrap();
        let clocks = SimulatedHost::new(backend.sandbox.clone());
        let client = Client::builder(endpoint).simulated(&clocks).transport(move |x: Exchange| shop.reply(x));
        let client = client.build().unwrap();
        let charges = (0..3).map(|_| client.create(order()).unwrap()).collect();
        Self { backend, charges, state: Mutex::default() }
    }

    /// The charge that the operations read. It is the newest, so it is the first of a list.
    pub fn order(&self) -> &Charge {
        &self.charges[2]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Makes the wall clock jump during the first wait.
    pub fn jump(&self, jump: Jump) {
        self.state().jump = jump;
    }

    /// Makes the payer pay during a later wait.
    pub fn pay_later(&self, id: &ChargeId) {
        self.state().pays = Some(id.clone());
    }

    fn now(&self) -> Now {
        let state = self.state();
        let unix = START.saturating_add(state.monotonic);
        let unix = match state.jump {
            Jump::Ahead(by) if state.waits > 0 => unix.saturating_add(by),
            Jump::Back(by) if state.waits > 0 => unix.saturating_sub(by),
            _ => unix,
        };
        Now::new(state.monotonic, unix)
    }

    /// Advances the client's and the service's clocks.
    fn advance(&self, duration: Duration) {
        let mut state = self.state();
        state.waits += 1;
        assert!(state.waits < MAX_WAITS, "the client does not end");
        state.monotonic += duration;
        // The service counts whole milliseconds. Adding durations would make the clocks diverge.
        let moment = START.saturating_add(state.monotonic);
        self.backend.sandbox.advance_to(moment);
        if state.waits == PAID_AT
            && let Some(id) = state.pays.take()
        {
            self.backend.pay(&id).unwrap();
        }
    }
}

/// The environment as a timer that never sleeps.
pub struct Clocks(pub std::sync::Arc<World>);

impl strike_blocking::Timer for Clocks {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn wait(&self, duration: Duration, _: &strike_blocking::Wake) {
        self.0.advance(duration);
    }
}

impl strike_async::Timer for Clocks {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
        // Time must advance when the future is polled, not when it is created.
        Box::pin(async move { self.0.advance(duration) })
    }
}
