//! The client: one short method for each operation.

use std::fmt;

use strike_core::machine::{Machine, Operation};
use strike_core::mirror::Mirror;
use strike_core::webhook::Notification;
use strike_core::{
    Charge, ChargeId, CheckedInvoice, CoreClient, Create, CreateOnceOptions, CreateOutcome, Endpoint, Error,
    Expectation, Get, List, Mismatch, NewCharge, Page, RetryPolicy, Wait, WaitOutcome, Watcher,
};

use crate::builder::ClientBuilder;
use crate::charges::Charges;
use crate::driver::Driver;
use crate::entropy;
use crate::lazy::Lazy;
use crate::transport::AsyncTransport;
use crate::watch::Watch;

/// A client for one [`Endpoint`]. Cloning is cheap, and clones share connections.
///
/// ```
/// use strike_async::{Client, FnTransport, NewCharge};
/// use strike_sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The sandbox is the service in memory. `Client::new(endpoint)` connects to a real host instead.
/// let sandbox = Sandbox::new();
/// let endpoint = sandbox.endpoint()?;
/// let shop = sandbox.clone();
/// let client = Client::builder(endpoint).transport(FnTransport::new(move |x| std::future::ready(shop.reply(x)))).build()?;
///
/// let charge = client.create(NewCharge::satoshis(4200, "services rendered")).await?;
/// assert!(charge.payment_request().starts_with("lntb42u1"));
/// sandbox.pay(charge.id())?;
/// assert!(client.get(charge.id()).await?.is_paid());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(Driver);

impl ClientBuilder {
    /// Builds the client.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the default transport cannot be set up, or if the
    /// operating system provides no seed. Nothing is sent.
    pub fn build(self) -> Result<Client, Error> {
        self.into_driver().map(Client)
    }
}

impl Client {
    /// Creates a client with the default transport, timer and retry policy.
    ///
    /// # Errors
    /// As [`ClientBuilder::build`].
    #[cfg(feature = "reqwest")]
    pub fn new(endpoint: Endpoint) -> Result<Self, Error> {
        Self::builder(endpoint).build()
    }

    /// Creates a client from the environment variables `STRIKE_BASE_URL`, `STRIKE_API_KEY` and `STRIKE_NETWORK`.
    ///
    /// [`Endpoint::from_variables`] describes them. Nothing else reads the environment.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) names the variable that is missing or not valid.
    #[cfg(feature = "reqwest")]
    pub fn from_env() -> Result<Self, Error> {
        Self::new(Endpoint::from_variables(std::env::var_os)?)
    }

    /// Starts building a client with settings of your own.
    #[cfg(feature = "reqwest")]
    pub fn builder(endpoint: Endpoint) -> ClientBuilder {
        ClientBuilder::new(endpoint)
    }

    /// Starts building a client with your own transport. It works without the feature `reqwest`; without the feature
    /// `tokio` it also needs your own [timer](ClientBuilder::timer).
    pub fn builder_with_transport(
        endpoint: Endpoint,
        transport: impl AsyncTransport + 'static,
    ) -> ClientBuilder {
        ClientBuilder::with_transport(endpoint, transport)
    }

    /// Returns the same client with another retry policy, for one call or for many.
    ///
    /// It shares connections, timer and the memory of orders with this one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use strike_async::{Charge, ChargeId, Client, Error, RetryPolicy};
    ///
    /// /// Reads a charge with one attempt of at most 2 s.
    /// async fn read_quickly(client: &Client, id: &ChargeId) -> Result<Charge, Error> {
    ///     client.with(RetryPolicy::never().timeout(Duration::from_secs(2))).get(id).await
    /// }
    /// # let _ = read_quickly;
    /// ```
    #[must_use]
    pub fn with(&self, policy: RetryPolicy) -> Self {
        Self(self.0.with_policy(policy))
    }

    /// Returns the endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.0.core().endpoint()
    }

    /// Creates a charge, and checks that the response and its invoice match the order.
    ///
    /// # Errors
    /// [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) if the server may have created a charge without a
    /// valid response. The request is not sent again; use [`create_once`](Self::create_once) if you want that handled
    /// for you. The table of [`Call`](crate::machine::Call) lists everything else.
    pub async fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.0.run("create", self.0.core().call(Create::new(order))).await
    }

    /// Reads one charge.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if this account has no charge with this id; otherwise see the
    /// table of [`Call`](crate::machine::Call).
    pub async fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.0.run("get", self.0.core().call(Get::new(id.clone()))).await
    }

    /// Reads a page of at most 30 charges, newest first. The first page is 0.
    ///
    /// [Send](Self::send) a [`List`] for another page size, or use [`list_all`](Self::list_all).
    ///
    /// # Errors
    /// See the table of [`Call`](crate::machine::Call).
    pub async fn list(&self, page: u32) -> Result<Page, Error> {
        self.0.run("list", self.0.core().call(List::page(page))).await
    }

    /// Creates one charge per order, also if you call it again after an error or a restart.
    ///
    /// `options` is the name of the order, or [`CreateOnceOptions`] with more settings. The outcome says what to do next:
    /// show the charge to the payer, complete the order, or create the order's next invoice.
    ///
    /// ```
    /// use strike_async::{Client, CreateOnceOptions, CreateOutcome, Error, NewCharge, PaidCharge, Wait, WaitOutcome};
    ///
    /// /// Returns the charge that paid for the order. Complete the order, unless this charge has completed it before.
    /// async fn sell(client: &Client, order: NewCharge, name: &str) -> Result<Option<PaidCharge>, Error> {
    ///     let mut options = CreateOnceOptions::named(name);
    ///     loop {
    ///         match client.create_once(order.clone(), options).await? {
    ///             CreateOutcome::Payable(charge) => {
    ///                 println!("please pay {}", charge.payment_request());
    ///                 return match client.wait_until_paid(&charge, Wait::until_expiry()).await? {
    ///                     WaitOutcome::Paid(charge) => Ok(Some(charge)),
    ///                     WaitOutcome::Payable(_) | WaitOutcome::Expired(_) => Ok(None),
    ///                 };
    ///             }
    ///             CreateOutcome::Paid(charge) => return Ok(Some(charge)),
    ///             // Create the order's next invoice.
    ///             CreateOutcome::Expired { next, .. } => options = next,
    ///         }
    ///     }
    /// }
    /// # let _ = sell;
    /// ```
    ///
    /// Calls with the same key on this client and its clones run one after the other and return the same charge. After
    /// an unknown outcome, the client does not create again under that key for 10 minutes, unless
    /// [`CreateOnceOptions::repost`] allows it. It remembers the 10,000 most recently used orders.
    ///
    /// **Another process does not share that memory.** There, and after a restart, the list must already show the charge
    /// when you call again. [`CreateOnce`](crate::machine::CreateOnce) describes the steps.
    ///
    /// For a new order, the client searches the account's whole list, in pages of 250.
    /// [`CreateOnceOptions::since`] limits the search.
    ///
    /// # Errors
    /// [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) if there may be a charge that cannot be found or
    /// read: call again later, with the same key. A [`Mismatch`] if the key has a charge that does not match the order.
    pub async fn create_once(
        &self,
        order: NewCharge,
        options: impl Into<CreateOnceOptions>,
    ) -> Result<CreateOutcome, Error> {
        let options = options.into();
        let lock = self.0.order_lock(options.key());
        let record = lock.lock().await;
        self.0.run("create_once", self.0.core().create_once_with(order, options, record)).await
    }

    /// Returns every charge of the account, newest first, each once.
    pub fn list_all(&self) -> Charges {
        Charges::new(self.0.clone(), self.0.core().pager())
    }

    /// Reads the charge that a webhook named. Only this response says whether it is paid.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn confirm(&self, notification: &Notification) -> Result<Charge, Error> {
        self.0.run("confirm", self.0.core().call(notification.confirm())).await
    }

    /// Checks a charge against an order before you show its invoice to a payer; see [`Charge::check`]. Sends nothing.
    ///
    /// The client's own clock, less [`CLOCK_MARGIN`](crate::CLOCK_MARGIN), decides whether the invoice has expired.
    ///
    /// ```
    /// use strike_async::{Charge, Client, Expectation, Mismatch, NewCharge};
    ///
    /// /// Returns the text of the QR code for the payer.
    /// fn qr_text(client: &Client, order: &NewCharge, charge: &Charge) -> Result<String, Mismatch> {
    ///     let expected = Expectation::of(order, client.endpoint().network());
    ///     Ok(client.check(charge, &expected)?.to_qr_text())
    /// }
    /// # let _ = qr_text;
    /// ```
    ///
    /// # Errors
    /// [`Mismatch`] names the first field that differs.
    pub fn check(&self, charge: &Charge, expected: &Expectation) -> Result<CheckedInvoice, Mismatch> {
        self.0.core().check(charge, expected, self.0.now())
    }

    /// Returns a charge that is created when you first use one of its attributes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the operating system provides no entropy for its
    /// key. Nothing is sent.
    pub fn lazy(&self, order: NewCharge) -> Result<Lazy, Error> {
        let mirror = Mirror::draft(order, entropy::order_key()?, self.0.now().unix);
        Ok(Lazy::with_new_key(self.0.clone(), mirror))
    }

    /// Returns an existing charge, which is read when you first use one of its attributes.
    #[must_use]
    pub fn lazy_from_id(&self, id: ChargeId) -> Lazy {
        self.lazy_from(Mirror::known(id))
    }

    /// Returns a charge that you stored as a [`Mirror`].
    #[must_use]
    pub fn lazy_from(&self, mirror: Mirror) -> Lazy {
        Lazy::new(self.0.clone(), mirror)
    }

    /// Returns an empty watcher. Add charges to it, and pass it to [`watch`](Self::watch).
    pub fn watcher(&self) -> Watcher {
        self.0.core().watcher()
    }

    /// Watches pending charges: returns a stream of paid, expired and failed events.
    pub fn watch(&self, watcher: Watcher) -> Watch {
        Watch::new(self.0.clone(), watcher)
    }

    /// Waits until the charge is paid, its invoice has expired, or the time is up.
    ///
    /// `wait` is a [`Duration`](std::time::Duration), or a [`Wait`] with more settings.
    ///
    /// # Errors
    /// If polling keeps failing. An unpaid charge is not an error; see [`WaitPaid`](crate::machine::WaitPaid).
    pub async fn wait_until_paid(
        &self,
        charge: &Charge,
        wait: impl Into<Wait>,
    ) -> Result<WaitOutcome, Error> {
        self.0.run("wait_until_paid", self.0.core().wait(charge.clone(), wait)).await
    }

    /// Carries out any operation, with retries.
    ///
    /// # Errors
    /// See the table of [`Call`](crate::machine::Call).
    pub async fn send<Op: Operation>(&self, operation: Op) -> Result<Op::Output, Error> {
        self.0.run(Op::NAME, self.0.core().call(operation)).await
    }

    /// Runs any machine to its end. Pass `&mut machine` to keep it.
    ///
    /// [`core`](Self::core) makes machines.
    ///
    /// # Errors
    /// The machine's own.
    pub async fn drive<M: Machine>(&self, machine: M) -> Result<M::Output, Error> {
        self.0.run("drive", machine).await
    }

    /// Returns the sans-IO client inside, which makes machines for [`drive`](Self::drive).
    #[must_use]
    pub fn core(&self) -> &CoreClient {
        self.0.core()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(self.0.core()).finish()
    }
}
