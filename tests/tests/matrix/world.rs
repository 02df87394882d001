//! What surrounds a client: a service with a few charges, and clocks that move only when somebody waits.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use strike_async::BoxFuture;
use strike_blocking::{Client, FnTransport};
use strike_core::{Charge, ChargeId, NewCharge, Now, UnixMillis};
use strike_sandbox::{Quirks, Sandbox};
use strike_tests::secrets;

/// When it all begins: 2023-11-14T22:13:20Z.
const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// At which wait the payer pays whose order is paid while the clock jumps.
const PAID_AT: usize = 3;

/// Whoever waits more often than this will never end.
const MOST_WAITS: usize = 500;

/// A service whose invoices, ids and times are the same in every run.
pub fn sandbox(list_lag: Duration) -> Sandbox {
    let quirks = Quirks::new().list_lag(list_lag);
    Sandbox::builder().api_key(secrets::KEY).seed(7).clock_at(START).quirks(quirks).build()
}

/// The order that the operations are about.
pub fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

/// The service, its payer, and the client's two clocks.
pub struct World {
    pub sandbox: Sandbox,
    /// Charges that were there before.
    pub charges: Vec<Charge>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    monotonic: Duration,
    waits: usize,
    /// Where the wall clock goes when the first wait is over.
    jump: Jump,
    pays: Option<ChargeId>,
}

/// What the wall clock does during the first wait, beside running on.
#[derive(Debug, Clone, Copy, Default)]
pub enum Jump {
    #[default]
    None,
    Ahead(Duration),
    Back(Duration),
}

impl World {
    /// A world with three charges, none of them paid.
    pub fn new(list_lag: Duration) -> Self {
        let sandbox = sandbox(list_lag);
        let shop = sandbox.clone();
        let at = secrets::endpoint(sandbox.base_url()).unwrap();
        let client = Client::builder(at).transport(FnTransport::new(move |x| shop.reply(x))).build().unwrap();
        let charges = (0..3).map(|_| client.create(order()).unwrap()).collect();
        Self { sandbox, charges, state: Mutex::default() }
    }

    /// The charge that is asked about: the newest, so that it is the first of a list.
    pub fn order(&self) -> &Charge {
        &self.charges[2]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Has the wall clock jump during the first wait.
    pub fn jump(&self, jump: Jump) {
        self.state().jump = jump;
    }

    /// Has the payer pay, not at once, but while somebody waits.
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

    /// Time passes for the client and for the service, and for nobody else.
    fn pass(&self, duration: Duration) {
        let mut state = self.state();
        state.waits += 1;
        assert!(state.waits < MOST_WAITS, "no end is in sight");
        state.monotonic += duration;
        // The service counts whole milliseconds: moved to a moment, not by a duration, it keeps up with the client.
        let moment = START.saturating_add(state.monotonic);
        self.sandbox.advance_to(moment);
        if state.waits == PAID_AT
            && let Some(id) = state.pays.take()
        {
            self.sandbox.pay(&id).unwrap();
        }
    }
}

/// The world as a timer; it never sleeps.
pub struct Clocks(pub std::sync::Arc<World>);

impl strike_blocking::Timer for Clocks {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn wait(&self, duration: Duration, _: &strike_blocking::Wake) {
        self.0.pass(duration);
    }
}

impl strike_async::Timer for Clocks {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
        // When it is polled, as a timer does, and not when it is made.
        Box::pin(async move { self.0.pass(duration) })
    }
}
