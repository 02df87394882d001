//! `Desk`: the shared state of everything that works on orders.

use std::fmt;
use std::sync::Arc;

use strike_async::Client;

use crate::runner::Runner;
use crate::settings::Settings;
use crate::signal::Signal;
use crate::store::Store;

/// Places orders, watches their charges, and tells your handler how each ended. Cloning is cheap.
///
/// All desks on one database share its orders, also those of other processes.
///
/// ```
/// use strike_orders::strike_async::{Client, Exchange, NewCharge};
/// use strike_orders::{Desk, Event};
/// use strike_sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The sandbox implements the API in memory. `Client::from_env()` connects to a real server instead.
/// let sandbox = Sandbox::new();
/// let server = sandbox.clone();
/// let transport = move |exchange: Exchange| std::future::ready(server.reply(exchange));
/// let client = Client::builder_with_transport(sandbox.endpoint()?, transport).build()?;
///
/// let desk = Desk::connect("sqlite::memory:", client).await?;
/// let order = desk.place("order-17", NewCharge::satoshis(4200, "a pot of tea")).await?;
/// println!("please pay {}", order.payment_request());
/// sandbox.pay(order.charge().id())?; // the payer pays
///
/// let stop = desk.clone();
/// desk.run(async |event, _tx| {
///     if let Event::Paid { order, .. } = event {
///         println!("{} is paid", order.name());
///     }
///     stop.stop();
///     Ok(())
/// })
/// .await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    pub(crate) signal: Signal,
    pub(crate) runner: Runner,
    #[cfg(feature = "postgres")]
    listener: Option<tokio::task::JoinHandle<()>>,
}

impl Desk {
    pub(crate) fn new(store: Store, client: Client, settings: Settings) -> Self {
        let signal = Signal::new();
        #[cfg(feature = "postgres")]
        let listener = crate::listen::spawn(&store, &signal);
        Self(Arc::new(Inner {
            store,
            client,
            settings,
            signal,
            runner: Runner::default(),
            #[cfg(feature = "postgres")]
            listener,
        }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Returns the client that creates and reads charges.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }
}

#[cfg(feature = "postgres")]
impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("store", &self.0.store)
            .field("client", &self.0.client)
            .finish_non_exhaustive()
    }
}
