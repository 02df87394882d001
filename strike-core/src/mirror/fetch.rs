//! The machine that fetches what a query of a mirror needs.

use std::ops::ControlFlow::{self, Break, Continue};
use std::ops::DerefMut;

use super::{Change, Mirror, NextRequest, Query, State};
use crate::client::CoreClient;
use crate::errors::Error;
use crate::machine::create_once::CreateOutcome;
use crate::machine::{Call, CreateOnce, Machine, OrderRecord, Step};
use crate::protocol::Get;
use crate::transport::Reply;
use crate::values::{Charge, Now};

/// Sends the request that a [`Query`] needs, as a [machine](crate::machine), and updates the
/// [`Mirror`].
///
/// If you drop it before it ends, the mirror stays correct: it is in doubt if a create may have
/// been sent.
///
/// [`Mirror::fetch`] makes it.
#[derive(Debug)]
#[must_use]
pub struct Fetch<'a, G = Box<OrderRecord>> {
    mirror: &'a mut Mirror,
    query: Query,
    client: &'a CoreClient,
    /// Passed on when a charge is created or searched for.
    record: Option<G>,
    is_new_key: bool,
    state: FetchState<G>,
}

#[derive(Debug)]
enum FetchState<G> {
    Start,
    Creating(NextRequest, Box<CreateOnce<G>>),
    Reading(NextRequest, Box<Call<Get>>),
    Finished,
}

impl<'a, G> Fetch<'a, G> {
    pub(super) const fn new(mirror: &'a mut Mirror, query: Query, client: &'a CoreClient, record: G) -> Self {
        Self { mirror, query, client, record: Some(record), is_new_key: false, state: FetchState::Start }
    }

    /// Skips the search before the create of a draft if `new` is true.
    ///
    /// Set this only if no copy of the mirror and its key was ever made.
    pub const fn with_new_key(mut self, new: bool) -> Self {
        self.is_new_key = new;
        self
    }
}

impl<G: DerefMut<Target = OrderRecord>> Fetch<'_, G> {
    /// Returns the state with the request that the query needs, or with none.
    fn start(&mut self) -> FetchState<G> {
        let is_draft = self.mirror.state() == State::Draft;
        match (self.mirror.ask(self.query), self.record.take()) {
            (Some(NextRequest::Get(id)), _) => {
                let call = self.client.call(Get::new(id.clone()));
                FetchState::Reading(NextRequest::Get(id), Box::new(call))
            }
            (Some(NextRequest::Once(order, options)), Some(record)) => {
                let options = if is_draft && self.is_new_key { options.create_first() } else { options };
                let create = self.client.create_once_with(order.clone(), options, record);
                FetchState::Creating(NextRequest::Once(order, options), Box::new(create))
            }
            (None, _) | (Some(NextRequest::Once(..)), None) => FetchState::Finished,
        }
    }

    fn advance(&mut self, now: Now) -> ControlFlow<Step<Change>> {
        let (request, result) = match &mut self.state {
            FetchState::Start => {
                self.state = self.start();
                let is_answered = matches!(self.state, FetchState::Finished);
                return if is_answered { Break(Step::Done(Ok(Change::Nothing))) } else { Continue(()) };
            }
            FetchState::Creating(request, create) => {
                (request, create.poll(now).done()?.map(CreateOutcome::into_charge))
            }
            FetchState::Reading(request, call) => (request, call.poll(now).done()?),
            FetchState::Finished => return Break(Step::Done(Err(Error::finished()))),
        };
        let change = learn(self.mirror, request, result);
        self.state = FetchState::Finished;
        Break(Step::Done(change))
    }
}

/// Updates the mirror. Returns the change, or the error of the request if the mirror took no charge
/// from it.
fn learn(mirror: &mut Mirror, request: &NextRequest, result: Result<Charge, Error>) -> Result<Change, Error> {
    let change = mirror.learn(request, result.as_ref());
    match (result, change) {
        (Ok(_), change) | (Err(_), change @ Ok(Change::Learned | Change::Paid)) => change,
        (Err(error), _) => Err(error),
    }
}

impl<G: DerefMut<Target = OrderRecord>> Machine for Fetch<'_, G> {
    type Output = Change;

    fn poll(&mut self, now: Now) -> Step<Change> {
        loop {
            if let Break(step) = self.advance(now) {
                return step;
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        match &mut self.state {
            FetchState::Creating(_, create) => create.handle(reply, now),
            FetchState::Reading(_, call) => call.handle(reply, now),
            FetchState::Start | FetchState::Finished => {}
        }
    }
}
