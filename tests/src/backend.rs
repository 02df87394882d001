//! A sandbox that is spoken to in one dialect.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strike_core::fixture::{FixtureError, Responder, TimedReply};
use strike_core::{
    ChargeId, Endpoint, Exchange, HttpRequest, HttpResponse, InvalidInput, Now, Reply, UnixMillis,
};
use strike_sandbox::{ChargeState, PayError, Sandbox};

use crate::Dialect;
use crate::lnbits::{Lnbits, LnbitsQuirks};

/// The origin of a server in memory.
pub const ORIGIN: &str = "http://127.0.0.1";

/// A sandbox in one dialect. The sandbox speaks Strike's and phoenixd's itself. For LNbits it is the
/// node below a wallet.
#[derive(Debug, Clone)]
pub struct Backend {
    /// The dialect.
    pub dialect: Dialect,
    /// The service, with the charges of all dialects.
    pub sandbox: Sandbox,
    lnbits: Arc<Mutex<Lnbits>>,
    /// Payments to make later.
    payments: Arc<Mutex<Vec<(UnixMillis, ChargeId)>>>,
}

impl Backend {
    /// Speaks a dialect with a sandbox.
    #[must_use]
    pub fn new(dialect: Dialect, sandbox: Sandbox) -> Self {
        Self::with_quirks(dialect, sandbox, LnbitsQuirks::default())
    }

    /// Like [`new`](Self::new), with optional behaviours of LNbits.
    #[must_use]
    pub fn with_quirks(dialect: Dialect, sandbox: Sandbox, quirks: LnbitsQuirks) -> Self {
        let lnbits = Arc::new(Mutex::new(Lnbits::new(sandbox.api_key(), quirks)));
        Self { dialect, sandbox, lnbits, payments: Arc::default() }
    }

    /// Returns the wallet, if the dialect is LNbits.
    pub fn lnbits(&self) -> MutexGuard<'_, Lnbits> {
        self.lnbits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the API key, the limited password or the invoice key.
    #[must_use]
    pub fn secret(&self) -> String {
        match self.dialect {
            Dialect::Phoenixd => self.sandbox.phoenixd_password(),
            Dialect::Strike | Dialect::Lnbits => self.sandbox.api_key().to_owned(),
        }
    }

    /// Returns the endpoint of a client, at any origin.
    ///
    /// # Errors
    /// Returns an error if the origin is not valid.
    pub fn endpoint_at(&self, origin: &str) -> Result<Endpoint, InvalidInput> {
        self.dialect.endpoint(origin, &self.secret(), self.sandbox.network())
    }

    /// Returns the endpoint of a client in memory.
    ///
    /// # Errors
    /// Returns an error if the secret is not valid.
    pub fn endpoint(&self) -> Result<Endpoint, InvalidInput> {
        self.endpoint_at(ORIGIN)
    }

    /// Makes an exchange, with the faults of the sandbox.
    ///
    /// # Errors
    /// Returns the error of a fault.
    pub fn reply(&self, exchange: Exchange) -> Reply {
        match self.dialect {
            Dialect::Strike | Dialect::Phoenixd => self.sandbox.reply(exchange),
            Dialect::Lnbits => self.lnbits().exchange(exchange, &mut self.sandbox.clone()),
        }
    }

    /// Responds to a request of a sandbox without faults.
    ///
    /// # Panics
    /// Panics if the sandbox has a fault that breaks the connection.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests only")]
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let exchange = Exchange::new(request.clone(), Duration::from_secs(60), 64 << 20);
        self.reply(exchange).expect("a sandbox without faults should respond")
    }

    /// Pays a charge.
    ///
    /// # Errors
    /// Returns why the charge was not paid.
    pub fn pay(&self, id: &ChargeId) -> Result<(), PayError> {
        // The sandbox finds a charge by its payment hash, too.
        self.sandbox.pay(id).map(drop)
    }

    /// Pays a charge at a later time, if a simulation moves the clock.
    pub fn pay_at(&self, id: &ChargeId, moment: UnixMillis) {
        let mut payments = self.payments.lock().unwrap_or_else(PoisonError::into_inner);
        payments.push((moment, id.clone()));
    }

    /// Moves the clock, and makes the payments that become due.
    fn advance_to(&self, moment: UnixMillis) {
        let mut payments = self.payments.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, id) in payments.extract_if(.., |(at, _)| *at <= moment) {
            self.sandbox.advance_to(at);
            // A test notices a payment that fails: its charge stays unpaid.
            let _ = self.pay(&id);
        }
        self.sandbox.advance_to(moment);
    }

    /// Returns true if the node has received the payment of a charge.
    #[must_use]
    pub fn is_paid(&self, id: &ChargeId) -> bool {
        self.sandbox.charge(id).is_some_and(|charge| charge.state() == ChargeState::Paid)
    }
}

/// The backend in a simulation. It takes its time from the simulation's clock.
impl Responder for Backend {
    fn respond(&mut self, exchange: Exchange, now: Now) -> Result<TimedReply, FixtureError> {
        self.advance_to(now.unix);
        Ok(self.reply(exchange).into())
    }

    fn time_passes(&mut self, now: Now) {
        self.advance_to(now.unix);
    }

    fn starts(&self) -> Option<UnixMillis> {
        Some(self.sandbox.now())
    }
}
