//! Gives out every charge of the account, newest first, each once, reading page by page as needed.

use std::collections::VecDeque;

use crate::errors::{Error, ErrorKind};
use crate::machine::context::Context;
use crate::machine::paging::cursor::Walk;
use crate::machine::{Call, Machine, Step};
use crate::protocol::{List, Row};
use crate::transport::Reply;
use crate::values::{Charge, Now};

/// The whole list, as a series of machines: each [`next`](Self::next) gives one charge, or `None` at the end.
///
/// Rows that shift while the list is read, because charges are made meanwhile, are given out once. A row that is no charge is
/// an error of its own, [`Undecodable`], after which the rest follows; a page that cannot be read
/// ends the list with that error. All state is in the pager: dropping a `next` half-way loses nothing.
///
/// A list that shifts by more than 10,000 rows between two pages is incomplete, too. If the host removes charges meanwhile, the
/// others move up, and as many can be missed without an error; the API has no request that removes one.
///
/// A list that grows faster than it is read ends with the error [`Incomplete`]: charges are missing. Ask for larger
/// [pages](Self::page_size), or read the list at a quieter time. A [`limit`](Self::limit) that is reached before is no
/// error. After more than 10,000 rows a charge can come twice. The API deletes no charges: if a host does while its list is read, a page's worth of
/// others moves up unseen, which no client can notice.
///
/// [`Incomplete`]: ErrorKind::Incomplete
/// [`Undecodable`]: ErrorKind::Undecodable
///
/// ```
/// use std::time::Duration;
/// use strike_core::machine::{Machine, Step};
/// use strike_core::{ApiKey, Endpoint, CoreClient, Network, Now, RetryPolicy, UnixMillis};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let at = Endpoint::new("http://127.0.0.1:8420/api/v1/", ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let mut pager = CoreClient::new(at, RetryPolicy::default(), 7).pager().limit(100);
/// let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
/// let mut next = pager.next();
/// let Step::Send(exchange) = next.poll(now) else { panic!() };
/// assert_eq!(exchange.request.uri().path_and_query().unwrap(), "/api/v1/charges?page=0&size=30");
/// next.handle(Ok(http::Response::new(b"[ ]".to_vec())), now);
/// assert!(matches!(next.poll(now), Step::Done(Ok(None))));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Pager {
    context: Context,
    walk: Walk,
    rows: VecDeque<Row>,
    call: Option<Call<List>>,
    left: u64,
}

impl Pager {
    /// Will read the list there, 30 rows a page unless told otherwise.
    pub(crate) fn new(context: Context) -> Self {
        Self { context, walk: Walk::new(30), rows: VecDeque::new(), call: None, left: u64::MAX }
    }

    /// Asks for pages of that many rows. A host that allows fewer is asked for as many as its first page had.
    pub fn page_size(mut self, rows: u32) -> Self {
        self.walk = Walk::new(rows);
        self
    }

    /// Ends after that many charges.
    pub const fn limit(mut self, most: u64) -> Self {
        self.left = most;
        self
    }

    /// The machine that gives the next charge.
    pub const fn next(&mut self) -> NextCharge<'_> {
        NextCharge { pager: self, ended: false }
    }

    fn step(&mut self, now: Now) -> Step<Option<Charge>> {
        loop {
            if self.left == 0 {
                return Step::Done(Ok(None));
            }
            if let Some(row) = self.rows.pop_front() {
                return Step::Done(match row {
                    Row::Charge(charge) => {
                        self.left -= 1;
                        Ok(Some(charge))
                    }
                    Row::Unreadable(row) => Err(row.into_error()),
                });
            }
            let call = match (&mut self.call, self.walk.next()) {
                (Some(call), _) => call,
                (None, None) => {
                    self.left = 0;
                    return Step::Done(if self.walk.gave_up() {
                        Err(Error::new(
                            "list all charges of a list that grows faster than it is read, or repeats rows without ids",
                            ErrorKind::Incomplete,
                        ))
                    } else {
                        Ok(None)
                    });
                }
                (None, Some(list)) => {
                    let call = Call::new(list, self.context.fork());
                    self.call.insert(call)
                }
            };
            match call.poll(now).ended() {
                Err(step) => return step,
                Ok(Ok(page)) => {
                    self.call = None;
                    self.rows.extend(self.walk.take(page));
                }
                Ok(Err(error)) => {
                    self.call = None;
                    self.left = 0;
                    return Step::Done(Err(error));
                }
            }
        }
    }
}

/// The next charge of a [`Pager`]; `None` when there are no more.
#[derive(Debug)]
pub struct NextCharge<'a> {
    pager: &'a mut Pager,
    ended: bool,
}

impl Machine for NextCharge<'_> {
    type Output = Option<Charge>;

    fn poll(&mut self, now: Now) -> Step<Self::Output> {
        if self.ended {
            return Step::Done(Err(Error::finished()));
        }
        let step = self.pager.step(now);
        self.ended = matches!(step, Step::Done(_));
        step
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        if let Some(call) = &mut self.pager.call {
            call.handle(reply, now);
        }
    }
}
