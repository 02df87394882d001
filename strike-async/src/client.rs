//! `Client`: one method for each operation.

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
/// use strike_async::{Client, Exchange, NewCharge};
/// use strike_sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The sandbox implements the API in memory. `Client::new(endpoint)` connects to a real server instead.
/// let sandbox = Sandbox::new();
/// let endpoint = sandbox.endpoint()?;
/// let server = sandbox.clone();
/// let client = Client::builder(endpoint).transport(move |x: Exchange| std::future::ready(server.reply(x))).build()?;
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
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the default transport
    /// cannot be set up, or if the operating system provides no random seed. Nothing is sent.
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

    /// Creates a client from the environment variables `STRIKE_BACKEND`, `STRIKE_BASE_URL`,
    /// `STRIKE_API_KEY` and `STRIKE_NETWORK`.
    ///
    /// [`Endpoint::from_variables`] describes them, and two more for webhooks. No other function reads the environment.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with the name of the
    /// missing or invalid variable.
    #[cfg(feature = "reqwest")]
    pub fn from_env() -> Result<Self, Error> {
        Self::new(Endpoint::from_variables(std::env::var_os)?)
    }

    /// Starts building a client with settings of your own.
    #[cfg(feature = "reqwest")]
    pub fn builder(endpoint: Endpoint) -> ClientBuilder {
        ClientBuilder::new(endpoint)
    }

    /// Starts building a client with your own transport. It works without the feature `reqwest`;
    /// without the feature `tokio` it also needs your own [timer](ClientBuilder::timer).
    pub fn builder_with_transport(
        endpoint: Endpoint,
        transport: impl AsyncTransport + 'static,
    ) -> ClientBuilder {
        ClientBuilder::with_transport(endpoint, transport)
    }

    /// Returns a copy of this client with another retry policy, for one call or for many.
    ///
    /// The copy shares connections, timer and the records of orders with this client.
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
    /// Returns [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) if the server may
    /// have created a charge but no valid response arrived. The client does not send the request
    /// again. Use [`create_once`](Self::create_once) to have that case handled for you. The table
    /// of [`Call`](crate::machine::Call) lists the other errors.
    pub async fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.0.run("create", self.0.core().call(Create::new(order))).await
    }

    /// Reads one charge.
    ///
    /// # Errors
    /// Returns [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if this account has no charge
    /// with this id. The table of [`Call`](crate::machine::Call) lists the other errors.
    pub async fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.0.run("get", self.0.core().call(Get::new(id.clone()))).await
    }

    /// Reads a page of at most 30 charges, newest first. The first page is 0.
    ///
    /// For another page size, pass a [`List`] to [`send`](Self::send), or use
    /// [`list_all`](Self::list_all).
    ///
    /// # Errors
    /// See the table of [`Call`](crate::machine::Call).
    pub async fn list(&self, page: u32) -> Result<Page, Error> {
        self.0.run("list", self.0.core().call(List::page(page))).await
    }

    /// Creates one charge per order, even if you call it again after an error or a restart.
    ///
    /// `options` is the name of the order, or [`CreateOnceOptions`] with more settings. The outcome
    /// tells you what to do next: show the charge to the payer, complete the order, or create the
    /// order's next invoice.
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
    /// Calls with the same key on this client and its clones run one after the other, and return
    /// the same charge. After an unknown outcome, the client does not create a charge with that key
    /// for 10 minutes, unless [`CreateOnceOptions::repost`] permits it. The client keeps records of
    /// the 10,000 most recently used orders.
    ///
    /// **Another process does not share these records.** In another process, or after a restart,
    /// the client finds the charge only if the server's list already contains it.
    /// [`CreateOnce`](crate::machine::CreateOnce) describes the steps. The crate `strike-orders`
    /// keeps orders in a database, and places each once over several processes and restarts.
    ///
    /// For its first new order, the client searches the account's whole list.
    /// [`CreateOnceOptions::since`] limits the search. Later searches read only what is newer: usually
    /// one or two requests. Calls at the same time share them.
    ///
    /// # Errors
    /// - [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) if a charge may exist that
    ///   cannot be found or read. Call again later with the same key.
    /// - [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch) if the key has a charge that does not
    ///   match the order.
    /// - The errors in the table of [`Call`](crate::machine::Call).
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

    /// Checks the credential, the network and the base URL, without creating a charge.
    ///
    /// Call it when your program starts. [`SetupCheck`](crate::machine::SetupCheck) lists the
    /// requests for each backend.
    ///
    /// # Errors
    /// Returns a [`Mismatch`](crate::ErrorKind::Mismatch) of `credential` if the password or the
    /// key can also spend money, and of `network` if the node is on another network. The table of
    /// [`Call`](crate::machine::Call) lists the other errors.
    pub async fn check_setup(&self) -> Result<(), Error> {
        self.0.run("check_setup", self.0.core().check_setup()).await
    }

    /// Reads the charge of a webhook notification.
    ///
    /// Anyone can send a webhook, so only the response to this request proves that the charge is
    /// paid.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn confirm(&self, notification: &Notification) -> Result<Charge, Error> {
        self.0.run("confirm", self.0.core().call(notification.confirm())).await
    }

    /// Checks a charge against an order before you show its invoice to a payer; see
    /// [`Charge::check`]. Sends nothing.
    ///
    /// The local clock minus [`CLOCK_MARGIN`](crate::CLOCK_MARGIN) decides whether the invoice has
    /// expired.
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
    /// Returns a [`Mismatch`] that names the first field that differs.
    pub fn check(&self, charge: &Charge, expected: &Expectation) -> Result<CheckedInvoice, Mismatch> {
        self.0.core().check(charge, expected, self.0.now())
    }

    /// Returns a charge that is created when you first use one of its attributes.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the operating system
    /// provides no random bytes for the order key. Nothing is sent.
    pub fn lazy(&self, order: NewCharge) -> Result<Lazy, Error> {
        let mirror = Mirror::draft(order, entropy::order_key()?, self.0.now().unix);
        Ok(Lazy::with_new_key(self.0.clone(), mirror))
    }

    /// Returns the charge with this id, which is read when you first use one of its attributes.
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

    /// Watches pending charges. Returns a stream of their events: paid, expired and failed.
    pub fn watch(&self, watcher: Watcher) -> Watch {
        Watch::new(self.0.clone(), watcher)
    }

    /// Polls until the charge is paid, its invoice has expired, or the time limit is reached.
    ///
    /// `wait` is a [`Duration`](std::time::Duration), or a [`Wait`] with more settings.
    ///
    /// # Errors
    /// Returns an error if polling keeps failing. An unpaid charge is not an error. See
    /// [`WaitPaid`](crate::machine::WaitPaid).
    pub async fn wait_until_paid(
        &self,
        charge: &Charge,
        wait: impl Into<Wait>,
    ) -> Result<WaitOutcome, Error> {
        self.0.run("wait_until_paid", self.0.core().wait(charge.clone(), wait)).await
    }

    /// Runs any operation, with retries.
    ///
    /// # Errors
    /// See the table of [`Call`](crate::machine::Call).
    pub async fn send<Op: Operation>(&self, operation: Op) -> Result<Op::Output, Error> {
        self.0.run(Op::NAME, self.0.core().call(operation)).await
    }

    /// Runs any machine until it returns its result. Pass `&mut machine` to keep it.
    ///
    /// Create machines with [`core`](Self::core).
    ///
    /// # Errors
    /// Returns the errors of the machine.
    pub async fn drive<M: Machine>(&self, machine: M) -> Result<M::Output, Error> {
        self.0.run("drive", machine).await
    }

    /// Returns the sans-IO client, which creates machines for [`drive`](Self::drive).
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
