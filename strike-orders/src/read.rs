//! Reading orders: by name, in pages, totals for each day, and an order as it changes.

use std::time::Duration;

use strike_async::{Satoshi, UnixMillis};

use crate::desk::Desk;
use crate::error::Error;
use crate::order::{Order, OrderState};
use crate::signal::{Change, Changes};
use crate::store::{time, within};

/// The milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Which orders to read, newest first.
///
/// ```no_run
/// use strike_orders::{Desk, Error, OrderFilter, OrderState};
///
/// /// Prints every pending order.
/// async fn print_pending(desk: &Desk) -> Result<(), Error> {
///     let mut filter = OrderFilter::all().state(OrderState::Pending);
///     loop {
///         let page = desk.orders(&filter).await?;
///         page.iter().for_each(|order| println!("{}: {}", order.name(), order.amount()));
///         match page.last() {
///             Some(last) => filter = filter.after(last),
///             None => return Ok(()),
///         }
///     }
/// }
/// # let _ = print_pending;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct OrderFilter {
    state: Option<OrderState>,
    before: i64,
    page_size: u32,
}

impl OrderFilter {
    /// Reads every order, in pages of 100.
    pub const fn all() -> Self {
        Self { state: None, before: i64::MAX, page_size: 100 }
    }

    /// Reads only orders in this state.
    pub const fn state(mut self, state: OrderState) -> Self {
        self.state = Some(state);
        self
    }

    /// Sets the number of orders in a page, 1 to 1000. The default is 100.
    pub fn page_size(mut self, orders: u32) -> Self {
        self.page_size = orders.clamp(1, 1000);
        self
    }

    /// Reads the orders that were placed before this one: the last of the page before.
    pub const fn after(mut self, last: &Order) -> Self {
        self.before = last.id;
        self
    }
}

/// What was paid on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DayTotal {
    /// The first millisecond of the day, in UTC.
    pub day_start: UnixMillis,
    /// How many orders were completed.
    pub orders: u64,
    /// The sum of their amounts, without second payments of an order.
    pub satoshi: Satoshi,
}

impl Desk {
    /// Returns the order with this name, or `None`.
    ///
    /// An order exists when its first invoice exists. An order that ended is kept.
    ///
    /// # Errors
    /// Returns [`Error::Database`] if it cannot be read.
    pub async fn order(&self, name: &str) -> Result<Option<Order>, Error> {
        let row = async { self.inner().store.reader().await?.order(name).await };
        within("read an order", row).await?.map(|row| row.order()).transpose()
    }

    /// Returns a page of orders, newest first. It is empty after the last order.
    ///
    /// # Errors
    /// Returns [`Error::Database`] if they cannot be read.
    pub async fn orders(&self, filter: &OrderFilter) -> Result<Vec<Order>, Error> {
        let rows = async {
            let mut reader = self.inner().store.reader().await?;
            let (before, limit) = (filter.before, i64::from(filter.page_size));
            match filter.state {
                Some(state) => reader.orders_in_state(state.as_str(), before, limit).await,
                None => reader.orders(before, limit).await,
            }
        };
        within("read orders", rows).await?.iter().map(|row| row.order()).collect()
    }

    /// Returns what was paid on each day in UTC, from `from` to before `to`. Days without payment are
    /// left out.
    ///
    /// A payment counts on the day on which your handler completed the order, by the database's clock.
    ///
    /// # Errors
    /// Returns [`Error::Database`] if the totals cannot be read.
    pub async fn totals(&self, from: UnixMillis, to: UnixMillis) -> Result<Vec<DayTotal>, Error> {
        let millis = |at: UnixMillis| i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        let rows = async { self.inner().store.reader().await?.totals(millis(from), millis(to)).await };
        let rows = within("read the totals", rows).await?;
        let total = |(day, orders, satoshi): (i64, i64, i64)| DayTotal {
            day_start: time(day.saturating_mul(DAY)),
            orders: orders.unsigned_abs(),
            satoshi: Satoshi::new(satoshi.unsigned_abs()),
        };
        Ok(rows.into_iter().map(total).collect())
    }

    /// Returns an order now, and whenever it changes: its state, or its invoice.
    ///
    /// It is for a page that shows one order. Your handler completes the order.
    ///
    /// ```no_run
    /// use strike_orders::{Desk, Error, OrderState};
    ///
    /// async fn wait_until_paid(desk: &Desk, name: &str) -> Result<(), Error> {
    ///     let mut order = desk.follow(name);
    ///     while order.next().await?.state() != OrderState::Paid {}
    ///     Ok(())
    /// }
    /// # let _ = wait_until_paid;
    /// ```
    #[must_use]
    pub fn follow(&self, name: &str) -> Follow {
        let changes = self.inner().signal.subscribe();
        Follow { desk: self.clone(), name: name.to_owned(), changes, last: None }
    }
}

/// An order as it changes. [`Desk::follow`] returns it.
#[derive(Debug)]
pub struct Follow {
    desk: Desk,
    name: String,
    changes: Changes,
    last: Option<(OrderState, u32)>,
}

impl Follow {
    /// Returns the order: the first time at once, then when its state or its invoice has changed.
    ///
    /// You can drop the future; the next call returns the same change.
    ///
    /// # Errors
    /// - [`Error::NotFound`] if there is no order with this name.
    /// - [`Error::Database`] if it cannot be read. You can call it again.
    pub async fn next(&mut self) -> Result<Order, Error> {
        loop {
            let order = self.desk.order(&self.name).await?;
            let order = order.ok_or_else(|| Error::NotFound { name: self.name.clone() })?;
            let seen = (order.state(), order.attempt());
            if self.last.replace(seen) != Some(seen) {
                return Ok(order);
            }
            let at_most = self.desk.inner().settings.poll_interval.max(Duration::from_millis(10));
            let name = &self.name;
            self.changes
                .wait(at_most, |change| matches!(change, Change::Order(changed) if changed == name))
                .await;
        }
    }
}
