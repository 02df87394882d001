//! The machine that fetches what a mirror needs.

use std::ops::DerefMut;

use super::{Change, Mirror, NextRequest, Query, State};
use crate::client::CoreClient;
use crate::errors::Error;
use crate::machine::{Call, CreateOnce, Machine, OrderRecord, Step};
use crate::protocol::Get;
use crate::transport::Reply;
use crate::values::Now;

/// Finds out what is wanted of a [`Mirror`], as a [machine](crate::machine). Dropping it half-way leaves the mirror true.
#[derive(Debug)]
#[must_use]
pub struct Fetch<'a, G = Box<OrderRecord>> {
    mirror: &'a mut Mirror,
    want: Query,
    machines: &'a CoreClient,
    /// Taken when a charge is created or looked for.
    record: Option<G>,
    new_key: bool,
    state: FetchState<G>,
}

#[derive(Debug)]
enum FetchState<G> {
    Start,
    Once(NextRequest, Box<CreateOnce<G>>),
    Get(NextRequest, Box<Call<Get>>),
    Finished,
}

impl<'a, G> Fetch<'a, G> {
    pub(super) const fn new(
        mirror: &'a mut Mirror,
        want: Query,
        machines: &'a CoreClient,
        record: G,
    ) -> Self {
        Self { mirror, want, machines, record: Some(record), new_key: false, state: FetchState::Start }
    }

    /// Says that nobody else has ever held the mirror or its key: then a draft is created without a look first.
    pub const fn with_new_key(mut self, new: bool) -> Self {
        self.new_key = new;
        self
    }
}

impl<G: DerefMut<Target = OrderRecord>> Machine for Fetch<'_, G> {
    type Output = Change;

    fn poll(&mut self, now: Now) -> Step<Change> {
        loop {
            let (ask, result) = match &mut self.state {
                FetchState::Finished => return Step::Done(Err(Error::finished())),
                FetchState::Start => {
                    let draft = self.mirror.state() == State::Draft;
                    self.state = match (self.mirror.ask(self.want), self.record.take()) {
                        (Some(NextRequest::Get(id)), _) => {
                            let call = self.machines.call(Get::new(id.clone()));
                            FetchState::Get(NextRequest::Get(id), Box::new(call))
                        }
                        (Some(NextRequest::Once(order, once)), Some(record)) => {
                            let once = if draft && self.new_key { once.posting_first() } else { once };
                            let create = self.machines.create_once_with(order.clone(), once, record);
                            FetchState::Once(NextRequest::Once(order, once), Box::new(create))
                        }
                        (None, _) | (Some(NextRequest::Once(..)), None) => {
                            self.state = FetchState::Finished;
                            return Step::Done(Ok(Change::Nothing));
                        }
                    };
                    continue;
                }
                FetchState::Once(ask, create) => match create.poll(now).ended() {
                    Err(step) => return step,
                    Ok(result) => (ask, result.map(crate::machine::create_once::CreateOutcome::into_charge)),
                },
                FetchState::Get(ask, call) => match call.poll(now).ended() {
                    Err(step) => return step,
                    Ok(result) => (ask, result),
                },
            };
            let change = self.mirror.learn(ask, result.as_ref());
            self.state = FetchState::Finished;
            return Step::Done(match (result, change) {
                (Ok(_), change) | (Err(_), change @ Ok(Change::Learned | Change::Paid)) => change,
                (Err(error), _) => Err(error),
            });
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        match &mut self.state {
            FetchState::Once(_, create) => create.handle(reply, now),
            FetchState::Get(_, call) => call.handle(reply, now),
            FetchState::Start | FetchState::Finished => {}
        }
    }
}
