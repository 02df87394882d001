//! `Lazy`: a charge like pystrike's, which sends a request when you use an attribute that needs
//! one.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use strike_core::mirror::Mirror;
use strike_core::mirror::{Change, Query};
use strike_core::{Charge, ChargeId, Error, PaymentHash, Satoshi, UnixMillis};

use crate::driver::Driver;

/// A charge that is created or read when you first use an attribute that needs it.
///
/// Attributes that cannot change are requested once. [`paid`](Self::paid) sends a request until the
/// charge is paid, and none afterwards. Every method that may send a request returns a [`Result`].
/// After an error, the charge is unchanged, or it is [in
/// doubt](strike_core::mirror::State::InDoubt) after a failed create. The next call continues from
/// there.
///
/// ```
/// use strike_blocking::{Client, Exchange, NewCharge};
/// use strike_sandbox::Sandbox;
///
/// let sandbox = Sandbox::new();
/// let endpoint = sandbox.endpoint()?;
/// let server = sandbox.clone();
/// let client = Client::builder(endpoint).transport(move |x: Exchange| server.reply(x)).build()?;
///
/// let mut charge = client.lazy(NewCharge::satoshis(4200, "services rendered"))?;
/// assert_eq!(sandbox.requests(), 0);
/// assert!(charge.payment_request()?.starts_with("lntb42u1"));
/// assert!(!charge.paid()?);
/// sandbox.pay(charge.id()?)?;
/// assert!(charge.paid()?);
/// let requests = sandbox.requests();
/// assert!(charge.paid()?);
/// assert_eq!(sandbox.requests(), requests);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It is not `Clone`, because two copies of a charge that does not exist yet could create two
/// charges.
#[derive(Debug)]
pub struct Lazy {
    driver: Driver,
    mirror: Mirror,
    /// True if the order key was never visible outside, so that the server cannot have a charge
    /// with it.
    new_key: AtomicBool,
}

impl Lazy {
    pub(crate) const fn new(driver: Driver, mirror: Mirror) -> Self {
        Self { driver, mirror, new_key: AtomicBool::new(false) }
    }

    pub(crate) const fn with_new_key(driver: Driver, mirror: Mirror) -> Self {
        Self { driver, mirror, new_key: AtomicBool::new(true) }
    }

    /// Returns the state of the charge, which you can serialize and store.
    ///
    /// [`Client::lazy_from`](crate::Client::lazy_from) continues with it. A stored state can create
    /// the charge too. So after this call, the charge is searched for in the list before it is
    /// created, which takes at least one more request.
    #[must_use]
    pub fn mirror(&self) -> &Mirror {
        self.new_key.store(false, Ordering::Relaxed);
        &self.mirror
    }

    /// Returns the state for changes, for example to give up a create in doubt with
    /// [`Mirror::abandon`].
    pub fn mirror_mut(&mut self) -> &mut Mirror {
        self.new_key.store(false, Ordering::Relaxed);
        &mut self.mirror
    }

    /// Sends the requests that this query needs, if any.
    ///
    /// # Errors
    /// Returns the errors of [`Client::create_once`](crate::Client::create_once) if the charge has
    /// no id yet, and those of [`Client::get`](crate::Client::get) otherwise.
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

    /// Creates the charge if it has no id yet, or reads it again. Sends nothing if the charge is
    /// paid.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn update(&mut self) -> Result<Change, Error> {
        self.fetch(Query::Update)
    }

    /// Returns true if the charge is paid. Sends a request, unless the charge is known to be paid.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn paid(&mut self) -> Result<bool, Error> {
        self.fetch(Query::Paid)?;
        Ok(self.charge()?.is_paid())
    }

    /// Returns the charge as it was last read. Sends a request only if it was never read.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn charge(&mut self) -> Result<&Charge, Error> {
        self.fetch(Query::Charge)?;
        self.mirror.require_charge()
    }

    /// Returns the id. Creates the charge if it has none.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn id(&mut self) -> Result<&ChargeId, Error> {
        self.fetch(Query::Id)?;
        self.mirror.require_id()
    }

    /// Returns the amount, in satoshi. Sends a request only if nothing but the id is known.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn amount(&mut self) -> Result<Satoshi, Error> {
        match self.mirror.amount() {
            Some(amount) => Ok(amount),
            None => Ok(self.charge()?.amount()),
        }
    }

    /// Returns the hash that identifies the payment. Sends a request only if the charge was never
    /// read.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn payment_hash(&mut self) -> Result<PaymentHash, Error> {
        Ok(*self.charge()?.payment_hash())
    }

    /// Returns the BOLT11 payment request for the payer's wallet. Sends a request only if the
    /// charge was never read.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch). Also a mismatch of `invoice.expires_at` if the charge is unpaid
    /// and its invoice has expired by the local clock minus 10 minutes. [`charge`](Self::charge)
    /// returns an expired payment request too.
    pub fn payment_request(&mut self) -> Result<&str, Error> {
        self.fetch(Query::Charge)?;
        self.mirror.payment_request(self.driver.now())
    }

    /// Returns the description. Sends a request only if nothing but the id is known.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn description(&mut self) -> Result<&str, Error> {
        if self.mirror.description().is_none() {
            self.fetch(Query::Charge)?;
        }
        Ok(self.mirror.description().unwrap_or_default())
    }

    /// Returns your own reference, without the order key. Sends a request only if nothing but the
    /// id is known.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn customer_id(&mut self) -> Result<Option<&str>, Error> {
        if self.mirror.customer_id().is_none() {
            self.fetch(Query::Charge)?;
        }
        Ok(self.mirror.customer_id().flatten())
    }

    /// Returns when the charge was created, by the server's clock. Sends a request only if the
    /// charge was never read.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn created(&mut self) -> Result<UnixMillis, Error> {
        Ok(self.charge()?.created())
    }

    /// Returns the time of the last known change. Sends a request only if the charge was never
    /// read.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn updated(&mut self) -> Result<UnixMillis, Error> {
        Ok(self.charge()?.updated())
    }
}
