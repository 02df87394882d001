//! The public handle to a sandbox: the service behind a mutex.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strike_core::machine::{Machine, Step};
use strike_core::{
    ApiKey, Charge, ChargeId, CoreClient, Create, Endpoint, Error, Exchange, HttpRequest, HttpResponse,
    InvalidInput, Network, NewCharge, Now, Reply, RetryPolicy, UnixMillis,
};

use crate::builder::SandboxBuilder;
#[cfg(feature = "server")]
use crate::changes::Changes;
use crate::faults::{self, Behavior};
use crate::ledger::{self, ChargeRecord, ExpireError, GroupOutcome, StorageError};
use crate::node::{Paid, PayError};
use crate::service::Service;

/// A local Strike service. It stores charges, signs their invoices, and can pay them.
///
/// The sandbox responds in memory, without a socket. `SandboxBuilder::start` puts an HTTP server in
/// front of it. Both use [`respond`](Self::respond), so they accept and reject the same requests.
///
/// Cloning is cheap. Clones are handles to the same charges and clock.
///
/// ```
/// use std::time::Duration;
/// use strike_core::{NewCharge, UnixMillis};
/// use strike_sandbox::{PayError, Sandbox};
///
/// let sandbox = Sandbox::builder().clock_at(UnixMillis::from_secs(1_542_221_803)).build();
/// let tea = sandbox.create(NewCharge::satoshis(4200, "tea"))?;
/// let cake = sandbox.create(NewCharge::satoshis(6000, "cake"))?;
/// sandbox.pay(tea.id())?;
///
/// // An invoice expires after one hour.
/// sandbox.advance(Duration::from_secs(3600));
/// assert_eq!(sandbox.pay(cake.id()), Err(PayError::Expired));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    service: Mutex<Service>,
    // These never change. They are copied here so that reading them does not lock the service.
    base_url: String,
    api_key: String,
    payee: String,
    network: Network,
    #[cfg(feature = "server")]
    changes: Arc<Changes>,
}

impl Sandbox {
    /// Creates a sandbox on testnet with a random API key, a random seed and the system clock.
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
        #[cfg(feature = "server")]
        let changes = service.changes();
        Self(Arc::new(Shared {
            service: Mutex::new(service),
            base_url,
            api_key,
            payee,
            network,
            #[cfg(feature = "server")]
            changes,
        }))
    }

    /// Responds to an HTTP request in memory.
    ///
    /// The host in the request's URL is ignored. [Faults](crate::faults) are not applied; use
    /// [`reply`](Self::reply) for those.
    ///
    /// The call waits only for other calls to the same sandbox, and for the disk if charges are
    /// stored in a file. Calls of several threads at the same time share the write to the file.
    #[must_use]
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        self.call(|service, now| service.respond(request, now))
            .unwrap_or_else(|error| self.storage_failed(request, &error))
    }

    /// Responds to an [`Exchange`] with the [faults](crate::faults) applied.
    ///
    /// A closure that calls this method is a transport for `strike-blocking` and `strike-async`.
    ///
    /// As with a transport over a socket, a body longer than [`Exchange::max_body`] is cut one byte
    /// after the limit. Only a fault can exceed the timeout. The call then returns the error at
    /// once, without waiting.
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
    /// If a [fault](crate::faults) breaks the connection: the error that a transport over a socket
    /// would return.
    pub fn reply(&self, exchange: Exchange) -> Reply {
        faults::simulate_reply(self.respond_with_faults(&exchange.request), &exchange)
    }

    /// Responds to a request with the faults applied.
    fn respond_with_faults(&self, request: &HttpRequest) -> Behavior {
        self.call(|service, now| service.respond_with_faults(request, now))
            .unwrap_or_else(|error| Behavior::Respond(self.storage_failed(request, &error)))
    }

    /// Does the same for a server. Requests that have arrived meanwhile share the write to the data
    /// file.
    #[cfg(feature = "server")]
    pub(crate) async fn respond_in_turn(&self, request: &HttpRequest) -> Behavior {
        let (behavior, group) = self.start(|service, now| service.respond_with_faults(request, now));
        let Some(group) = group else { return behavior };
        // The other connections whose requests have arrived add their changes.
        tokio::task::yield_now().await;
        match group.store() {
            Ok(()) => behavior,
            Err(error) => Behavior::Respond(self.storage_failed(request, &error)),
        }
    }

    fn storage_failed(&self, request: &HttpRequest, error: &StorageError) -> HttpResponse {
        let service = self.service();
        service.storage_failed(request, error, service.clock().now())
    }

    /// Creates a charge in memory, without a client.
    ///
    /// The order is sent through [`respond`](Self::respond) as a client would send it, and the
    /// response is checked in the same way. It is not retried, and counts as one of the
    /// [`requests`](Self::requests).
    /// [Quirks](crate::Quirks) apply, [faults](crate::faults) do not.
    ///
    /// ```
    /// use strike_core::NewCharge;
    /// use strike_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::new();
    /// let charge = sandbox.create(NewCharge::satoshis(4200, "tea"))?;
    /// assert!(!charge.is_paid());
    /// assert_eq!(sandbox.charges(), 1);
    /// # Ok::<(), strike_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of a client: the order is invalid, or the sandbox rejects it. Also fails if
    /// [`endpoint`](Self::endpoint) fails.
    pub fn create(&self, order: NewCharge) -> Result<Charge, Error> {
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

    /// Pays a charge in full.
    ///
    /// # Errors
    /// [`PayError`] says why the charge was not paid: it does not exist, it is already paid, its
    /// invoice has expired by the sandbox's clock, the Lightning payment failed, or the data file
    /// could not be written.
    pub fn pay(&self, id: &ChargeId) -> Result<Paid, PayError> {
        self.call(|service, now| service.pay(id.as_str(), now)).unwrap_or(Err(PayError::Storage))
    }

    /// Expires a charge now, so that it can no longer be paid.
    ///
    /// The invoice itself does not change. Expiring an expired charge again does nothing.
    ///
    /// # Errors
    /// [`ExpireError`] if the charge does not exist or is already paid, or if the data file could
    /// not be written.
    pub fn expire(&self, id: &ChargeId) -> Result<(), ExpireError> {
        self.call(|service, now| service.expire(id.as_str(), now)).unwrap_or(Err(ExpireError::Storage))
    }

    /// Returns the charge with this id, with its current state. `None` if there is none.
    #[must_use]
    pub fn charge(&self, id: &ChargeId) -> Option<ChargeRecord> {
        let service = self.service();
        let now = service.clock().now();
        service.charge(id.as_str()).cloned().map(|charge| ChargeRecord::new(charge, now))
    }

    /// Returns all charges with their current state, newest first.
    #[must_use]
    pub fn list_all(&self) -> Vec<ChargeRecord> {
        let service = self.service();
        let now = service.clock().now();
        let record = |charge: &ledger::Charge| ChargeRecord::new(charge.clone(), now);
        service.page(0, usize::MAX).map(record).collect()
    }

    /// Deletes all charges and webhook deliveries, and returns to the initial state.
    ///
    /// * The request count is zero again.
    /// * The clock returns to the time it was set to, or to the system time.
    /// * The [faults](crate::faults) are the builder's again.
    /// * A seed that you chose starts again, so the next charges get the same ids as before. With a
    ///   random seed, ids are never repeated.
    ///
    /// The API key and the node's key stay the same.
    ///
    /// # Errors
    /// [`StorageError`] if the data file could not be written; nothing has changed then. Without a
    /// data file this method does not fail.
    pub fn reset(&self) -> Result<(), StorageError> {
        self.service().reset()
    }

    /// Uses this seed for the ids and preimages of new charges, also after a
    /// [`reset`](Self::reset).
    ///
    /// The ids differ from those of [`SandboxBuilder::seed`] with the same number, because the
    /// builder's seed also generates the keys. Ids that are already in use are skipped.
    pub fn reseed(&self, seed: u64) {
        self.service().reseed(seed);
    }

    /// Moves the sandbox's clock forward by a duration.
    ///
    /// This works for the system clock and for a clock set with
    /// [`clock_at`](SandboxBuilder::clock_at). The clock stops in the year 3058, at the latest
    /// timestamp that an invoice can contain.
    ///
    /// If the data file cannot be written, the clock still moves. The next change that is written
    /// saves the new time.
    pub fn advance(&self, by: Duration) {
        self.service().advance(by);
    }

    /// Moves the sandbox's clock forward to this time. A time in the past changes nothing.
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

    /// Returns the time of the sandbox's clock.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.service().clock().now()
    }

    /// Returns the base URL of the API, with a trailing slash.
    ///
    /// In memory it is `http://127.0.0.1/api/v1/`. For a running server it has the real port, and
    /// the scheme `https` with TLS.
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

    /// Returns the endpoint for a client: the base URL, the API key and the network.
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
    /// [`InvalidInput`] if a client would reject the settings: the API key is not a valid
    /// [`ApiKey`], or the server listens with plain HTTP on an address that is not a loopback
    /// address.
    pub fn endpoint(&self) -> Result<Endpoint, InvalidInput> {
        Endpoint::new(self.base_url(), ApiKey::new(self.api_key())?, self.network())
    }

    /// Returns the public key of the node that signs the invoices, as 66 lower-case hex digits.
    #[must_use]
    pub fn payee(&self) -> &str {
        &self.0.payee
    }

    /// Returns the number of charges.
    #[must_use]
    pub fn charges(&self) -> usize {
        self.service().charges()
    }

    /// Returns the number of requests so far, including rejected ones and those with a fault.
    ///
    /// Calls of other methods, such as [`pay`](Self::pay), are not counted.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.service().requests()
    }

    #[cfg(feature = "server")]
    pub(crate) fn changes(&self) -> &Changes {
        &self.0.changes
    }

    /// Makes a call. Returns its result when all changes that it made or saw are stored. Calls of
    /// other threads at the same time share the write to the data file.
    fn call<T>(&self, work: impl FnOnce(&mut Service, UnixMillis) -> T) -> Result<T, StorageError> {
        let (result, group) = self.start(work);
        if let Some(group) = group {
            // Other threads that wait for the service add their changes.
            std::thread::yield_now();
            group.store()?;
        }
        Ok(result)
    }

    /// Makes a call. If it made or saw changes that are not stored yet, it also returns them: the
    /// result may be used only after they are stored.
    fn start<T>(&self, work: impl FnOnce(&mut Service, UnixMillis) -> T) -> (T, Option<OpenGroup>) {
        // Lock before reading the clock. Otherwise a later call could get an earlier time.
        let mut service = self.lock();
        let now = service.clock().now();
        let result = work(&mut service, now);
        let outcome = service.uncommitted();
        drop(service);
        (result, outcome.map(|outcome| OpenGroup { sandbox: self.clone(), outcome }))
    }

    /// Locks the service, and stores the changes that calls have not stored yet.
    pub(crate) fn service(&self) -> MutexGuard<'_, Service> {
        let mut service = self.lock();
        // Whoever waits for these changes learns of an error.
        let _ = service.commit();
        service
    }

    /// Locks the service. A poisoned lock is ignored, because a panic leaves no change half done.
    fn lock(&self) -> MutexGuard<'_, Service> {
        self.0.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Changes that one or more calls made and that are not stored yet. Dropping it stores them, too.
struct OpenGroup {
    sandbox: Sandbox,
    outcome: GroupOutcome,
}

impl OpenGroup {
    /// Stores the changes, unless another call has stored them.
    fn store(&self) -> Result<(), StorageError> {
        if let Some(outcome) = self.outcome.get() {
            return outcome;
        }
        // Ends this group, whatever the outcome.
        drop(self.sandbox.service());
        self.outcome.get().unwrap_or_else(|| Err(StorageError("the write did not end".to_owned())))
    }
}

impl Drop for OpenGroup {
    fn drop(&mut self) {
        // Nobody is left to report an error to: the client of the request has disconnected.
        let _ = self.store();
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
