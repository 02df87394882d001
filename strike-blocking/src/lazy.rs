//! pystrike's charge: it talks to the server when an attribute needs it, and never again once paid.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use strike_core::mirror::Mirror;
use strike_core::mirror::{Change, Query};
use strike_core::{Charge, ChargeId, Error, PaymentHash, Satoshi, UnixMillis};

use crate::driver::Driver;

/// A charge that is created when it is needed and retrieved when it is asked about.
///
/// What does not change is asked for once. [`paid`](Self::paid) asks again until it is true, and never after.
/// Every method that may ask says so by returning a [`Result`]; a failure leaves the charge as it was, or
/// [in doubt](strike_core::mirror::State::InDoubt), and asking again goes on from there.
///
/// ```
/// use strike_blocking::{Client, FnTransport, NewCharge};
/// use strike_sandbox::Sandbox;
///
/// let sandbox = Sandbox::new();
/// let endpoint = sandbox.endpoint()?;
/// let shop = sandbox.clone();
/// let client = Client::builder(endpoint).transport(FnTransport::new(move |x| shop.reply(x))).build()?;
///
/// let mut charge = client.lazy(NewCharge::satoshis(4200, "services rendered"))?;
/// assert_eq!(sandbox.requests(), 0);
/// assert!(charge.payment_request()?.starts_with("lntb42u1"));
/// assert!(!charge.paid()?);
/// sandbox.pay(charge.id()?)?;
/// assert!(charge.paid()?);
/// let so_far = sandbox.requests();
/// assert!(charge.paid()?);
/// assert_eq!(sandbox.requests(), so_far);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It cannot be cloned, since two copies of a charge that is not created yet could create two.
#[derive(Debug)]
pub struct Lazy {
    driver: Driver,
    mirror: Mirror,
    /// Whether nobody else has ever seen the mirror, and so its key.
    new_key: AtomicBool,
}

impl Lazy {
    pub(crate) const fn new(driver: Driver, mirror: Mirror) -> Self {
        Self { driver, mirror, new_key: AtomicBool::new(false) }
    }

    pub(crate) const fn with_new_key(driver: Driver, mirror: Mirror) -> Self {
        Self { driver, mirror, new_key: AtomicBool::new(true) }
    }

    /// What is known of it, for keeping: it serialises, and [`Client::lazy_from`](crate::Client::lazy_from) goes on with it.
    ///
    /// Whoever keeps a charge before it is created can also create it. So from then on this one looks in the list before it
    /// creates the charge, which costs a request.
    #[must_use]
    pub fn mirror(&self) -> &Mirror {
        self.new_key.store(false, Ordering::Relaxed);
        &self.mirror
    }

    /// The same, to give up on a create in doubt with [`Mirror::abandon`].
    pub fn mirror_mut(&mut self) -> &mut Mirror {
        self.new_key.store(false, Ordering::Relaxed);
        &mut self.mirror
    }

    /// Finds out what is wanted, if it is not known.
    ///
    /// # Errors
    /// As [`Client::create_once`](crate::Client::create_once) for a charge that is not known yet, else as [`Client::get`](crate::Client::get).
    pub fn fetch(&mut self, want: Query) -> Result<Change, Error> {
        let Self { driver, mirror, new_key } = self;
        let Some(key) = mirror.order_key() else {
            return driver.run("lazy", mirror.fetch(want, driver.core()));
        };
        let lock = driver.order_lock(key);
        let record = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let new_key = new_key.swap(false, Ordering::Relaxed);
        driver.run("lazy", mirror.fetch_with(want, driver.core(), record).with_new_key(new_key))
    }

    /// Creates the charge if it has no id, else retrieves it. A paid one is left alone.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn update(&mut self) -> Result<Change, Error> {
        self.fetch(Query::Update)
    }

    /// Whether it is paid: asks until it is, and never after.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn paid(&mut self) -> Result<bool, Error> {
        self.fetch(Query::Paid)?;
        Ok(self.charge()?.is_paid())
    }

    /// The charge as last seen; asks only if it was never seen.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn charge(&mut self) -> Result<&Charge, Error> {
        self.fetch(Query::Charge)?;
        self.mirror.require_charge()
    }

    /// The id; asks only if there is none.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn id(&mut self) -> Result<&ChargeId, Error> {
        self.fetch(Query::Id)?;
        self.mirror.require_id()
    }

    /// The amount, in satoshi; asks only if nothing but the id is known.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn amount(&mut self) -> Result<Satoshi, Error> {
        match self.mirror.amount() {
            Some(amount) => Ok(amount),
            None => Ok(self.charge()?.amount()),
        }
    }

    /// The hash that names the payment.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn payment_hash(&mut self) -> Result<PaymentHash, Error> {
        Ok(*self.charge()?.payment_hash())
    }

    /// The BOLT11 invoice for the payer's wallet.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch); and a mismatch of `invoice.expires_at` if it is unpaid and has expired by the client's clock,
    /// less 10 minutes. [`charge`](Self::charge) has the text even then.
    pub fn payment_request(&mut self) -> Result<&str, Error> {
        self.fetch(Query::Charge)?;
        self.mirror.payment_request(self.driver.now())
    }

    /// What is paid for; asks only if nothing but the id is known.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn description(&mut self) -> Result<&str, Error> {
        if self.mirror.description().is_none() {
            self.fetch(Query::Charge)?;
        }
        Ok(self.mirror.description().unwrap_or_default())
    }

    /// The caller's own reference, without the order key that travels with it; asks only if nothing but the id is known.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn customer_id(&mut self) -> Result<Option<&str>, Error> {
        if self.mirror.customer_id().is_none() {
            self.fetch(Query::Charge)?;
        }
        Ok(self.mirror.customer_id().flatten())
    }

    /// When it was made, by the server's clock.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn created(&mut self) -> Result<UnixMillis, Error> {
        Ok(self.charge()?.created())
    }

    /// When it last changed, as far as was seen.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn updated(&mut self) -> Result<UnixMillis, Error> {
        Ok(self.charge()?.updated())
    }
}
