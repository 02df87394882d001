//! Lets a sandbox act as the server of a simulation. Its clock follows the simulation's clock.

use strike_core::fixture::{FixtureError, Responder, TimedReply};
use strike_core::{Exchange, Now, UnixMillis};

use crate::sandbox::Sandbox;

/// Available with the feature `fixtures`. The simulation starts at the sandbox's time and moves the
/// sandbox's clock.
///
/// ```
/// use strike_core::fixture::Simulation;
/// use strike_core::{CoreClient, Create, NewCharge, RetryPolicy, Wait, WaitOutcome};
/// use strike_sandbox::Sandbox;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::new();
/// let client = CoreClient::new(sandbox.endpoint()?, RetryPolicy::default(), 7);
///
/// // Nobody pays, so the invoice expires after one hour of simulated time.
/// let mut simulation = Simulation::new(sandbox);
/// let charge = simulation.run(client.call(Create::new(NewCharge::satoshis(4200, "tea"))))??;
/// let waited = simulation.run(client.wait(charge, Wait::until_expiry()))??;
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
