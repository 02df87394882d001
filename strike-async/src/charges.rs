//! `Charges`: a stream of every charge of the account.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::future::BoxFuture;
use strike_core::machine::{PageCharges, Pager};
use strike_core::{Charge, Error};

use crate::driver::Driver;

/// A stream of every charge of the account, newest first, each once.
/// [`Client::list_all`](crate::Client::list_all) returns it.
///
/// Use it as a [`Stream`], or call [`next`](Self::next), which needs no other crate.
///
/// It reads one page ahead: with the first row of a page, it sends the request for the next page. That
/// request goes on while you poll the stream. If you stop early, at most this one request was not
/// needed. Set a [`limit`](Self::limit) to avoid it.
///
/// These errors can occur:
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
    Reading {
        /// What is left of the page that was read last.
        page: PageCharges,
        next: NextPage,
    },
    Ended,
}

/// The page after that, which is read ahead.
enum NextPage {
    Requested(BoxFuture<'static, ReadPage>),
    Read(Box<ReadPage>),
}

/// The result of a request for a page, and the state for the request after it.
struct ReadPage {
    driver: Driver,
    pager: Pager,
    result: Result<Option<PageCharges>, Error>,
}

impl NextPage {
    fn request(driver: Driver, mut pager: Pager) -> Self {
        Self::Requested(Box::pin(async move {
            let result = driver.run("list_all", pager.next_page()).await;
            ReadPage { driver, pager, result }
        }))
    }

    /// Polls the request, if it has not ended.
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Self::Requested(request) = self
            && let Poll::Ready(read) = request.as_mut().poll(context)
        {
            *self = Self::Read(Box::new(read));
        }
    }
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
        loop {
            let (mut page, mut next) = match std::mem::replace(&mut self.0, State::Ended) {
                State::Idle(idle) => (PageCharges::default(), NextPage::request(idle.0, idle.1)),
                State::Reading { page, next } => (page, next),
                State::Ended => return Poll::Ready(None),
            };
            next.poll(context);
            if let Some(charge) = page.next() {
                self.0 = State::Reading { page, next };
                return Poll::Ready(Some(charge));
            }
            let read = match next {
                NextPage::Requested(_) => {
                    self.0 = State::Reading { page, next };
                    return Poll::Pending;
                }
                NextPage::Read(read) => *read,
            };
            match read.result {
                Ok(Some(page)) => {
                    self.0 = State::Reading { page, next: NextPage::request(read.driver, read.pager) };
                }
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl fmt::Debug for Charges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Charges")
    }
}
