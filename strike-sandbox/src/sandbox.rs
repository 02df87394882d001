//! [`Sandbox`], the handle to a service behind a lock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strike_core::machine::{Machine, Step};
use strike_core::{
    ApiKey, ChargeId, CoreClient, Create, Endpoint, Error, Exchange, HttpRequest, HttpResponse, InvalidInput,
    Network, NewCharge, Now, Reply, RetryPolicy, UnixMillis,
};

use crate::builder::SandboxBuilder;
#[cfg(feature = "server")]
use crate::changes::Changes;
use crate::faults::{self, Course};
use crate::ledger::{Charge, ChargeRecord, ExpireError, StorageError};
use crate::node::{Paid, PayError};
use crate::service::Service;

/// A local Strike service. It stores charges, signs their invoices and can pay them.
///
/// It works in memory, without a socket. `SandboxBuilder::start` adds an HTTP server. Both use
/// [`respond`](Self::respond), so they accept and reject the same requests. A clone is another handle
/// to the same service.
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
/// // The invoice expires after an hour.
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
    // Copies of constant values, so that reading them needs no lock.
    base_url: String,
    api_key: String,
    payee: String,
    network: Network,
}

impl Sandbox {
    /// Creates a sandbox with a random API key and seed, for testnet, with the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    pub(crate) fn assemble(service: Service, network: Network, base_url: String) -> Self {
        let api_key = service.api_key().to_owned();
        let payee = service.payee();
        Self(Arc::new(Shared { service: Mutex::new(service), base_url, api_key, payee, network }))
    }

    /// Returns the response to a request. The host in the request's URL is ignored, and
    /// [faults](crate::faults) do not apply.
    ///
    /// It blocks only while another request to the same sandbox is handled, and for disk writes if the
    /// charges are stored in a file.
    #[must_use]
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        // Take the lock before reading the time, so that a later request cannot get an earlier time.
        let mut service = self.service();
        let now = service.clock().now();
        service.respond(request, now)
    }

    /// Returns the reply to an exchange. A closure that calls it is a transport for a client.
    ///
    /// Like a transport, it truncates a body one byte after the exchange's limit. A timeout occurs only
    /// because of a [fault](crate::faults), and is reported without waiting.
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
    /// Returns an error only if a [fault](crate::faults) applied: the error that a transport over a
    /// socket would have reported.
    pub fn reply(&self, exchange: Exchange) -> Reply {
        faults::seen(self.course(&exchange.request), &exchange)
    }

    /// Handles a request and applies the faults to its response.
    pub(crate) fn course(&self, request: &HttpRequest) -> Course {
        // Take the lock before reading the time, as in `respond`.
        let mut service = self.service();
        let now = service.clock().now();
        service.course(request, now)
    }

    /// Returns the endpoint for a client of this sandbox: its base URL, API key and network.
    ///
    /// ```
    /// use strike_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::new();
    /// let endpoint = sandbox.endpoint()?;
    /// assert_eq!(endpoint.network(), sandbox.network());
    /// # Ok::<(), strike_core::InvalidInput>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`InvalidInput`] if the API key given to [`SandboxBuilder::api_key`] is not a valid key, or if
    /// the server listens without TLS on an address that is not loopback. With the default settings it
    /// does not fail.
    pub fn endpoint(&self) -> Result<Endpoint, InvalidInput> {
        Endpoint::new(self.base_url(), ApiKey::new(self.api_key())?, self.network())
    }

    /// Creates a charge through the API, without a client. The request is not retried.
    ///
    /// [Faults](crate::faults) do not apply to it. [Quirks](crate::Quirks) do, and it counts as one of
    /// the [`requests`](Self::requests).
    ///
    /// ```
    /// use strike_core::NewCharge;
    /// use strike_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::new();
    /// let charge = sandbox.create(NewCharge::satoshis(4200, "tea"))?;
    /// sandbox.pay(charge.id())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns the error that a client would report if the sandbox rejects the request, or if
    /// [`endpoint`](Self::endpoint) fails.
    pub fn create(&self, order: NewCharge) -> Result<strike_core::Charge, Error> {
        let client = CoreClient::new(self.endpoint()?, RetryPolicy::never(), 0);
        let mut call = client.call(Create::new(order));
        let mut elapsed = Duration::ZERO;
        loop {
            let now = Now::new(elapsed, self.now());
            match call.poll(now) {
                Step::Send(exchange) => call.handle(Ok(self.respond(&exchange.request)), now),
                Step::Wait(wait) => elapsed = elapsed.saturating_add(wait),
                Step::Done(result) => return result,
            }
        }
    }

    /// Pays a charge in full, as a wallet does with its invoice.
    ///
    /// # Errors
    /// Returns a [`PayError`] if no charge has this id, if its invoice has expired by the sandbox's
    /// clock, if it is already paid, if the payment failed, or if the data file could not be written.
    /// The call then changes nothing.
    pub fn pay(&self, id: &ChargeId) -> Result<Paid, PayError> {
        let mut service = self.service();
        let now = service.clock().now();
        service.pay(id.as_str(), now)
    }

    /// Makes an unpaid charge expire now. An expired charge stays expired.
    ///
    /// The expiry written in the invoice does not change, but the sandbox no longer pays it.
    ///
    /// # Errors
    /// Returns an [`ExpireError`] if no charge has this id, if it is paid, or if the data file could
    /// not be written.
    pub fn expire(&self, id: &ChargeId) -> Result<(), ExpireError> {
        let mut service = self.service();
        let now = service.clock().now();
        service.expire(id.as_str(), now)
    }

    /// Returns the current state of a charge, or `None` if no charge has this id.
    #[must_use]
    pub fn charge(&self, id: &ChargeId) -> Option<ChargeRecord> {
        let service = self.service();
        let now = service.clock().now();
        service.charge(id.as_str()).cloned().map(|charge| ChargeRecord::new(charge, now))
    }

    /// Returns all charges in their current state, newest first.
    #[must_use]
    pub fn list_all(&self) -> Vec<ChargeRecord> {
        let service = self.service();
        let now = service.clock().now();
        let record = |charge: &Charge| ChargeRecord::new(charge.clone(), now);
        service.page(0, usize::MAX).map(record).collect()
    }

    /// Restores the initial state. It removes all charges, sets [`requests`](Self::requests) to 0,
    /// and sets the clock back to its start or to the system's time. The API key and the node stay.
    ///
    /// A chosen seed starts again, so the same ids are drawn again. Without a chosen seed, ids are
    /// never repeated.
    ///
    /// # Errors
    /// Returns a [`StorageError`] if the data file could not be written. Then nothing has changed.
    /// Without a data file it does not fail.
    pub fn reset(&self) -> Result<(), StorageError> {
        self.service().reset()
    }

    /// Sets the seed from which later ids and preimages are drawn. It also applies after a
    /// [`reset`](Self::reset).
    ///
    /// The ids differ from those of [`SandboxBuilder::seed`], which also draws the API key and the
    /// node's key. Ids that are already in use are skipped.
    pub fn reseed(&self, seed: u64) {
        self.service().reseed(seed);
    }

    /// Moves the sandbox's clock forward. This works with the system's clock and with a manual one.
    /// The clock stops in the year 3058, at the last timestamp that an invoice can hold.
    ///
    /// If the data file cannot be written, the clock moves nevertheless. The next successful write
    /// stores its position.
    pub fn advance(&self, by: Duration) {
        self.service().advance(by);
    }

    /// Moves the sandbox's clock forward to this moment. A moment in the past changes nothing.
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

    /// Returns the time by the sandbox's clock.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.service().clock().now()
    }

    /// Returns the base URL of the API, with a trailing slash. In memory it is
    /// `http://127.0.0.1/api/v1/`. With a server it has the port, and the scheme `https` with TLS.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// Returns the API key of the sandbox's only account.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.0.api_key
    }

    /// Returns the network of the invoices.
    #[must_use]
    pub fn network(&self) -> Network {
        self.0.network
    }

    /// Returns the public key that signs the invoices, as 66 lower-case hex digits.
    #[must_use]
    pub fn payee(&self) -> &str {
        &self.0.payee
    }

    /// Returns the number of charges.
    #[must_use]
    pub fn charges(&self) -> usize {
        self.service().charges()
    }

    /// Returns the number of requests received, including rejected ones and those with a fault.
    /// [`pay`](Self::pay) does not count.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.service().requests()
    }

    #[cfg(feature = "server")]
    pub(crate) fn changes(&self) -> Arc<Changes> {
        self.service().changes()
    }

    /// Locks the service. A poisoned lock is safe to use, because each change is atomic.
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
