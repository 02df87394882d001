//! The verbs that scenarios use, over each adapter and over core by hand. This is all that the three need apart.

use std::sync::{Arc, Mutex};

use strike_core::machine::{Machine, Operation, OrderMemory, OrderRecord, Step};
use strike_core::mirror::Mirror;
use strike_core::mirror::Query;
use strike_core::webhook::Notification;
use strike_core::{
    Charge, ChargeId, CoreClient, Create, CreateOutcome, Error, Event, Get, List, NewCharge, OrderKey, Page,
    Wait, WaitOutcome,
};
use tokio::runtime::Runtime;

use crate::world::World;

pub trait Client {
    fn create(&self, order: NewCharge) -> Result<Charge, Error>;
    fn get(&self, id: &ChargeId) -> Result<Charge, Error>;
    fn list(&self, page: u32) -> Result<Page, Error>;
    fn list_of(&self, list: List) -> Result<Page, Error>;
    fn wait(&self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error>;
    fn once(&self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error>;
    fn fetch(&self, mirror: Mirror, want: Query) -> Result<Charge, Error>;
    fn list_all(&self) -> Result<Vec<Charge>, Error>;
    fn watch(&self, charges: &[Charge]) -> Result<Vec<Event>, Error>;
    fn confirm(&self, hint: &Notification) -> Result<Charge, Error>;
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

    fn wait(&self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error> {
        self.wait_until_paid(charge, wait)
    }

    fn once(&self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error> {
        self.create_once(order, name)
    }

    fn fetch(&self, mirror: Mirror, want: Query) -> Result<Charge, Error> {
        let mut lazy = self.lazy_from(mirror);
        lazy.fetch(want)?;
        lazy.charge().cloned()
    }

    fn list_all(&self) -> Result<Vec<Charge>, Error> {
        self.list_all().page_size(2).collect()
    }

    fn watch(&self, charges: &[Charge]) -> Result<Vec<Event>, Error> {
        let mut watcher = self.watcher();
        charges.iter().for_each(|charge| watcher.add(charge));
        self.watch(watcher).collect()
    }

    fn confirm(&self, hint: &Notification) -> Result<Charge, Error> {
        self.confirm(hint)
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

    fn wait(&self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error> {
        self.runtime.block_on(self.client.wait_until_paid(charge, wait))
    }

    fn once(&self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error> {
        self.runtime.block_on(self.client.create_once(order, name))
    }

    fn fetch(&self, mirror: Mirror, want: Query) -> Result<Charge, Error> {
        let mut lazy = self.client.lazy_from(mirror);
        self.runtime.block_on(async {
            lazy.fetch(want).await?;
            lazy.charge().await.cloned()
        })
    }

    fn list_all(&self) -> Result<Vec<Charge>, Error> {
        let mut all = self.client.list_all().page_size(2);
        let mut charges = Vec::new();
        self.runtime.block_on(async {
            while let Some(charge) = all.next().await {
                charges.push(charge?);
            }
            Ok(charges)
        })
    }

    fn watch(&self, charges: &[Charge]) -> Result<Vec<Event>, Error> {
        let mut watcher = self.client.watcher();
        charges.iter().for_each(|charge| watcher.add(charge));
        let mut watch = self.client.watch(watcher);
        let mut events = Vec::new();
        self.runtime.block_on(async {
            while let Some(event) = watch.next().await {
                events.push(event?);
            }
            Ok(events)
        })
    }

    fn confirm(&self, hint: &Notification) -> Result<Charge, Error> {
        self.runtime.block_on(self.client.confirm(hint))
    }
}

/// No adapter at all: a machine, a world, and a loop that was written without looking at theirs.
pub struct ByHand {
    pub machines: CoreClient,
    pub orders: Mutex<OrderMemory<Mutex<OrderRecord>>>,
    pub world: Arc<World>,
}

impl ByHand {
    fn send<Op: Operation>(&self, op: Op) -> Result<Op::Output, Error> {
        self.drive(self.machines.call(op))
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

    fn wait(&self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error> {
        self.drive(self.machines.wait(charge.clone(), wait))
    }

    fn once(&self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error> {
        let lock = self.orders.lock().unwrap().lock_of(OrderKey::named(name));
        self.drive(self.machines.create_once_with(order, name, lock.lock().unwrap()))
    }

    fn fetch(&self, mut mirror: Mirror, want: Query) -> Result<Charge, Error> {
        self.drive(mirror.fetch(want, &self.machines))?;
        mirror.require_charge().cloned()
    }

    fn list_all(&self) -> Result<Vec<Charge>, Error> {
        let mut pager = self.machines.pager().page_size(2);
        let mut charges = Vec::new();
        while let Some(charge) = self.drive(pager.next())? {
            charges.push(charge);
        }
        Ok(charges)
    }

    fn watch(&self, charges: &[Charge]) -> Result<Vec<Event>, Error> {
        let mut watcher = self.machines.watcher();
        charges.iter().for_each(|charge| watcher.add(charge));
        let mut events = Vec::new();
        while let Some(event) = self.drive(watcher.next())? {
            events.push(event);
        }
        Ok(events)
    }

    fn confirm(&self, hint: &Notification) -> Result<Charge, Error> {
        self.send(hint.confirm())
    }
}
