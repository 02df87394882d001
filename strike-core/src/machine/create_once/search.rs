//! A search for an order key: with the memory of the list where that is safe, else in full.

use std::ops::ControlFlow::{self, Break, Continue};

use super::key_search::KeySearch;
use super::look::Look;
use super::search_result::SearchResult;
use crate::machine::{Machine, Step};
use crate::transport::Reply;
use crate::values::Now;

/// Finds the charges of an order.
#[derive(Debug)]
pub(super) struct Search {
    /// Comes first, if there is one.
    look: Option<Look>,
    /// Takes over if the look cannot tell.
    full: KeySearch,
}

impl Search {
    pub(super) const fn new(look: Option<Look>, full: KeySearch) -> Self {
        Self { look, full }
    }

    fn advance(&mut self, now: Now) -> ControlFlow<Step<SearchResult>> {
        let Some(look) = &mut self.look else { return Break(self.full.poll(now)) };
        let result = look.poll(now).done()?;
        self.look = None;
        match result {
            Ok(None) => Continue(()),
            Ok(Some(found)) => Break(Step::Done(Ok(found))),
            Err(error) => Break(Step::Done(Err(error))),
        }
    }
}

impl Machine for Search {
    type Output = SearchResult;

    fn poll(&mut self, now: Now) -> Step<SearchResult> {
        loop {
            if let Break(step) = self.advance(now) {
                return step;
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        match &mut self.look {
            Some(look) => look.handle(reply, now),
            None => self.full.handle(reply, now),
        }
    }
}
