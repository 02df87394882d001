//! The machine that returns the next event of a watcher.

use std::ops::ControlFlow::{self, Break, Continue};

use super::event::Event;
use super::watcher::Watcher;
use crate::errors::Error;
use crate::machine::{Machine, Step};
use crate::transport::Reply;
use crate::values::Now;

/// Returns the next event of a [`Watcher`], or `None` if no charge is pending.
///
/// [`Watcher::next`] and [`Watcher::lane`] make it.
#[derive(Debug)]
#[must_use]
pub struct NextEvent<'a> {
    watcher: &'a mut Watcher,
    lane: usize,
    finished: bool,
}

impl<'a> NextEvent<'a> {
    pub(super) const fn new(watcher: &'a mut Watcher, lane: usize) -> Self {
        Self { watcher, lane, finished: false }
    }

    fn advance(&mut self, now: Now) -> ControlFlow<Step<Option<Event>>> {
        let watcher = &mut *self.watcher;
        watcher.schedule_new_charges(now);
        if let Some(event) = watcher.pop_event() {
            return Break(Step::Done(Ok(Some(event))));
        }
        if watcher.in_flight.contains_key(&self.lane) {
            return match watcher.poll_in_flight(self.lane, now)? {
                Some(error) => Break(Step::Done(Err(error))),
                None => Continue(()),
            };
        }
        if watcher.is_empty() {
            return Break(Step::Done(Ok(None)));
        }
        let (lane, Watcher { pace, scheduler, charges, in_flight, .. }) = (self.lane, &mut *watcher);
        pace.wait(in_flight.len(), || scheduler.has_urgent(lane, charges), now)?;
        watcher.start_request(lane, now)
    }
}

impl Machine for NextEvent<'_> {
    type Output = Option<Event>;

    fn poll(&mut self, now: Now) -> Step<Option<Event>> {
        if self.finished {
            return Step::Done(Err(Error::finished()));
        }
        let step = loop {
            if let Break(step) = self.advance(now) {
                break step;
            }
        };
        self.finished = matches!(step, Step::Done(_));
        step
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        if let Some(in_flight) = self.watcher.in_flight.get_mut(&self.lane) {
            in_flight.handle(reply, now);
        }
    }
}
