//! The client: verbs of one line each, and the loop that drives every machine.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use strike_core::machine::{Machine, Operation, OrderMemory, OrderRecord, Step};
use strike_core::mirror::Mirror;
use strike_core::webhook::Notification;
use strike_core::{
    Charge, ChargeId, CheckedInvoice, CoreClient, Create, CreateOnceOptions, CreateOutcome, Endpoint, Error,
    Expectation, Get, List, Mismatch, NewCharge, Now, OrderKey, Page, Wait, WaitOutcome, Watcher,
};

use crate::builder::ClientBuilder;
use crate::charges::Charges;
use crate::entropy;
use crate::lazy::Lazy;
use crate::timer::{Timer, Wake};
use crate::transport::Transport;
use crate::watch::Watch;

/// A client of one [`Endpoint`]. Cloning is cheap, and clones share their connections.
///
/// ```
/// use strike_blocking::{ApiKey, Client, Endpoint, FnTransport, NewCharge};
/// use strike_sandbox::Sandbox;
///
/// // The service in a box, in memory; `Client::new(at)` talks to a real host instead.
/// let sandbox = Sandbox::new();
/// let at = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
/// let shop = sandbox.clone();
/// let client = Client::builder(at).transport(FnTransport::new(move |x| shop.reply(x))).build()?;
///
/// let charge = client.create(NewCharge::satoshis(4200, "services rendered"))?;
/// assert!(charge.payment_request().starts_with("lntb42u1"));
/// sandbox.pay(charge.id())?;
/// assert!(client.get(charge.id())?.is_paid());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) machines: CoreClient,
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) timer: Box<dyn Timer>,
    pub(crate) orders: Orders,
}

/// One lock for each order that was handled lately: there is one create at a time per key.
pub(crate) type Orders = Mutex<OrderMemory<RecordLock>>;
type RecordLock = Mutex<OrderRecord>;

impl Client {
    pub(crate) fn from_inner(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// A client with the usual transport, clocks and retries.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the transport cannot be set up. Nothing is sent.
    #[cfg(feature = "ureq")]
    pub fn new(at: Endpoint) -> Result<Self, Error> {
        Self::builder(at).build()
    }

    /// A client with a transport, clocks, retries or a seed of the caller's own.
    pub fn builder(at: Endpoint) -> ClientBuilder {
        ClientBuilder::new(at)
    }

    pub(crate) fn now(&self) -> Now {
        self.0.timer.now()
    }

    pub(crate) fn machines(&self) -> &CoreClient {
        &self.0.machines
    }

    /// The host, and how far it is trusted.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.0.machines.endpoint()
    }

    /// Makes a charge, and checks that answer and invoice say what the order says.
    ///
    /// # Errors
    /// [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) if a charge may have been made although no good
    /// answer came: it is never posted again. Everything else is in the table of [`Call`](crate::strike_core::machine::Call).
    pub fn create(&self, order: NewCharge) -> Result<Charge, Error> {
        self.send(Create::new(order))
    }

    /// Reads one charge.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none with this id; see the table of [`Call`](crate::strike_core::machine::Call).
    pub fn get(&self, id: &ChargeId) -> Result<Charge, Error> {
        self.send(Get::new(id.clone()))
    }

    /// Reads a page of 30 charges, newest first; the first is page 0. [`send`](Self::send) a [`List`] for other sizes.
    ///
    /// # Errors
    /// See the table of [`Call`](crate::strike_core::machine::Call).
    pub fn list(&self, page: u32) -> Result<Page, Error> {
        self.send(List::page(page))
    }

    /// Creates a charge once per key, or finds the one that the order has already.
    ///
    /// `once` is the order's name, or an [`CreateOnceOptions`] with more to say. The result says what to do: show the charge, complete the
    /// order, or create the order's next invoice.
    ///
    /// ```
    /// use strike_blocking::{Charge, Client, Error, CreateOutcome, NewCharge, CreateOnceOptions, Wait, WaitOutcome};
    ///
    /// /// Returns the charge that paid for the order. Complete the order unless this charge's id has completed it before.
    /// fn sell(client: &Client, order: NewCharge, name: &str) -> Result<Option<Charge>, Error> {
    ///     let mut once = CreateOnceOptions::named(name);
    ///     loop {
    ///         match client.create_once(order.clone(), once)? {
    ///             CreateOutcome::Payable(charge) => {
    ///                 println!("please pay {}", charge.payment_request());
    ///                 return Ok(match client.wait_until_paid(&charge, Wait::until_expiry())? {
    ///                     WaitOutcome::Paid(charge) => Some(charge),
    ///                     WaitOutcome::Payable(_) | WaitOutcome::Expired(_) => None,
    ///                 });
    ///             }
    ///             CreateOutcome::Paid(charge) => return Ok(Some(charge)),
    ///             // Create the order's next invoice.
    ///             CreateOutcome::Expired { next, .. } => once = next,
    ///         }
    ///     }
    /// }
    /// # let _ = sell;
    /// ```
    ///
    /// All calls of this client and its clones with the same key run one after the other, and the later ones get the first
    /// one's charge. After an unknown outcome, the client does not create again under that key for 10 minutes, unless
    /// [`CreateOnceOptions::repost`] allows it. It remembers the 10,000 orders that were used last. **Another process does not share that
    /// memory**: there, and after a restart, the list must show the charge before the call is repeated. See
    /// [`CreateOnce`](crate::strike_core::machine::CreateOnce).
    ///
    /// A new order is looked for in the whole list of the account, in pages of 250. [`CreateOnceOptions::since`] says how far back to look.
    ///
    /// # Errors
    /// [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) if there may be a charge that cannot be found or read: call
    /// again later, with the same key. A mismatch if the key has a charge that does not say what the order says.
    pub fn create_once(
        &self,
        order: NewCharge,
        once: impl Into<CreateOnceOptions>,
    ) -> Result<CreateOutcome, Error> {
        let once = once.into();
        let lock = self.lock_of(once.key());
        let record = lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.drive(self.0.machines.create_once_with(order, once, record))
    }

    /// The lock of an order.
    pub(crate) fn lock_of(&self, key: OrderKey) -> Arc<RecordLock> {
        self.0.orders.lock().unwrap_or_else(PoisonError::into_inner).lock_of(key)
    }

    /// Every charge of the account, newest first, each once.
    pub fn list_all(&self) -> Charges {
        Charges::new(self.clone(), self.0.machines.pager())
    }

    /// Re-reads the charge that a webhook named: only this answer says whether it is paid.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn confirm(&self, hint: &Notification) -> Result<Charge, Error> {
        self.send(hint.confirm())
    }

    /// Checks a charge against an order, before a payer sees its invoice: see [`Charge::check`]. Sends nothing.
    ///
    /// The client's own clock, less [`CLOCK_MARGIN`](crate::strike_core::CLOCK_MARGIN), decides whether the invoice has expired.
    ///
    /// ```
    /// use strike_blocking::{Expectation, NewCharge};
    /// # use strike_blocking::{ApiKey, Client, Endpoint, FnTransport};
    /// # use strike_sandbox::Sandbox;
    /// # let sandbox = Sandbox::new();
    /// # let at = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
    /// # let shop = sandbox.clone();
    /// # let client = Client::builder(at).transport(FnTransport::new(move |x| shop.reply(x))).build()?;
    /// let order = NewCharge::satoshis(4200, "services rendered");
    /// let charge = client.create(order.clone())?;
    /// let invoice = client.check(&charge, &Expectation::of(&order, client.endpoint().network()))?;
    /// assert!(invoice.to_uri().starts_with("lightning:lntb42u1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Mismatch`] names the first field that differs.
    pub fn check(&self, charge: &Charge, expected: &Expectation) -> Result<CheckedInvoice, Mismatch> {
        self.0.machines.check(charge, expected, self.0.timer.now())
    }

    /// A charge that is created when an attribute needs it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the system has no entropy for its key. Nothing is sent.
    pub fn lazy(&self, order: NewCharge) -> Result<Lazy, Error> {
        let mirror = Mirror::draft(order, entropy::order_key()?, self.now().unix);
        Ok(Lazy::with_new_key(self.clone(), mirror))
    }

    /// A charge that exists, retrieved when an attribute needs it.
    #[must_use]
    pub fn lazy_from_id(&self, id: ChargeId) -> Lazy {
        self.lazy_from(Mirror::known(id))
    }

    /// A charge that was kept.
    #[must_use]
    pub fn lazy_from(&self, mirror: Mirror) -> Lazy {
        Lazy::new(self.clone(), mirror)
    }

    /// A watcher for [`watch`](Self::watch), to which charges are added.
    pub fn watcher(&self) -> Watcher {
        self.0.machines.watcher()
    }

    /// Watches pending charges: an endless source of what becomes of them, until nothing is pending.
    pub fn watch(&self, watcher: Watcher) -> Watch {
        Watch::new(self.clone(), watcher)
    }

    /// Waits until the charge is paid, has expired, or the caller has waited long enough: a
    /// [`Duration`](std::time::Duration), or a [`Wait`] with more to say.
    ///
    /// # Errors
    /// If asking fails in a way that does not pass. That nobody paid is not an error; see [`WaitPaid`](crate::strike_core::machine::WaitPaid).
    pub fn wait_until_paid(&self, charge: &Charge, wait: impl Into<Wait>) -> Result<WaitOutcome, Error> {
        self.drive(self.0.machines.wait(charge.clone(), wait))
    }

    /// Carries out any operation, with retries.
    ///
    /// # Errors
    /// See the table of [`Call`](crate::strike_core::machine::Call).
    pub fn send<Op: Operation>(&self, op: Op) -> Result<Op::Output, Error> {
        self.drive(self.0.machines.call(op))
    }

    /// Drives any machine to its end. Pass `&mut machine` to keep it.
    ///
    /// # Errors
    /// The machine's own.
    pub fn drive<M: Machine>(&self, machine: M) -> Result<M::Output, Error> {
        self.drive_until(machine, &Wake::default())
    }

    /// The loop: asks the machine, moves the bytes, waits.
    pub(crate) fn drive_until<M: Machine>(&self, mut machine: M, wake: &Wake) -> Result<M::Output, Error> {
        let Inner { transport, timer, .. } = &*self.0;
        loop {
            match machine.poll(timer.now()) {
                Step::Send(exchange) => {
                    let reply = transport.exchange(exchange);
                    machine.handle(reply, timer.now());
                }
                Step::Wait(duration) => timer.wait(duration, wake),
                Step::Done(result) => return result,
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("machines", &self.0.machines).finish_non_exhaustive()
    }
}
