//! One trait for the blocking client, the async client, and core without an adapter, so that a test
//! runs with all three.

use std::sync::{Arc, Mutex, PoisonError};

use strike_core::machine::{Machine, Operation, OrderMemory, OrderRecord};
use strike_core::mirror::Mirror;
use strike_core::mirror::Query;
use strike_core::webhook::Notification;
use strike_core::{
    Charge, ChargeId, CoreClient, Create, CreateOutcome, Error, Event, Get, List, NewCharge, OrderKey, Page,
    Wait, WaitOutcome, Watcher,
};
use tokio::runtime::{Builder, Runtime};

/// The operations that the tests need, as blocking methods.
#[expect(clippy::missing_errors_doc, reason = "every method returns the client's error")]
pub trait AnyClient {
    /// Creates a charge.
    fn create(&self, order: NewCharge) -> Result<Charge, Error>;
    /// Creates a charge once, under the name of an order.
    fn create_once(&self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error>;
    /// Reads a charge.
    fn get(&self, id: &ChargeId) -> Result<Charge, Error>;
    /// Reads a page of the list.
    fn list(&self, page: u32) -> Result<Page, Error>;
    /// Sends a list request with options of its own.
    fn send_list(&self, list: List) -> Result<Page, Error>;
    /// Reads the whole list, with pages of two rows.
    fn list_all(&self) -> Result<Vec<Charge>, Error>;
    /// Waits until the charge is paid or can no longer be paid.
    fn wait_until_paid(&self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error>;
    /// Fetches a lazy charge.
    fn fetch(&self, mirror: Mirror, want: Query) -> Result<Charge, Error>;
    /// Watches charges until none is pending.
    fn watch(&self, charges: &[Charge]) -> Result<Vec<Event>, Error>;
    /// Watches charges until the first event, and tolerates this many failures in a row.
    fn first_event(&self, charges: &[Charge], tolerate: u32) -> Result<Option<Event>, Error>;
    /// Confirms a webhook.
    fn confirm(&self, hint: &Notification) -> Result<Charge, Error>;
}

/// The page size of [`AnyClient::list_all`]: small, so that a short list has several pages.
const PAGE_SIZE: u32 = 2;

/// The timers of these tests end each wait at once, but exchanges over sockets take real time. So no
/// wait may run beside an exchange.
fn one_at_a_time(watcher: Watcher) -> Watcher {
    watcher.max_in_flight(1)
}

impl AnyClient for strike_blocking::Client {
    fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.create(order)
    }

    fn create_once(&self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error> {
        self.create_once(order, name)
    }

    fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.get(id)
    }

    fn list(&self, page: u32) -> Result<Page, Error> {
        self.list(page)
    }

    fn send_list(&self, list: List) -> Result<Page, Error> {
        self.send(list)
    }

    fn list_all(&self) -> Result<Vec<Charge>, Error> {
        self.list_all().page_size(PAGE_SIZE).collect()
    }

    fn wait_until_paid(&self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error> {
        self.wait_until_paid(charge, wait)
    }

    fn fetch(&self, mirror: Mirror, want: Query) -> Result<Charge, Error> {
        let mut lazy = self.lazy_from(mirror);
        lazy.fetch(want)?;
        lazy.charge().cloned()
    }

    fn watch(&self, charges: &[Charge]) -> Result<Vec<Event>, Error> {
        let mut watcher = one_at_a_time(self.watcher());
        charges.iter().for_each(|charge| watcher.add(charge));
        self.watch(watcher).collect()
    }

    fn first_event(&self, charges: &[Charge], tolerate: u32) -> Result<Option<Event>, Error> {
        let mut watcher = one_at_a_time(self.watcher()).max_failures(tolerate);
        charges.iter().for_each(|charge| watcher.add(charge));
        self.watch(watcher).next().transpose()
    }

    fn confirm(&self, hint: &Notification) -> Result<Charge, Error> {
        self.confirm(hint)
    }
}

/// An async client with a runtime to block on.
#[derive(Debug)]
pub struct AsyncClient {
    client: strike_async::Client,
    runtime: Runtime,
}

impl AsyncClient {
    /// Gives the client a runtime with sockets and timers.
    ///
    /// # Panics
    /// Panics if the runtime cannot be started.
    #[must_use]
    pub fn new(client: strike_async::Client) -> Self {
        Self::with_runtime(client, Builder::new_current_thread().enable_all())
    }

    /// Gives the client a runtime without sockets and timers, to show that it needs neither.
    ///
    /// # Panics
    /// Panics if the runtime cannot be started.
    #[must_use]
    pub fn without_drivers(client: strike_async::Client) -> Self {
        Self::with_runtime(client, &mut Builder::new_current_thread())
    }

    #[expect(clippy::expect_used, reason = "for tests only")]
    fn with_runtime(client: strike_async::Client, builder: &mut Builder) -> Self {
        let runtime = builder.build().expect("a runtime should start");
        Self { client, runtime }
    }
}

impl AnyClient for AsyncClient {
    fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.runtime.block_on(self.client.create(order))
    }

    fn create_once(&self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error> {
        self.runtime.block_on(self.client.create_once(order, name))
    }

    fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.runtime.block_on(self.client.get(id))
    }

    fn list(&self, page: u32) -> Result<Page, Error> {
        self.runtime.block_on(self.client.list(page))
    }

    fn send_list(&self, list: List) -> Result<Page, Error> {
        self.runtime.block_on(self.client.send(list))
    }

    fn list_all(&self) -> Result<Vec<Charge>, Error> {
        let mut all = self.client.list_all().page_size(PAGE_SIZE);
        let mut charges = Vec::new();
        self.runtime.block_on(async {
            while let Some(charge) = all.next().await {
                charges.push(charge?);
            }
            Ok(charges)
        })
    }

    fn wait_until_paid(&self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error> {
        self.runtime.block_on(self.client.wait_until_paid(charge, wait))
    }

    fn fetch(&self, mirror: Mirror, want: Query) -> Result<Charge, Error> {
        let mut lazy = self.client.lazy_from(mirror);
        self.runtime.block_on(async {
            lazy.fetch(want).await?;
            lazy.charge().await.cloned()
        })
    }

    fn watch(&self, charges: &[Charge]) -> Result<Vec<Event>, Error> {
        let mut watcher = one_at_a_time(self.client.watcher());
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

    fn first_event(&self, charges: &[Charge], tolerate: u32) -> Result<Option<Event>, Error> {
        let mut watcher = one_at_a_time(self.client.watcher()).max_failures(tolerate);
        charges.iter().for_each(|charge| watcher.add(charge));
        let mut watch = self.client.watch(watcher);
        self.runtime.block_on(async { watch.next().await.transpose() })
    }

    fn confirm(&self, hint: &Notification) -> Result<Charge, Error> {
        self.runtime.block_on(self.client.confirm(hint))
    }
}

/// Runs a state machine of core to its end.
pub trait Drive {
    /// Sends the machine's requests, waits when it asks to, and returns its result.
    ///
    /// # Errors
    /// Returns the machine's error.
    fn drive<M: Machine>(&self, machine: M) -> Result<M::Output, Error>;
}

impl<D: Drive> Drive for Arc<D> {
    fn drive<M: Machine>(&self, machine: M) -> Result<M::Output, Error> {
        (**self).drive(machine)
    }
}

/// Core without an adapter: its state machines, and a loop that runs them.
#[derive(Debug)]
pub struct CoreDriver<D> {
    /// Runs the machines.
    pub driver: D,
    machines: CoreClient,
    orders: Mutex<OrderMemory<Mutex<OrderRecord>>>,
}

impl<D: Drive> CoreDriver<D> {
    /// Drives these machines.
    #[must_use]
    pub fn new(machines: CoreClient, driver: D) -> Self {
        Self { driver, machines, orders: Mutex::default() }
    }

    fn send<Op: Operation>(&self, op: Op) -> Result<Op::Output, Error> {
        self.driver.drive(self.machines.call(op))
    }
}

impl<D: Drive> AnyClient for CoreDriver<D> {
    fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.send(Create::new(order))
    }

    fn create_once(&self, order: NewCharge, name: &str) -> Result<CreateOutcome, Error> {
        let lock = self.orders.lock().unwrap_or_else(PoisonError::into_inner).lock_of(OrderKey::named(name));
        let record = lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.driver.drive(self.machines.create_once_with(order, name, record))
    }

    fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.send(Get::new(id.clone()))
    }

    fn list(&self, page: u32) -> Result<Page, Error> {
        self.send(List::page(page))
    }

    fn send_list(&self, list: List) -> Result<Page, Error> {
        self.send(list)
    }

    fn list_all(&self) -> Result<Vec<Charge>, Error> {
        let mut pager = self.machines.pager().page_size(PAGE_SIZE);
        let mut charges = Vec::new();
        while let Some(charge) = self.driver.drive(pager.next())? {
            charges.push(charge);
        }
        Ok(charges)
    }

    fn wait_until_paid(&self, charge: &Charge, wait: Wait) -> Result<WaitOutcome, Error> {
        self.driver.drive(self.machines.wait(charge.clone(), wait))
    }

    fn fetch(&self, mut mirror: Mirror, want: Query) -> Result<Charge, Error> {
        self.driver.drive(mirror.fetch(want, &self.machines))?;
        mirror.require_charge().cloned()
    }

    fn watch(&self, charges: &[Charge]) -> Result<Vec<Event>, Error> {
        let mut watcher = self.machines.watcher();
        charges.iter().for_each(|charge| watcher.add(charge));
        let mut events = Vec::new();
        while let Some(event) = self.driver.drive(watcher.next())? {
            events.push(event);
        }
        Ok(events)
    }

    fn first_event(&self, charges: &[Charge], tolerate: u32) -> Result<Option<Event>, Error> {
        let mut watcher = self.machines.watcher().max_failures(tolerate);
        charges.iter().for_each(|charge| watcher.add(charge));
        self.driver.drive(watcher.next())
    }

    fn confirm(&self, hint: &Notification) -> Result<Charge, Error> {
        self.send(hint.confirm())
    }
}
