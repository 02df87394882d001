//! The handle that everyone holds: the service behind a lock, and its clock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strike_core::{ChargeId, Exchange, HttpRequest, HttpResponse, Network, Reply, UnixMillis};

use crate::builder::Builder;
#[cfg(feature = "server")]
use crate::changes::Changes;
use crate::faults::{self, Course};
use crate::ledger::{Charge, ChargeRecord, ExpireError, StorageError};
use crate::node::{Paid, PayError};
use crate::service::Service;

/// A Strike service of one's own: it keeps charges, signs their invoices, and can pay them.
///
/// It answers in memory, with no socket; `Builder::start` puts a server in front of it. Behind both is
/// [`respond`](Self::respond), so they accept and refuse the same. A clone is another handle on the same
/// service, and costs a reference count.
///
/// ```
/// use std::time::Duration;
/// use strike_core::{UnixMillis, http};
/// use strike_sandbox::{PayError, Sandbox};
///
/// let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).clock_at(UnixMillis::from_secs(1_542_221_803)).build();
/// let request = http::Request::post(format!("{}charges", sandbox.base_url()))
///     .header("authorization", "Basic c2tfZGVtbzo=") // base64 of `sk_demo:`
///     .header("content-type", "application/x-www-form-urlencoded")
///     .body(b"amount=4200&currency=btc&description=services+rendered".to_vec())?;
/// let response = sandbox.respond(&request);
/// assert_eq!(response.status(), 200);
/// assert_eq!(sandbox.charges(), 1);
///
/// // An hour later the invoice is worth nothing.
/// let body = String::from_utf8(response.into_body())?;
/// let id = body.split('"').nth(3).unwrap_or_default().parse()?;
/// sandbox.advance(Duration::from_secs(3600));
/// assert_eq!(sandbox.pay(&id), Err(PayError::Expired));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    service: Mutex<Service>,
    // Copies of what never changes, so that reading them needs no lock.
    base_url: String,
    api_key: String,
    payee: String,
    network: Network,
}

impl Sandbox {
    /// A sandbox with a key and a seed drawn at random, on the test network, by the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A sandbox in the making.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn assemble(service: Service, network: Network, base_url: String) -> Self {
        let api_key = service.api_key().to_owned();
        let payee = service.payee();
        Self(Arc::new(Shared { service: Mutex::new(service), base_url, api_key, payee, network }))
    }

    /// Answers a request, whatever it is, with some status. The host in its URL does not matter, and no
    /// [fault](crate::faults) strikes here: this is what lies behind them.
    ///
    /// It never blocks on anything but another request to the same sandbox, and the disk if charges are kept in a
    /// file.
    #[must_use]
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        // The lock is first: whoever comes later must not read an earlier time.
        let mut service = self.service();
        let now = service.clock().now();
        service.respond(request, now)
    }

    /// Answers an exchange: a closure of it is a transport for either adapter.
    ///
    /// A body longer than the exchange wants is cut as a transport cuts it, one byte later. The timeout runs out only
    /// by a [fault](crate::faults), and then without waiting.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use strike_core::{Exchange, http};
    /// # use strike_sandbox::Sandbox;
    /// let sandbox = Sandbox::new();
    /// let transport = {
    ///     let sandbox = sandbox.clone();
    ///     move |exchange| sandbox.reply(exchange)
    /// };
    /// let request = http::Request::get(format!("{}charges", sandbox.base_url())).body(Vec::new())?;
    /// let reply = transport(Exchange::new(request, Duration::from_secs(1), 1 << 20));
    /// assert_eq!(reply?.status(), 401);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What a transport over a socket would have met with, if a [fault](crate::faults) struck; otherwise none.
    pub fn reply(&self, exchange: Exchange) -> Reply {
        faults::seen(self.course(&exchange.request), &exchange)
    }

    /// What becomes of a request on its way.
    pub(crate) fn course(&self, request: &HttpRequest) -> Course {
        // The lock is first here too.
        let mut service = self.service();
        let now = service.clock().now();
        service.course(request, now)
    }

    /// Pays a charge in full, as a wallet would that holds its invoice.
    ///
    /// # Errors
    /// [`PayError`] if there is no such charge, if its invoice has expired by the sandbox's clock, if it is already
    /// paid, if no payment got through, or if it could not be written to the data file. Then it is not paid by this.
    pub fn pay(&self, id: &ChargeId) -> Result<Paid, PayError> {
        let mut service = self.service();
        let now = service.clock().now();
        service.pay(id.as_str(), now)
    }

    /// Ends the time in which a charge can be paid, as if its invoice had expired. One that has expired stays so.
    ///
    /// The invoice's own words do not change: only the sandbox, which knows better, no longer pays it.
    ///
    /// # Errors
    /// [`ExpireError`] if there is no such charge, if it is paid, or if the change could not be written to the data
    /// file.
    pub fn expire(&self, id: &ChargeId) -> Result<(), ExpireError> {
        let mut service = self.service();
        let now = service.clock().now();
        service.expire(id.as_str(), now)
    }

    /// A charge as it is now; `None` if no charge has this id.
    #[must_use]
    pub fn charge(&self, id: &ChargeId) -> Option<ChargeRecord> {
        let service = self.service();
        let now = service.clock().now();
        service.charge(id.as_str()).cloned().map(|charge| ChargeRecord::new(charge, now))
    }

    /// All charges as they are now, the newest first.
    #[must_use]
    pub fn list_all(&self) -> Vec<ChargeRecord> {
        let service = self.service();
        let now = service.clock().now();
        let record = |charge: &Charge| ChargeRecord::new(charge.clone(), now);
        service.page(0, usize::MAX).map(record).collect()
    }

    /// Goes back to the start: no charges, no [`requests`](Self::requests) counted, the clock where it was set or
    /// at the system's time, and a chosen seed at its beginning, so that the same history can happen again. Key
    /// and node stay.
    ///
    /// Ids that nobody chose a seed for are not drawn again.
    ///
    /// # Errors
    /// [`StorageError`] if it could not be written to the data file; then nothing has changed. Without a data file it
    /// does not fail.
    pub fn reset(&self) -> Result<(), StorageError> {
        self.service().reset()
    }

    /// Draws ids and preimages from this seed from here on, and again after a [`reset`](Self::reset).
    ///
    /// It is another stream than [`Builder::seed`]'s, which also draws the key and the node. Charges that the seed
    /// made already are passed over, so no id is given twice.
    pub fn reseed(&self, seed: u64) {
        self.service().reseed(seed);
    }

    /// Moves the sandbox's clock forward, whether it is the system's or a manual one: invoices expire at once
    /// instead of in an hour. It stops in the year 3058, at the last second that an invoice can carry.
    ///
    /// If charges are kept in a file that cannot be written, the clock moves all the same, and the next change that
    /// is written tells the file.
    pub fn advance(&self, by: Duration) {
        self.service().advance(by);
    }

    /// Moves the sandbox's clock forward to this moment; a moment that has passed changes nothing.
    ///
    /// ```
    /// # use strike_core::UnixMillis;
    /// # use strike_sandbox::Sandbox;
    /// let sandbox = Sandbox::builder().clock_at(UnixMillis::from_secs(1_700_000_000)).build();
    /// sandbox.advance_to(UnixMillis::from_secs(1_700_003_600));
    /// sandbox.advance_to(UnixMillis::from_secs(1_600_000_000));
    /// assert_eq!(sandbox.now(), UnixMillis::from_secs(1_700_003_600));
    /// ```
    pub fn advance_to(&self, moment: UnixMillis) {
        let mut service = self.service();
        let by = moment.saturating_since(service.clock().now());
        if !by.is_zero() {
            service.advance(by);
        }
    }

    /// What time it is in the sandbox.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.service().clock().now()
    }

    /// Where the API is, with a slash at the end: `http://127.0.0.1/api/v1/` in memory, and with the port for a
    /// running one, which begins with `https` if it speaks TLS.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// The key that opens the only account.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.0.api_key
    }

    /// The network that the invoices are for.
    #[must_use]
    pub fn network(&self) -> Network {
        self.0.network
    }

    /// The public key of the node that signs the invoices, as 66 lower-case hex digits.
    #[must_use]
    pub fn payee(&self) -> &str {
        &self.0.payee
    }

    /// How many charges there are.
    #[must_use]
    pub fn charges(&self) -> usize {
        self.service().charges()
    }

    /// How many requests arrived, refused and struck ones included; [`pay`](Self::pay) is none.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.service().requests()
    }

    #[cfg(feature = "server")]
    pub(crate) fn changes(&self) -> Arc<Changes> {
        self.service().changes()
    }

    /// The service, whoever panicked while holding it: every change to it is complete or not begun.
    pub(crate) fn service(&self) -> MutexGuard<'_, Service> {
        self.0.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("base_url", &self.0.base_url)
            .field("network", &self.0.network)
            .finish_non_exhaustive()
    }
}
