//! The verbs that scenarios use, over each adapter and over core by hand. This is all that the three need apart.

use std::sync::Arc;

use strike_core::{
    Call, Charge, ChargeId, Create, Endpoint, Error, Get, List, Machine, NewCharge, Operation, Page,
    RetryPolicy, Seeds, Step, Wait, WaitPaid, Waited,
};
use tokio::runtime::Runtime;

use crate::world::World;

pub trait Client {
    fn create(&self, order: NewCharge) -> Result<Charge, Error>;
    fn get(&self, id: &ChargeId) -> Result<Charge, Error>;
    fn list(&self, page: u32) -> Result<Page, Error>;
    fn list_of(&self, list: List) -> Result<Page, Error>;
    fn wait(&self, charge: &Charge, wait: Wait) -> Result<Waited, Error>;
}

impl Client for strike_blocking::Client {
    fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.create(order)
    }

    fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.get(id)
    }

    fn list(&self, page: u32) -> Result<Page, Error> {
        self.list(page)
    }

    fn list_of(&self, list: List) -> Result<Page, Error> {
        self.send(list)
    }

    fn wait(&self, charge: &Charge, wait: Wait) -> Result<Waited, Error> {
        self.wait_until_paid(charge, wait)
    }
}

/// An async client with a runtime to block on.
pub struct OnRuntime {
    pub client: strike_async::Client,
    pub runtime: Runtime,
}

impl Client for OnRuntime {
    fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.runtime.block_on(self.client.create(order))
    }

    fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.runtime.block_on(self.client.get(id))
    }

    fn list(&self, page: u32) -> Result<Page, Error> {
        self.runtime.block_on(self.client.list(page))
    }

    fn list_of(&self, list: List) -> Result<Page, Error> {
        self.runtime.block_on(self.client.send(list))
    }

    fn wait(&self, charge: &Charge, wait: Wait) -> Result<Waited, Error> {
        self.runtime.block_on(self.client.wait_until_paid(charge, wait))
    }
}

/// No adapter at all: a machine, a world, and a loop that was written without looking at theirs.
pub struct ByHand {
    pub at: Endpoint,
    pub policy: RetryPolicy,
    pub seeds: Seeds,
    pub world: Arc<World>,
}

impl ByHand {
    fn send<Op: Operation>(&self, op: Op) -> Result<Op::Output, Error> {
        self.drive(Call::new(op, &self.at, self.policy, self.seeds.draw()))
    }

    fn drive<M: Machine>(&self, mut machine: M) -> Result<M::Output, Error> {
        let mut step = machine.poll(self.world.now());
        loop {
            match step {
                Step::Done(result) => return result,
                Step::Wait(duration) => self.world.wait(duration),
                Step::Send(exchange) => machine.handle(self.world.exchange(exchange), self.world.now()),
            }
            step = machine.poll(self.world.now());
        }
    }
}

impl Client for ByHand {
    fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.send(Create::new(order))
    }

    fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.send(Get::new(id.clone()))
    }

    fn list(&self, page: u32) -> Result<Page, Error> {
        self.send(List::page(page))
    }

    fn list_of(&self, list: List) -> Result<Page, Error> {
        self.send(list)
    }

    fn wait(&self, charge: &Charge, wait: Wait) -> Result<Waited, Error> {
        self.drive(WaitPaid::new(charge.clone(), wait, &self.at, self.policy, self.seeds.draw()))
    }
}
