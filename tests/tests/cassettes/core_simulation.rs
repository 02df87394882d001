//! Core without an adapter, in a simulation.

use std::sync::Mutex;

use strike_core::fixture::{Respond, Simulation, Transcript};
use strike_core::{Error, Machine, Machines, RetryPolicy};
use strike_tests::{CoreDriver, Drive};

use crate::flows::endpoint;

/// The seed of the adapters' simulated clients.
const SEED: u64 = 0;

/// A simulation that several calls can use.
pub struct SharedSimulation<R>(Mutex<Simulation<R>>);

impl<R: Respond> Drive for SharedSimulation<R> {
    fn drive<M: Machine>(&self, machine: M) -> Result<M::Output, Error> {
        self.0.lock().unwrap().run(machine).unwrap()
    }
}

impl<R: Respond> SharedSimulation<R> {
    pub fn transcript(&self) -> Transcript {
        self.0.lock().unwrap().transcript().clone()
    }

    /// Fails if the simulation ended with an error.
    pub fn finish(&self) {
        self.0.lock().unwrap().finish().unwrap();
    }
}

/// Core with a simulated server.
pub fn simulated<R: Respond>(respond: R) -> CoreDriver<SharedSimulation<R>> {
    let machines = Machines::new(endpoint(), RetryPolicy::default(), SEED);
    CoreDriver::new(machines, SharedSimulation(Mutex::new(Simulation::new(respond))))
}
