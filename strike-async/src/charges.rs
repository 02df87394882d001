//! `Charges`: a stream of every charge of the account.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::stream;
use strike_core::machine::Pager;
use strike_core::{Charge, Error};

use crate::driver::Driver;

/// A stream of every charge of the account, newest first, each once.
/// [`Client::list_all`](crate::Client::list_all) returns it.
///
/// Use it as a [`Stream`], or call [`next`](Self::next), which needs no other crate. It reads a
/// page when it needs one. These errors can occur:
///
/// - A row is not a charge. The stream continues after this error.
/// - A page cannot be read. The stream ends.
/// - The list grows faster than it is read, so charges may be missing. The stream ends with
///   [`Incomplete`](crate::ErrorKind::Incomplete).
///
/// ```
/// use strike_async::{ApiKey, Client, Endpoint, Exchange, NewCharge};
/// use strike_sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::new();
/// let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
/// let server = sandbox.clone();
/// let client = Client::builder(endpoint).transport(move |x: Exchange| std::future::ready(server.reply(x))).build()?;
/// client.create(NewCharge::satoshis(4200, "coffee")).await?;
/// let mut charges = client.list_all().limit(100);
/// while let Some(charge) = charges.next().await {
///     println!("{}", charge?);
/// }
/// # Ok(()) }
/// ```
#[must_use = "nothing is read until it is polled"]
pub struct Charges(State);

enum State {
    /// Not polled yet. The pager can still be configured.
    Idle(Box<(Driver, Pager)>),
    Started(BoxStream<'static, Result<Charge, Error>>),
    /// Ended, or being polled at the moment.
    Ended,
}

impl Charges {
    pub(crate) fn new(driver: Driver, pager: Pager) -> Self {
        Self(State::Idle(Box::new((driver, pager))))
    }

    /// Sets the number of rows per page. The default is 30. The server may limit it. Call it before
    /// the first poll; it has no effect afterwards.
    pub fn page_size(self, rows: u32) -> Self {
        self.configure(|pager| pager.page_size(rows))
    }

    /// Ends the stream after this many charges. Call it before the first poll; it has no effect
    /// afterwards.
    pub fn limit(self, most: u64) -> Self {
        self.configure(|pager| pager.limit(most))
    }

    fn configure(self, change: impl FnOnce(Pager) -> Pager) -> Self {
        match self.0 {
            State::Idle(idle) => Self::new(idle.0, change(idle.1)),
            state => Self(state),
        }
    }

    /// Returns the next charge, or `None` at the end.
    ///
    /// You can drop the future; the next call returns the same charge.
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
