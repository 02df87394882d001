//! Creates or finds the charge of a claimed row. Core's mirror decides what is known of it.

use strike_async::mirror::{NextRequest, Query, State};
use strike_async::{CreateOnceOptions, CreateOutcome, ErrorKind, NewCharge};
use tokio::time::timeout;

use super::random::new_key;
use crate::desk::Desk;
use crate::error::Error;
use crate::order::Order;
use crate::store::{Creation, millis, time, within};

impl Desk {
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
            (_, Ok(())) => Ok(None),
            // The host refused. But if it could not be reached for the search, an earlier create may have arrived.
            (State::Draft, Err(error)) if creation.is_new || !error.is_retryable() => {
                self.forget(&creation).await;
                Err(error)
            }
            (_, Err(error)) => {
                self.release(&creation, &error).await;
                Err(error)
            }
        }
    }

    /// Asks the host until the mirror knows the charge, or knows that there is none.
    async fn learn(&self, creation: &mut Creation) -> Result<(), Error> {
        let Some(NextRequest::Once(order, options)) = creation.mirror.ask(Query::Id) else { return Ok(()) };
        if creation.is_new {
            // The row is new, so no create was sent.
            return self.create_once(creation, order, CreateOnceOptions::fresh(options.key())).await;
        }
        // Search, and create if there is no charge.
        let search = CreateOnceOptions::with_key(options.key()).since(time(creation.begun_at));
        let limit = self.inner().settings.create_timeout;
        let age = self.now().await?.saturating_sub(creation.begun_at);
        if age < millis(limit).saturating_mul(2) {
            return self.create_once(creation, order, search).await;
        }
        // The list grows with every charge, so this search could always run out of time.
        match timeout(limit / 2, self.create_once(creation, order, search)).await {
            Err(_) => self.create_anew(creation).await,
            Ok(Err(Error::Client(error))) if *error.kind() == ErrorKind::OutcomeUnknown => {
                self.create_anew(creation).await
            }
            Ok(result) => result,
        }
    }

    /// Gives up a create whose outcome stays unknown, and creates the charge with a new key. No payer
    /// has seen the invoice of the old key.
    async fn create_anew(&self, creation: &mut Creation) -> Result<(), Error> {
        creation.begun_at = self.now().await?;
        creation.mirror.abandon(new_key()?, time(creation.begun_at));
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

    async fn now(&self) -> Result<i64, Error> {
        let now = async { self.inner().store.reader().await?.connection().now().await };
        within("read the database's clock", now).await
    }
}
