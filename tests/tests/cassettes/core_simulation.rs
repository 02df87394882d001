//! Core without an adapter, in a simulation.

use std::sync::Mutex;

use strike_core::fixture::{Responder, Simulation, Transcript};
use strike_core::machine::Machine;
use strike_core::{CoreClient, Error, RetryPolicy};
use strike_tests::{CoreDriver, Drive};

use crate::flows::endpoint;

/// The seed of the adapters' simulated clients.
const SEED: u64 = 0;

/// A simulation that several calls can use.
pub struct SharedSimulation<R>(Mutex<Simulation<R>>);

impl<R: Responder> Drive for SharedSimulation<R> {
    fn drive<M: Machine>(&self, machine: M) -> Result<M::Output, Error> {
        self.0.lock().unwrap().run(machine).unwrap()
    }
}

impl<R: Responder> SharedSimulation<R> {
    pub fn transcript(&self) -> Transcript {
        self.0.lock().unwrap().transcript().clone()
    }

    /// Fails if the simulation ended with an error.
    pub fn finish(&self) {
        self.0.lock().unwrap().finish().unwrap();
    }
}

/// Core with a simulated server.
pub fn simulated<R: Responder>(respond: R) -> CoreDriver<SharedSimulation<R>> {
    let machines = CoreClient::new(endpoint(), RetryPolicy::default(), SEED);
    CoreDriver::new(machines, SharedSimulation(Mutex::new(Simulation::new(respond))))
}
