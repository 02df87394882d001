//! Placing and renewing: one invoice for each order, whichever instance is asked.
//!
//! A row is written before anything is sent, and it says who creates the charge. What the caller gets
//! is what the database holds afterwards. So a charge that nobody recorded is never shown to a payer.

use std::time::Duration;

use strike_async::machine::{Machine, Step};
use strike_async::mirror::{Mirror, NextRequest, Query, State};
use strike_async::{
    Charge, CoreClient, CreateOnceOptions, CreateOutcome, ErrorKind, NewCharge, Now, OrderKey, UnixMillis,
};
use tokio::time::{Instant, timeout};

use crate::desk::Desk;
use crate::error::Error;
use crate::metrics;
use crate::order::{Order, OrderState};
use crate::signal::Change;
use crate::store::{Creation, Row, Transaction, time};

/// The longest name of an order, in characters.
const MAX_NAME: usize = 200;

/// The longest lifetime of an invoice that cannot be read.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a runner leaves a create alone after its outcome was unknown, in milliseconds.
const RETRY_CREATE: i64 = 5_000;

/// What a call wants for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// The order, as it is.
    Order,
    /// The order with a payable invoice.
    Renewal,
}

/// What a look at an order says.
enum Claim {
    Exists(Box<Order>),
    /// This call creates the charge.
    Create(Box<Creation>),
    /// Another call creates the charge.
    Wait,
    /// Look whether the last invoice was paid late, before there is a new one.
    CheckFirst(Box<Order>),
}

impl Desk {
    /// Returns the order with this name, and places it if there is none.
    ///
    /// The same name is the same order, on any instance and at any time. Call it again after any
    /// error. You can drop the future: the invoice is created all the same.
    ///
    /// An order that exists is returned in its [state](Order::state). After it has expired, call
    /// [`renew`](Self::renew).
    ///
    /// | field | limit |
    /// | --- | --- |
    /// | `name` | 1 to 200 characters, no control characters |
    /// | `customer_id` | at most 40 UTF-16 units |
    /// | the others | as in [`NewCharge`] |
    ///
    /// # Errors
    /// - [`Error::InvalidName`] and [`Error::Client`] for invalid input. Nothing was written or sent.
    /// - [`Error::DifferentOrder`] if the name has another amount, description or `customer_id`.
    /// - [`Error::Client`] if the host refuses the charge. The order does not exist then. If the
    ///   outcome of the create is unknown, a later call finds or creates the charge.
    /// - [`Error::BeingPlaced`], [`Error::CreateTimedOut`] and [`Error::Database`]: try again.
    pub async fn place(&self, name: &str, order: NewCharge) -> Result<Order, Error> {
        self.obtain(name, order, Want::Order).await
    }

    /// Returns the order with this name, with a new invoice if its last one expired or failed.
    ///
    /// A pending or paid order is returned as it is. So two calls at once create one invoice. A late
    /// payment of an old invoice is still seen.
    ///
    /// `order` may differ from what was ordered before, for example in the price.
    ///
    /// # Errors
    /// - [`Error::NotFound`] if there is no order with this name.
    /// - [`Error::AlreadyPaid`] if the old invoice was paid late. Your handler is told.
    /// - [`Error::DifferentOrder`] if the order is pending with another amount, description or `customer_id`.
    /// - The errors of [`place`](Self::place).
    pub async fn renew(&self, name: &str, order: NewCharge) -> Result<Order, Error> {
        self.obtain(name, order, Want::Renewal).await
    }

    async fn obtain(&self, name: &str, ordered: NewCharge, want: Want) -> Result<Order, Error> {
        check_name(name)?;
        check_order(self.inner().client.core(), &ordered)?;
        if want == Want::Order
            && let Some(order) = self.order(name).await?
        {
            return unless_different(name, order.new_charge(), &ordered).map(|()| order);
        }
        let settings = &self.inner().settings;
        let deadline = Instant::now() + settings.create_timeout + settings.poll_interval;
        let mut checked = None;
        loop {
            let mut changes = self.inner().signal.subscribe();
            match self.claim(name, &ordered, want, checked).await? {
                Claim::Exists(order) => return Ok(*order),
                Claim::Create(creation) => {
                    let desk = self.clone();
                    // A task of its own: the caller may be dropped, for example by a web server.
                    let created = tokio::spawn(async move { desk.create(*creation).await }).await;
                    if let Some(order) = created.map_err(|_| Error::Interrupted)?? {
                        return Ok(order);
                    }
                }
                Claim::Wait if Instant::now() >= deadline => {
                    return Err(Error::BeingPlaced { name: name.to_owned() });
                }
                Claim::Wait => {
                    let poll = settings.poll_interval.min(Duration::from_millis(200));
                    changes
                        .wait(poll, |change| matches!(change, Change::Order(changed) if changed == name))
                        .await;
                }
                Claim::CheckFirst(order) => {
                    if self.is_paid_late(&order).await? {
                        self.look_for_late_payment(&order).await?;
                        return Err(Error::AlreadyPaid { name: name.to_owned() });
                    }
                    checked = Some(order.attempt());
                }
            }
        }
    }

    /// Decides in one transaction what this call does for the order.
    async fn claim(
        &self,
        name: &str,
        ordered: &NewCharge,
        want: Want,
        checked: Option<u32>,
    ) -> Result<Claim, Error> {
        let failed = |source| Error::database("place the order", source);
        let mut tx = self.inner().store.begin().await.map_err(failed)?;
        let now = tx.now().await.map_err(failed)?;
        if want == Want::Order
            && let Some(order_id) = tx.insert_order(name, ordered, now).await.map_err(failed)?
        {
            let creation = self.begin_attempt(&mut tx, (order_id, 1), name, ordered, now).await?;
            tx.commit().await.map_err(failed)?;
            return Ok(Claim::Create(Box::new(creation)));
        }
        let Some(order_id) = tx.order_id(name).await.map_err(failed)? else {
            // `place` comes here if the order was removed in between: its create was refused.
            let gone = Err(Error::NotFound { name: name.to_owned() });
            return if want == Want::Order { Ok(Claim::Wait) } else { gone };
        };
        tx.lock_order(order_id).await.map_err(failed)?;
        let rows = tx.charges_of(order_id).await.map_err(failed)?;
        let creating = rows.iter().find(|row| row.charge_state == "creating");
        let shown = rows.iter().find(|row| row.charge_state != "creating");
        // While a renewal is created, `place` returns the order as it is shown.
        if let Some(row) = creating
            && (want == Want::Renewal || shown.is_none())
            && row.order_state != "paid"
        {
            let claim = new_claim()?;
            let creation = Creation::of(row, &claim)?;
            unless_different(name, &creation.ordered, ordered)?;
            if row.claim.is_some() && row.claim_until.is_some_and(|until| until > now) {
                return Ok(Claim::Wait);
            }
            let claim = (claim.as_str(), self.claim_until(now));
            tx.take_claim(creation.charge_row, claim).await.map_err(failed)?;
            tx.commit().await.map_err(failed)?;
            return Ok(Claim::Create(Box::new(creation)));
        }
        let Some(row) = shown else { return Ok(Claim::Wait) };
        let order = row.order()?;
        let is_over = matches!(order.state(), OrderState::Expired | OrderState::Failed);
        if want == Want::Order || !is_over {
            if order.state() != OrderState::Paid || want == Want::Order {
                unless_different(name, order.new_charge(), ordered)?;
            }
            return Ok(Claim::Exists(Box::new(order)));
        }
        if checked != Some(order.attempt()) && order.state() == OrderState::Expired {
            return Ok(Claim::CheckFirst(Box::new(order)));
        }
        let attempt = tx.next_attempt(order_id).await.map_err(failed)?;
        let creation = self.begin_attempt(&mut tx, (order_id, attempt), name, ordered, now).await?;
        tx.commit().await.map_err(failed)?;
        Ok(Claim::Create(Box::new(creation)))
    }

    /// Writes the row of a charge that this call creates.
    async fn begin_attempt(
        &self,
        tx: &mut Transaction,
        (order_id, attempt): (i64, i64),
        name: &str,
        ordered: &NewCharge,
        now: i64,
    ) -> Result<Creation, Error> {
        let failed = |source| Error::database("place the order", source);
        let claim = new_claim()?;
        let mut mirror = Mirror::draft(ordered.clone(), new_key()?, time(now));
        // From now on a create may have been sent.
        let _ = mirror.ask(Query::Id);
        let saved = to_json(name, &mirror)?;
        let until = self.claim_until(now);
        let charge_row = tx
            .insert_charge(order_id, attempt, ordered, &saved, now, (&claim, until))
            .await
            .map_err(failed)?;
        let name = name.to_owned();
        let ordered = ordered.clone();
        Ok(Creation {
            order_id,
            name,
            ordered,
            charge_row,
            attempt,
            claim,
            mirror,
            is_new: true,
            begun_at: now,
        })
    }

    /// Returns until when a claim is valid. It is longer than the create may take.
    pub(crate) fn claim_until(&self, now: i64) -> i64 {
        now.saturating_add(millis(self.inner().settings.create_timeout)).saturating_add(1_000)
    }

    /// Creates or finds the charge of a claimed row, and writes it. Returns `None` if another call
    /// has taken over.
    pub(crate) async fn create(&self, mut creation: Creation) -> Result<Option<Order>, Error> {
        let result = match timeout(self.inner().settings.create_timeout, self.learn(&mut creation)).await {
            Ok(result) => result,
            Err(_) => Err(Error::CreateTimedOut {
                name: creation.name.clone(),
                seconds: self.inner().settings.create_timeout.as_secs(),
            }),
        };
        match (creation.mirror.state(), result) {
            (State::Pending | State::Paid, result) => {
                let order = self.attach(&creation).await?;
                // The host created the charge, but its invoice must not be shown.
                result.map(|()| order)
            }
            (State::Draft, result) => {
                self.forget(&creation).await;
                result.map(|()| None)
            }
            (_, result) => {
                let Err(error) = result else { return Ok(None) };
                self.release(&creation, &error).await;
                Err(error)
            }
        }
    }

    /// Asks the host until the mirror knows the charge, or knows that there is none.
    async fn learn(&self, creation: &mut Creation) -> Result<(), Error> {
        let Some(NextRequest::Once(order, options)) = creation.mirror.ask(Query::Id) else { return Ok(()) };
        let key = options.key();
        // The row is new, so nothing was sent. Otherwise search, and create if there is no charge.
        let options = if creation.is_new {
            CreateOnceOptions::fresh(key)
        } else {
            CreateOnceOptions::with_key(key).since(time(creation.begun_at))
        };
        let error = match self.create_once(creation, order.clone(), options).await {
            Err(Error::Client(error)) if *error.kind() == ErrorKind::OutcomeUnknown => error,
            result => return result,
        };
        // No payer has seen the invoice of this key. So give it up if the host has not shown it for long.
        let now = self.now().await?;
        let patience = millis(self.inner().settings.create_timeout).saturating_mul(2);
        if creation.is_new || now.saturating_sub(creation.begun_at) < patience {
            return Err(error.into());
        }
        creation.mirror.abandon(new_key()?, time(now));
        let Some(NextRequest::Once(order, options)) = creation.mirror.ask(Query::Id) else { return Ok(()) };
        if !self.save(creation).await? {
            return Err(Error::BeingPlaced { name: creation.name.clone() });
        }
        self.create_once(creation, order, CreateOnceOptions::fresh(options.key())).await
    }

    async fn create_once(
        &self,
        creation: &mut Creation,
        order: NewCharge,
        options: CreateOnceOptions,
    ) -> Result<(), Error> {
        let request = NextRequest::Once(order.clone(), options);
        let result = self.client().create_once(order, options).await.map(CreateOutcome::into_charge);
        creation.mirror.learn(&request, result.as_ref())?;
        result.map(drop).map_err(Error::from)
    }

    /// Writes the charge of a claimed row. Returns `None` if another call has taken over.
    async fn attach(&self, creation: &Creation) -> Result<Option<Order>, Error> {
        let Some(charge) = creation.mirror.charge() else { return Ok(None) };
        // The charge exists, so it is worth trying until another call may take over.
        let give_up = Instant::now() + self.inner().settings.create_timeout;
        let mut pause = Duration::from_millis(50);
        let is_attached = loop {
            match self.try_attach(creation, charge).await {
                Ok(is_attached) => break is_attached,
                Err(error) if Instant::now() >= give_up => return Err(error),
                Err(error) => {
                    tracing::warn!(order = creation.name, %error, "a new charge is written again later")
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        };
        if !is_attached {
            return Ok(None);
        }
        metrics::placed();
        self.order(&creation.name).await
    }

    async fn try_attach(&self, creation: &Creation, charge: &Charge) -> Result<bool, Error> {
        let failed = |source| Error::database("write the new charge", source);
        let saved = to_json(&creation.name, &creation.mirror)?;
        let active = self.inner().runner.active();
        let change = Change::Order(creation.name.clone());
        let mut tx = self.inner().store.begin().await.map_err(failed)?;
        tx.lock_order(creation.order_id).await.map_err(failed)?;
        let lease = active.as_ref().map(|active| active.lease);
        let attached =
            tx.attach(creation, charge, &saved, expires_at(charge), lease).await.map_err(failed)?;
        let Some(holder) = attached else { return Ok(false) };
        tx.notify(&change.payload()).await.map_err(failed)?;
        if holder.is_none() {
            tx.notify(&Change::Work.payload()).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
        match active {
            Some(active) if holder.is_some() => active.handle.add(charge),
            _ => self.inner().signal.send(Change::Work),
        }
        self.inner().signal.send(change);
        Ok(true)
    }

    /// Writes the mirror of a claimed row. Returns false if another call has taken over.
    async fn save(&self, creation: &Creation) -> Result<bool, Error> {
        let failed = |source| Error::database("write the new order key", source);
        let saved = to_json(&creation.name, &creation.mirror)?;
        let mut tx = self.inner().store.begin().await.map_err(failed)?;
        let is_saved = tx.save_creation(creation, &saved).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(is_saved)
    }

    /// Removes a row whose charge was certainly not created. If that fails, a later call finds out again.
    async fn forget(&self, creation: &Creation) {
        let forget = async {
            let mut tx = self.inner().store.begin().await?;
            tx.lock_order(creation.order_id).await?;
            tx.forget(creation).await?;
            tx.commit().await
        };
        if let Err(error) = forget.await {
            tracing::warn!(order = creation.name, %error, "a refused order could not be removed");
        }
        self.inner().signal.send(Change::Order(creation.name.clone()));
    }

    /// Gives up the claim of a row. If that fails, the claim lapses.
    async fn release(&self, creation: &Creation, error: &Error) {
        let release = async {
            let mut tx = self.inner().store.begin().await?;
            let retry_at = tx.now().await?.saturating_add(RETRY_CREATE);
            tx.release_claim(creation, &error.to_string(), retry_at).await?;
            tx.commit().await
        };
        if let Err(error) = release.await {
            tracing::warn!(order = creation.name, %error, "a claim could not be given up; it lapses");
        }
        self.inner().signal.send(Change::Order(creation.name.clone()));
    }

    /// Returns true if the host says that the invoice of an ended order was paid.
    async fn is_paid_late(&self, order: &Order) -> Result<bool, Error> {
        match self.client().get(order.charge().id()).await {
            Ok(charge) => Ok(charge.is_paid()),
            Err(error) if *error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets a runner look for a late payment at once.
    async fn look_for_late_payment(&self, order: &Order) -> Result<(), Error> {
        let failed = |source| Error::database("ask for a look at an old invoice", source);
        let mut tx = self.inner().store.begin().await.map_err(failed)?;
        let now = tx.now().await.map_err(failed)?;
        let row: Option<Row> = tx.lock_charge(order.charge().id().as_str()).await.map_err(failed)?;
        if let Some(row) = row {
            tx.set_check_at(row.charge_row, Some(now)).await.map_err(failed)?;
        }
        tx.notify(&Change::Work.payload()).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        self.inner().signal.send(Change::Work);
        Ok(())
    }

    async fn now(&self) -> Result<i64, Error> {
        let failed = |source| Error::database("read the database's clock", source);
        let mut reader = self.inner().store.reader().await.map_err(failed)?;
        reader.connection().now().await.map_err(failed)
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME {
        return Err(Error::InvalidName { rule: "1 to 200 characters long" });
    }
    if name.chars().any(char::is_control) {
        return Err(Error::InvalidName { rule: "free of control characters" });
    }
    Ok(())
}

/// Checks the limits of an order. A machine that is dropped before its first request sends nothing.
fn check_order(core: &CoreClient, ordered: &NewCharge) -> Result<(), Error> {
    let now = Now::new(Duration::ZERO, UnixMillis::from_millis(0));
    let options = CreateOnceOptions::fresh(OrderKey::from_entropy(0));
    match core.create_once(ordered.clone(), options).poll(now) {
        Step::Done(Err(error)) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Returns an error if two orders differ in what the payer pays for.
fn unless_different(name: &str, stored: &NewCharge, ordered: &NewCharge) -> Result<(), Error> {
    let field = if stored.amount() != ordered.amount() {
        "amount"
    } else if stored.description() != ordered.description() {
        "description"
    } else if stored.get_customer_id() != ordered.get_customer_id() {
        "customer_id"
    } else {
        return Ok(());
    };
    Err(Error::DifferentOrder { name: name.to_owned(), field })
}

/// Returns when the invoice of a charge expires.
fn expires_at(charge: &Charge) -> i64 {
    let expires_at = charge.invoice().map(|invoice| invoice.expires_at());
    let expires_at = expires_at.unwrap_or_else(|_| charge.created().saturating_add(WEEK));
    i64::try_from(expires_at.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn to_json(name: &str, mirror: &Mirror) -> Result<String, Error> {
    serde_json::to_string(mirror).map_err(|source| Error::unreadable(name, source))
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Returns a new order key.
fn new_key() -> Result<OrderKey, Error> {
    random().map(OrderKey::from_entropy)
}

/// Returns a new token of a claim.
pub(crate) fn new_claim() -> Result<String, Error> {
    Ok(format!("{:032x}", random()?))
}

fn random() -> Result<u128, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Error::NoRandom)?;
    Ok(u128::from_le_bytes(bytes))
}
