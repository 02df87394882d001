//! Placing and renewing: one invoice for each order, whichever instance is asked.
//!
//! A row is written before anything is sent, and it says who creates the charge. What the caller gets
//! is what the database holds afterwards. So a charge that nobody recorded is never shown to a payer.
//!
//! `claim.rs` decides which call creates the charge, `create.rs` creates or finds it, and `attach.rs`
//! writes it. `limits.rs` checks the input, `late.rs` looks at the old invoice before a renewal.

mod attach;
mod claim;
mod create;
mod late;
mod limits;
mod random;

use std::time::Duration;

use strike_async::NewCharge;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use self::claim::Claim;
use self::limits::{check_name, check_order, unless_different};
pub(crate) use self::random::new_claim;
use crate::desk::Desk;
use crate::error::Error;
use crate::order::Order;
use crate::signal::Change;
use crate::store::TIME_LIMIT;

/// What a call wants for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// The order, as it is.
    Order,
    /// The order with a payable invoice.
    Renewal,
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
    /// - [`Error::InvalidName`], [`Error::NulCharacter`] and [`Error::Client`] for invalid input. Nothing was written or sent.
    /// - [`Error::DifferentOrder`] if the name has another amount, description or `customer_id`.
    /// - [`Error::Client`] if the host refuses the charge. The order does not exist then. If the
    ///   outcome of the create is unknown, a later call finds or creates the charge.
    /// - [`Error::BeingPlaced`], [`Error::CreateTimedOut`] and [`Error::Database`]: try again.
    pub async fn place(&self, name: &str, order: NewCharge) -> Result<Order, Error> {
        self.obtain(name, order, Want::Order).instrument(tracing::info_span!("place", order = name)).await
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
        self.obtain(name, order, Want::Renewal).instrument(tracing::info_span!("renew", order = name)).await
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
            let claim = timeout(TIME_LIMIT, self.claim(name, &ordered, want, checked)).await;
            match claim.unwrap_or(Err(Error::DatabaseTimedOut { task: "place the order" }))? {
                Claim::Exists(order) => return Ok(*order),
                Claim::Create(creation) => {
                    let desk = self.clone();
                    // A task of its own: the caller may be dropped, for example by a web server.
                    let created =
                        tokio::spawn(async move { desk.create(*creation).await }.in_current_span()).await;
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
}
