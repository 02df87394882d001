//! `GET charges`: reads a page of charges, newest first.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use http::Method;

use super::{Operation, Replay, sealed};
use crate::endpoint::Endpoint;
use crate::error::{Error, InvalidInput};
use crate::machine::{HttpRequest, HttpResponse};
use crate::types::{Charge, ChargeId};
use crate::wire;

/// The page size that clients of the service knew.
const USUAL_SIZE: u32 = 30;

/// Reads a page of the account's charges, newest first.
///
/// Pages count from zero. They are windows on a list that grows at its head: a charge made meanwhile moves the
/// others back, so a row can come twice.
#[derive(Debug, Clone)]
pub struct List {
    page: u32,
    size: u32,
}

impl List {
    /// Will read this page, of 30 charges at most; the first is page 0.
    #[must_use]
    pub const fn page(page: u32) -> Self {
        Self { page, size: USUAL_SIZE }
    }

    /// Asks for another number of charges a page, 1 or more. What the largest is, the host decides without saying.
    #[must_use]
    pub const fn size(mut self, size: u32) -> Self {
        self.size = size;
        self
    }
}

/// A page of charges, as the server returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    rows: Vec<Row>,
}

impl Page {
    /// The charges, newest first.
    pub fn charges(&self) -> impl Iterator<Item = &Charge> {
        self.rows.iter().filter_map(|row| if let Row::Charge(charge) = row { Some(charge) } else { None })
    }

    /// Rows that are no charges, so that one bad record does not hide the others.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.rows.iter().filter_map(|row| if let Row::Unreadable(row) = row { Some(row) } else { None })
    }

    /// How many rows the server returned, unreadable ones included. Fewer than asked for does not mean that the
    /// list has ended: the host may allow smaller pages only.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Every row, in the server's order.
    #[must_use]
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is one or the other, and neither may be passed over")]
pub enum Row {
    /// A charge.
    Charge(Charge),
    /// Something else.
    Unreadable(Unreadable),
}

impl Row {
    /// The row's id, if that much could be read.
    #[must_use]
    pub const fn id(&self) -> Option<&ChargeId> {
        match self {
            Self::Charge(charge) => Some(charge.id()),
            Self::Unreadable(row) => row.id(),
        }
    }
}

/// A row of a list that could not be read as a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub(crate) id: Option<ChargeId>,
    /// `None` if not even that could be read: then it may be anyone's.
    pub(crate) customer_id: Option<String>,
    pub(crate) reason: String,
}

impl Unreadable {
    /// Its id, if that much could be read.
    #[must_use]
    pub const fn id(&self) -> Option<&ChargeId> {
        self.id.as_ref()
    }

    /// What is wrong with it.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl sealed::Sealed for List {}

impl Operation for List {
    type Output = Page;

    const NAME: &'static str = "list charges";
    const REPLAY: Replay = Replay::Safe;

    fn request(&self, at: &Endpoint) -> Result<HttpRequest, Error> {
        if self.size == 0 {
            return Err(Error::from(InvalidInput::new("size", "1 or more").found(0)).with_asked(self.asked()));
        }
        at.request(Method::GET, &format!("/charges?page={}&size={}", self.page, self.size), Vec::new())
    }

    fn parse(&self, at: &Endpoint, response: &HttpResponse) -> Result<Page, Error> {
        Ok(Page { rows: wire::rows(at, &self.asked(), response)? })
    }

    fn asked(&self) -> String {
        format!("{}, page {}", Self::NAME, self.page)
    }
}
