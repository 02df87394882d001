//! The sandbox as the other side of a simulation: it answers, and its clock follows the simulation's.

use strike_core::fixture::{FixtureError, Responder, TimedReply};
use strike_core::{Exchange, Now, UnixMillis};

use crate::sandbox::Sandbox;

/// With feature `fixtures`. The simulation starts at the sandbox's time, and takes it along.
///
/// ```
/// use strike_core::fixture::Simulation;
/// use strike_core::{ApiKey, Create, Endpoint, CoreClient, NewCharge, RetryPolicy, Wait, WaitOutcome};
/// use strike_sandbox::Sandbox;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::new();
/// let at = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
/// let machines = CoreClient::new(at, RetryPolicy::default(), 7);
///
/// // Nobody pays, for an hour and a minute.
/// let mut simulation = Simulation::new(sandbox);
/// let charge = simulation.run(machines.call(Create::new(NewCharge::satoshis(4200, "tea"))))??;
/// let waited = simulation.run(machines.wait(charge, Wait::until_expiry()))??;
/// assert!(matches!(waited, WaitOutcome::Expired(_)));
/// assert!(simulation.elapsed().as_secs() >= 3600);
/// # Ok(()) }
/// ```
impl Responder for Sandbox {
    fn respond(&mut self, exchange: Exchange, now: Now) -> Result<TimedReply, FixtureError> {
        self.advance_to(now.unix);
        Ok(self.reply(exchange).into())
    }

    fn time_passes(&mut self, now: Now) {
        self.advance_to(now.unix);
    }

    fn starts(&self) -> Option<UnixMillis> {
        Some(self.now())
    }
}
