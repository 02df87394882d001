//! Every charge of the account, as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::stream;
use strike_core::machine::Pager;
use strike_core::{Charge, Error};

use crate::client::Client;

/// Every charge of the account, newest first, each once; see [`Client::list_all`].
///
/// Pages are read as they are needed. A row that is no charge is an error, after which the rest follows; a page that cannot
/// be read is an error that ends it. So is [`Incomplete`](strike_core::ErrorKind::Incomplete): the list grows faster than it is
/// read, and charges are missing. It is a [`Stream`], and it can be asked with [`next`](Self::next) without another crate.
#[must_use = "nothing is read until it is polled"]
pub struct Charges(State);

enum State {
    /// Not asked yet: the pager can still be told how.
    Idle(Box<(Client, Pager)>),
    Asked(BoxStream<'static, Result<Charge, Error>>),
    /// In between, and after the end.
    Ended,
}

impl Charges {
    pub(crate) fn new(client: Client, pager: Pager) -> Self {
        Self(State::Idle(Box::new((client, pager))))
    }

    /// Asks for pages of that many rows; 30 unless set. The host may allow fewer. Too late once it was asked.
    pub fn page_size(self, rows: u32) -> Self {
        self.tell(|pager| pager.page_size(rows))
    }

    /// Ends after that many charges. Too late once it was asked.
    pub fn limit(self, most: u64) -> Self {
        self.tell(|pager| pager.limit(most))
    }

    fn tell(self, how: impl FnOnce(Pager) -> Pager) -> Self {
        match self.0 {
            State::Idle(idle) => Self::new(idle.0, how(idle.1)),
            state => Self(state),
        }
    }

    /// The next charge; `None` at the end. Dropping the future half-way loses nothing.
    pub async fn next(&mut self) -> Option<Result<Charge, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Charges {
    type Item = Result<Charge, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut stream = match std::mem::replace(&mut self.0, State::Ended) {
            State::Idle(idle) => {
                let charges = stream::unfold(*idle, |(client, mut pager)| async {
                    let charge = client.drive(pager.next()).await.transpose()?;
                    Some((charge, (client, pager)))
                });
                Box::pin(charges) as BoxStream<'static, Self::Item>
            }
            State::Asked(stream) => stream,
            State::Ended => return Poll::Ready(None),
        };
        let polled = stream.as_mut().poll_next(context);
        if !matches!(polled, Poll::Ready(None)) {
            self.0 = State::Asked(stream);
        }
        polled
    }
}

impl fmt::Debug for Charges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Charges")
    }
}
