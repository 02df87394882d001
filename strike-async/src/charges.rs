//! Every charge of the account, as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::stream;
use strike_core::machine::Pager;
use strike_core::{Charge, Error};

use crate::driver::Driver;

/// Every charge of the account, newest first, each once; see [`Client::list_all`](crate::Client::list_all).
///
/// It is a [`Stream`]; [`next`](Self::next) works without another crate. Pages are read when they are needed. An error
/// for a row that is not a charge does not end the stream. An error for a page does, and so does
/// [`Incomplete`](crate::ErrorKind::Incomplete): the list grows faster than it is read, and charges are missing.
#[must_use = "nothing is read until it is polled"]
pub struct Charges(State);

enum State {
    /// Not polled yet: the pager can still be configured.
    Idle(Box<(Driver, Pager)>),
    Started(BoxStream<'static, Result<Charge, Error>>),
    /// Being polled, or ended.
    Ended,
}

impl Charges {
    pub(crate) fn new(driver: Driver, pager: Pager) -> Self {
        Self(State::Idle(Box::new((driver, pager))))
    }

    /// Sets the number of rows per page. The default is 30. The host may allow fewer. It has no effect after the first
    /// poll.
    pub fn page_size(self, rows: u32) -> Self {
        self.configure(|pager| pager.page_size(rows))
    }

    /// Ends the stream after this many charges. It has no effect after the first poll.
    pub fn limit(self, most: u64) -> Self {
        self.configure(|pager| pager.limit(most))
    }

    fn configure(self, change: impl FnOnce(Pager) -> Pager) -> Self {
        match self.0 {
            State::Idle(idle) => Self::new(idle.0, change(idle.1)),
            state => Self(state),
        }
    }

    /// Returns the next charge, or `None` at the end. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Charge, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Charges {
    type Item = Result<Charge, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut stream = match std::mem::replace(&mut self.0, State::Ended) {
            State::Idle(idle) => {
                let charges = stream::unfold(*idle, |(driver, mut pager)| async {
                    let charge = driver.run("list_all", pager.next()).await.transpose()?;
                    Some((charge, (driver, pager)))
                });
                Box::pin(charges) as BoxStream<'static, Self::Item>
            }
            State::Started(stream) => stream,
            State::Ended => return Poll::Ready(None),
        };
        let polled = stream.as_mut().poll_next(context);
        if !matches!(polled, Poll::Ready(None)) {
            self.0 = State::Started(stream);
        }
        polled
    }
}

impl fmt::Debug for Charges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Charges")
    }
}
