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
    charges: Vec<Charge>,
    unreadable: Vec<Unreadable>,
}

impl Page {
    /// The charges, newest first.
    #[must_use]
    pub fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// The charges, newest first, taken out.
    #[must_use]
    pub fn into_charges(self) -> Vec<Charge> {
        self.charges
    }

    /// Rows that are no charges, so that one bad record does not hide the others.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// How many rows the server returned, unreadable ones included. Fewer than asked for does not mean that the
    /// list has ended: the host may allow smaller pages only.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.charges.len() + self.unreadable.len()
    }
}

/// A row of a list that could not be read as a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    row: usize,
    id: Option<ChargeId>,
    reason: String,
}

impl Unreadable {
    /// Where it stood in the page, counted from zero.
    #[must_use]
    pub const fn row(&self) -> usize {
        self.row
    }

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
        let rows = wire::charges(at, &self.asked(), response)?;
        let mut page = Page { charges: Vec::with_capacity(rows.len()), unreadable: Vec::new() };
        for (row, read) in rows.into_iter().enumerate() {
            match read {
                Ok(charge) => page.charges.push(charge),
                Err(bad) => page.unreadable.push(Unreadable { row, id: bad.id, reason: bad.reason }),
            }
        }
        Ok(page)
    }

    fn asked(&self) -> String {
        format!("{}, page {}", Self::NAME, self.page)
    }
}
