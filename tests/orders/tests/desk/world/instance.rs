//! One instance of a shop, with a runtime of its own, so that a test can let it crash.

use std::future::Future;

use strike_async::{Client, NewCharge, RetryPolicy, Schedule};
use strike_orders::{Desk, DeskBuilder, Error, Order};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::{Blocking, Clock, Gate, Till, Wire, World, millis, seconds};

/// A desk with one thread. Dropping it is like the end of its process.
pub struct Instance {
    pub desk: Desk,
    pub wire: Wire,
    runtime: Option<Runtime>,
}

impl Instance {
    /// Starts an instance with short intervals, and with these settings.
    pub async fn start(
        world: &World,
        clock: Clock,
        settings: impl FnOnce(DeskBuilder) -> DeskBuilder,
    ) -> Self {
        Self::try_start(world, clock, settings).await.unwrap()
    }

    /// Starts an instance, or returns why its desk cannot be opened.
    pub async fn try_start(
        world: &World,
        clock: Clock,
        settings: impl FnOnce(DeskBuilder) -> DeskBuilder,
    ) -> Result<Self, Error> {
        let wire = Wire::new(&world.host);
        let endpoint = world.host.sandbox.endpoint().unwrap();
        let client = Client::builder_with_transport(endpoint, wire.clone()).timer(clock);
        let client = client.retry(RetryPolicy::never()).build().unwrap();
        let builder = Desk::builder(client)
            .lease(millis(1500))
            .poll_interval(millis(50))
            .create_timeout(seconds(1))
            .grace(seconds(1))
            .schedule(Schedule::every(millis(50)))
            .max_connections(4);
        let (builder, url) = (settings(builder), world.db.url());
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let opened = runtime.spawn(async move { builder.connect(&url).await }).await.unwrap();
        match opened {
            Ok(desk) => Ok(Self { desk, wire, runtime: Some(runtime) }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Runs a call of the desk on the instance's own runtime.
    pub fn on<C, T, F>(&self, call: C) -> impl Future<Output = T> + use<C, T, F>
    where
        C: FnOnce(Desk) -> F,
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let task = self.spawn(call(self.desk.clone()));
        async { task.await.expect("the call should end") }
    }

    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime.as_ref().unwrap().spawn(future)
    }

    pub fn place(&self, name: &str, order: NewCharge) -> impl Future<Output = Result<Order, Error>> + use<> {
        let name = name.to_owned();
        self.on(|desk| async move { desk.place(&name, order).await })
    }

    pub fn renew(&self, name: &str, order: NewCharge) -> impl Future<Output = Result<Order, Error>> + use<> {
        let name = name.to_owned();
        self.on(|desk| async move { desk.renew(&name, order).await })
    }

    /// Places an order again until that succeeds, as the errors ask for.
    pub async fn place_patiently(&self, name: &str, order: NewCharge) -> Order {
        let mut placed = None;
        super::until("an order to be placed", async || match self.place(name, order.clone()).await {
            Ok(order) => placed.replace(order).is_none(),
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                false
            }
        })
        .await;
        placed.unwrap()
    }

    pub async fn order(&self, name: &str) -> Option<Order> {
        let name = name.to_owned();
        self.on(|desk| async move { desk.order(&name).await.unwrap() }).await
    }

    /// Runs the desk with a handler that books sales.
    pub fn run(&self, till: &Till) -> JoinHandle<Result<(), Error>> {
        let (desk, till) = (self.desk.clone(), till.clone());
        self.spawn(async move { desk.run(async move |event, tx| till.handle(&event, tx).await).await })
    }

    /// Blocks the only thread of the instance until the gate is opened.
    pub async fn freeze(&self) -> Gate {
        let gate = Gate::new(Blocking::Thread);
        let blocked = gate.clone();
        self.spawn(async move { blocked.pass().await });
        gate.arrived().await;
        gate
    }

    /// Ends every task where it is, as the end of the process would.
    pub fn crash(self) {
        drop(self);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
