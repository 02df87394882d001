//! Lists every charge of the account, newest first.

use std::collections::VecDeque;
use std::ops::ControlFlow::{self, Break, Continue};

use crate::errors::{Error, ErrorKind};
use crate::machine::context::Context;
use crate::machine::paging::cursor::PageCursor;
use crate::machine::{Call, Machine, Step};
use crate::protocol::{List, Row};
use crate::transport::Reply;
use crate::values::{Charge, Now};

/// Lists every charge of the account, newest first.
///
/// Each machine of [`next`](Self::next) returns one charge, or `None` at the end of the list. The
/// state is in the pager: you can drop a `next` before it ends, and call `next` again.
///
/// - Charges that are created while the list is read shift its rows. Each charge is still returned
///   once. After more than 10,000 rows a charge can come twice.
/// - If a row is not a readable charge, `next` returns the error [`Undecodable`]. The next `next`
///   goes on with the row after it.
/// - If a page cannot be read, `next` returns the error, and the list ends.
/// - If the list grows faster than it is read, by more than 10,000 rows between two pages, or
///   repeats rows without ids, `next` returns the error [`Incomplete`]. Use a larger
///   [`page_size`](Self::page_size), or read the list at a quieter time.
/// - [`next_page`](Self::next_page) returns the charges of a page. So a client can read the next page
///   while its caller works on this one.
/// - The API has no request that deletes a charge. If a server deletes charges while its list is
///   read, the pager can miss as many others without an error.
///
/// [`Incomplete`]: ErrorKind::Incomplete
/// [`Undecodable`]: ErrorKind::Undecodable
///
/// ```
/// use std::time::Duration;
/// use strike_core::machine::{Machine, Step};
/// use strike_core::{ApiKey, CoreClient, Endpoint, Network, Now, RetryPolicy, UnixMillis};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let url = "http://127.0.0.1:8420/api/v1/";
/// let endpoint = Endpoint::new(url, ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let mut pager = CoreClient::new(endpoint, RetryPolicy::default(), 7).pager().limit(100);
/// let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
/// let mut next = pager.next();
/// let Step::Send(exchange) = next.poll(now) else { panic!("expected a request") };
/// assert_eq!(exchange.request.uri().path_and_query().unwrap(), "/api/v1/charges?page=0&size=30");
/// next.handle(Ok(http::Response::new(b"[ ]".to_vec())), now);
/// assert!(matches!(next.poll(now), Step::Done(Ok(None))));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Pager {
    context: Context,
    cursor: PageCursor,
    rows: VecDeque<Row>,
    call: Option<Call<List>>,
    /// How many charges may still be returned.
    left: u64,
}

impl Pager {
    pub(crate) fn new(context: Context) -> Self {
        let cursor = PageCursor::new(30, context.endpoint.properties().empty_pages_at_end);
        Self { context, cursor, rows: VecDeque::new(), call: None, left: u64::MAX }
    }

    /// Sets the number of rows per page. The default is 30. If the server limits the size, its
    /// limit is used.
    pub fn page_size(mut self, rows: u32) -> Self {
        self.cursor = PageCursor::new(rows, self.context.endpoint.properties().empty_pages_at_end);
        self
    }

    /// Sets the maximum number of charges. A list that ends at this limit is not an error.
    pub const fn limit(mut self, most: u64) -> Self {
        self.left = most;
        self
    }

    /// Returns a machine that returns the next charge, or `None` at the end of the list.
    pub const fn next(&mut self) -> NextCharge<'_> {
        NextCharge { pager: self, ended: false }
    }

    /// Returns a machine that returns the charges of the next page, or `None` at the end of the list.
    ///
    /// It returns the same charges and errors as [`next`](Self::next), in the same order.
    pub const fn next_page(&mut self) -> NextPage<'_> {
        NextPage { pager: self, ended: false }
    }

    /// Takes one step towards the next charge: returns a row, or reads a page.
    fn advance(&mut self, now: Now) -> ControlFlow<Step<Option<Charge>>> {
        if self.left == 0 {
            return Break(Step::Done(Ok(None)));
        }
        if let Some(row) = self.rows.pop_front() {
            let charge = read(row);
            self.left -= u64::from(charge.is_ok());
            return Break(Step::Done(charge.map(Some)));
        }
        self.read_page(now)
    }

    /// Takes one step towards the next page: returns its rows, or reads it.
    fn advance_page(&mut self, now: Now) -> ControlFlow<Step<Option<PageCharges>>> {
        if self.left == 0 {
            return Break(Step::Done(Ok(None)));
        }
        if self.rows.is_empty() {
            return self.read_page(now);
        }
        let mut rows = std::mem::take(&mut self.rows);
        let is_charge = |row: &Row| matches!(row, Row::Charge(_));
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        if let Some((last, _)) = rows.iter().enumerate().filter(|(_, row)| is_charge(row)).nth(most - 1) {
            rows.truncate(last + 1);
        }
        let charges = rows.iter().filter(|row| is_charge(row)).count();
        self.left = self.left.saturating_sub(u64::try_from(charges).unwrap_or(u64::MAX));
        Break(Step::Done(Ok(Some(PageCharges(rows)))))
    }

    /// Reads a page, or ends.
    fn read_page<T>(&mut self, now: Now) -> ControlFlow<Step<Option<T>>> {
        let call = match (&mut self.call, self.cursor.next()) {
            (Some(call), _) => call,
            (None, Some(list)) => self.call.insert(Call::new(list, self.context.fork())),
            (None, None) => {
                return self.end(if self.cursor.gave_up() { Err(incomplete()) } else { Ok(None) });
            }
        };
        let result = call.poll(now).done()?;
        self.call = None;
        match result {
            Ok(page) => {
                self.rows.extend(self.cursor.take(page));
                Continue(())
            }
            Err(error) => self.end(Err(error)),
        }
    }

    fn end<T>(&mut self, result: Result<Option<T>, Error>) -> ControlFlow<Step<Option<T>>> {
        self.left = 0;
        Break(Step::Done(result))
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        if let Some(call) = &mut self.call {
            call.handle(reply, now);
        }
    }
}

fn read(row: Row) -> Result<Charge, Error> {
    match row {
        Row::Charge(charge) => Ok(charge),
        Row::Unreadable(row) => Err(row.into_error()),
    }
}

fn incomplete() -> Error {
    let asked = "list all charges (the list grows faster than it is read, or repeats rows without ids)";
    Error::new(asked, ErrorKind::Incomplete)
}

/// Returns the next charge of a [`Pager`], or `None` at the end of the list.
///
/// [`Pager::next`] makes it.
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
        let step = loop {
            if let Break(step) = self.pager.advance(now) {
                break step;
            }
        };
        self.ended = matches!(step, Step::Done(_));
        step
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        self.pager.handle(reply, now);
    }
}

/// Returns the charges of the next page of a [`Pager`], or `None` at the end of the list.
///
/// [`Pager::next_page`] makes it.
#[derive(Debug)]
pub struct NextPage<'a> {
    pager: &'a mut Pager,
    ended: bool,
}

impl Machine for NextPage<'_> {
    type Output = Option<PageCharges>;

    fn poll(&mut self, now: Now) -> Step<Self::Output> {
        if self.ended {
            return Step::Done(Err(Error::finished()));
        }
        let step = loop {
            if let Break(step) = self.pager.advance_page(now) {
                break step;
            }
        };
        self.ended = matches!(step, Step::Done(_));
        step
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        self.pager.handle(reply, now);
    }
}

/// The charges of a page, and an error for each row that is not a readable charge.
///
/// ```
/// use std::time::Duration;
/// use strike_core::machine::{Machine, Step};
/// use strike_core::{ApiKey, CoreClient, Endpoint, Network, Now, RetryPolicy, UnixMillis};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let url = "http://127.0.0.1:8420/api/v1/";
/// let endpoint = Endpoint::new(url, ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let mut pager = CoreClient::new(endpoint, RetryPolicy::default(), 7).pager();
/// let now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));
/// let mut next = pager.next_page();
/// let Step::Send(_) = next.poll(now) else { panic!("expected a request") };
/// next.handle(Ok(http::Response::new(br#"[{"id":"ch_1"}]"#.to_vec())), now);
/// let Step::Done(Ok(Some(mut charges))) = next.poll(now) else { panic!("expected a page") };
/// assert!(charges.next().is_some_and(|charge| charge.is_err()));
/// assert!(charges.next().is_none());
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct PageCharges(VecDeque<Row>);

impl Iterator for PageCharges {
    type Item = Result<Charge, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.pop_front().map(read)
    }
}
