//! The stream of ends, for those who need no transaction.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use strike_async::UnixMillis;

use crate::desk::Desk;
use crate::error::Error;
use crate::event::EndKind;
use crate::order::Order;
use crate::signal::{Change, Changes};
use crate::store::{EndRow, time, within};

/// How many ends are read at a time.
const PAGE: i64 = 100;

/// A position in the stream of ends. Store it as text, and continue after a restart.
///
/// ```
/// use strike_orders::Cursor;
///
/// let stored = Cursor::start().to_string();
/// assert_eq!(stored.parse::<Cursor>()?, Cursor::start());
/// # Ok::<(), strike_orders::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(i64);

impl Cursor {
    /// Returns the position before the first end.
    #[must_use]
    pub const fn start() -> Self {
        Self(0)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().ok().filter(|position| *position >= 0).map(Self).ok_or(Error::InvalidCursor)
    }
}

/// How an order ended, after your handler was told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct End {
    /// The position of this end. Continue with it.
    pub cursor: Cursor,
    /// The order as it is now, with the invoice that ended.
    pub order: Order,
    /// How it ended.
    pub kind: EndKind,
    /// When the handler was told, by the database's clock.
    pub told_at: UnixMillis,
}

/// The ends of all orders, in the order of their commits. [`Desk::ends`] returns it.
#[derive(Debug)]
pub struct Ends {
    desk: Desk,
    changes: Changes,
    after: Cursor,
    read: VecDeque<End>,
}

impl Desk {
    /// Returns how orders ended, from a position on, and goes on with those that end later.
    ///
    /// Each end is returned at least once: store the [`Cursor`] after you have handled an end. The desk
    /// must [`run`](Self::run), here or in another instance.
    ///
    /// ```no_run
    /// use strike_orders::{Cursor, Desk, EndKind, Error};
    ///
    /// async fn mail(desk: &Desk, mut cursor: Cursor) -> Result<(), Error> {
    ///     let mut ends = desk.ends(cursor);
    ///     loop {
    ///         let end = ends.next().await?;
    ///         if end.kind == EndKind::Paid {
    ///             println!("thank you for {}", end.order.name());
    ///         }
    ///         cursor = end.cursor; // store it
    ///     }
    /// }
    /// # let _ = mail;
    /// ```
    #[must_use]
    pub fn ends(&self, after: Cursor) -> Ends {
        Ends { desk: self.clone(), changes: self.inner().signal.subscribe(), after, read: VecDeque::new() }
    }
}

impl Ends {
    /// Returns the next end, and waits for it if there is none yet.
    ///
    /// You can drop the future; the next call returns the same end.
    ///
    /// # Errors
    /// Returns [`Error::Database`] if the ends cannot be read. You can call it again.
    pub async fn next(&mut self) -> Result<End, Error> {
        loop {
            if let Some(end) = self.read.pop_front() {
                return Ok(end);
            }
            let rows = async {
                let store = &self.desk.inner().store;
                store.order_ends().await?;
                store.reader().await?.ends(self.after.0, PAGE).await
            };
            let rows = within("read the ends", rows).await?;
            self.read = rows.iter().map(end).collect::<Result<_, _>>()?;
            match self.read.back() {
                Some(last) => self.after = last.cursor,
                None => {
                    let at_most = self.desk.inner().settings.poll_interval;
                    self.changes.wait(at_most, |change| matches!(change, Change::Order(_))).await;
                }
            }
        }
    }
}

fn end(row: &EndRow) -> Result<End, Error> {
    Ok(End {
        cursor: Cursor(row.position),
        order: row.row.order()?,
        kind: EndKind::parse(&row.kind).ok_or_else(|| Error::without_charge(&row.row.name))?,
        told_at: time(row.told_at),
    })
}
