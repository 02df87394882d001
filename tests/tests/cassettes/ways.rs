//! The three drivers, as one thing to a flow: core's own, the blocking client, the async client.

use std::sync::Mutex;

use strike_core::fixture::{Responder, Simulation};
use strike_core::machine::{Machine, OrderMemory, OrderRecord};
use strike_core::{
    Charge, ChargeId, CoreClient, Create, CreateOutcome, Error, Get, NewCharge, OrderKey, RetryPolicy, Wait,
    WaitOutcome,
};
use tokio::runtime::{Builder, Runtime};

use crate::flows::endpoint;

/// The seed of the adapters' simulated clients.
const SEED: u64 = 0;

pub trait Way {
    fn create(&mut self, order: NewCharge) -> Result<Charge, Error>;
    fn get(&mut self, id: &ChargeId) -> Result<Charge, Error>;
    fn once(&mut self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error>;
    fn wait(&mut self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error>;
}

pub struct ByCore<R> {
    machines: CoreClient,
    orders: OrderMemory<Mutex<OrderRecord>>,
    pub simulation: Simulation<R>,
}

impl<R: Responder> ByCore<R> {
    pub fn new(respond: R) -> Self {
        let machines = CoreClient::new(endpoint(), RetryPolicy::default(), SEED);
        Self { machines, orders: OrderMemory::default(), simulation: Simulation::new(respond) }
    }

    fn drive<M: Machine>(&mut self, machine: M) -> Result<M::Output, Error> {
        self.simulation.run(machine).unwrap()
    }
}

impl<R: Responder> Way for ByCore<R> {
    fn create(&mut self, order: NewCharge) -> Result<Charge, Error> {
        let call = self.machines.call(Create::new(order));
        self.drive(call)
    }

    fn get(&mut self, id: &ChargeId) -> Result<Charge, Error> {
        let call = self.machines.call(Get::new(id.clone()));
        self.drive(call)
    }

    fn once(&mut self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error> {
        let lock = self.orders.lock_of(OrderKey::named(name));
        let machine = self.machines.create_once_with(order, name, lock.lock().unwrap());
        self.simulation.run(machine).unwrap()
    }

    fn wait(&mut self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error> {
        let machine = self.machines.wait(charge.clone(), wait);
        self.drive(machine)
    }
}

impl Way for strike_blocking::Client {
    fn create(&mut self, order: NewCharge) -> Result<Charge, Error> {
        Self::create(self, order)
    }

    fn get(&mut self, id: &ChargeId) -> Result<Charge, Error> {
        Self::get(self, id)
    }

    fn once(&mut self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error> {
        self.create_once(order, name)
    }

    fn wait(&mut self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error> {
        self.wait_until_paid(charge, wait)
    }
}

/// An async client with a runtime to block on.
pub struct OnRuntime(pub strike_async::Client, pub Runtime);

impl OnRuntime {
    pub fn new(client: strike_async::Client) -> Self {
        // Without tokio's clock: nobody may need it.
        Self(client, Builder::new_current_thread().build().unwrap())
    }
}

impl Way for OnRuntime {
    fn create(&mut self, order: NewCharge) -> Result<Charge, Error> {
        self.1.block_on(self.0.create(order))
    }

    fn get(&mut self, id: &ChargeId) -> Result<Charge, Error> {
        self.1.block_on(self.0.get(id))
    }

    fn once(&mut self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error> {
        self.1.block_on(self.0.create_once(order, name))
    }

    fn wait(&mut self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error> {
        self.1.block_on(self.0.wait_until_paid(charge, wait))
    }
}
