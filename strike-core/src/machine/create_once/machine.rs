//! The state machine of a create-once.

use std::ops::ControlFlow::{self, Break, Continue};
use std::ops::DerefMut;
use std::sync::Arc;
use std::time::Duration;

use super::key_search::{KeySearch, SearchDepth};
use super::list_memory::ListMemory;
use super::look::Look;
use super::options::{CreateOnceOptions, FirstStep};
use super::outcome::CreateOutcome;
use super::search::Search;
use crate::errors::Error;
use crate::machine::context::Context;
use crate::machine::order_memory::Known;
use crate::machine::pause::Pause;
use crate::machine::{Call, Machine, OrderRecord, Step};
use crate::protocol::{Create, FindBy, Get, Operation};
use crate::transport::Reply;
use crate::values::order_key::{MAX_ATTEMPTS, MAX_OWN};
use crate::values::{ChargeId, InvalidInput, NewCharge, Now};

/// The delay before the second search after a create with unknown outcome. In this time a delayed
/// request can arrive, and the list can catch up.
pub(super) const SEARCH_DELAY: Duration = Duration::from_secs(2);

/// Creates a charge at most once per order key, as a [machine](crate::machine).
///
/// The API has no idempotency keys. So the SDK puts an order key into `customer_id` (see
/// [`OrderKey`](crate::OrderKey)). The list of charges shows it, and the machine searches the list
/// for it: before the create, and after a create with unknown outcome.
///
/// ```text
///  named, with_key ──▶ search the list ──found──────▶ Paid, Payable or Expired
///                            │
///                        not found
///                            ▼
///  fresh ──────────▶ create the charge ──created────▶ Paid or Payable
///                            │         └─rejected───▶ error
///                     outcome unknown
///                            ▼
///  recover ─────────▶ search the list ──found───────▶ Paid, Payable or Expired
///                            │
///                        not found
///                            ▼
///             wait 2 s, search the list ──found─────▶ Paid, Payable or Expired
///                            │
///                        not found
///                            ▼
///                     OutcomeUnknown. With `repost(true)` instead:
///                     create the charge, wait 2 s, search the list a last time
/// ```
///
/// After [`OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown), call again later with the same key.
///
/// **With a backend that finds charges by `customer_id`**, one request replaces the search of the
/// list. LNbits finds all attempts of an order with it. phoenixd needs one request for each attempt,
/// and finds only the exact `customer_id`: with the same order key, always pass the same
/// [`customer_id`](NewCharge::customer_id). If a server ignores the filter, the list is searched.
///
/// **The search** reads up to 1000 pages, or back to [`CreateOnceOptions::since`]. If the list is
/// longer, or grows faster than it is read, the machine ends with
/// [`Incomplete`](crate::ErrorKind::Incomplete) and creates nothing. If the list holds several
/// charges with the key, a paid one is used, else the oldest one of the last attempt. If none is
/// paid, and one of them is unreadable, the machine ends with that row's error.
///
/// **The machines of one [`CoreClient`](crate::CoreClient) and its copies remember** which order keys
/// the list had. The search before a create then reads only rows that are newer than ten minutes
/// before the newest row it knew. Machines that search at the same time share a search that began
/// after all of them. This holds for the newest 100,000 rows with an order key, and for servers that
/// send a `Date`. A search after a create with unknown outcome uses none of it. A charge of another
/// process can be missed if the list shows it more than ten minutes later than a newer charge.
///
/// **A charge that was found** must match the order, including its invoice, like the response to a
/// create. A server that does not return `customer_id` causes a
/// [`Mismatch`](crate::ErrorKind::Mismatch) of that field.
///
/// **[`Expired`](CreateOutcome::Expired)** is returned only after the charge itself was read again,
/// and only if the server's `Date` and the local clock agree that the invoice has expired. If the
/// `Date` is after the expiry and the local clock is more than 10 minutes before it, the machine
/// ends with a mismatch of `date`.
///
/// **At most one payable invoice per key is returned.** This depends on who uses the key:
///
/// | callers with the same key | guarantee |
/// | --- | --- |
/// | machines that share an [`OrderRecord`], one after the other; the adapters' clients and their clones do this | holds for the 10,000 most recently used orders; a create with unknown outcome blocks another create for 10 minutes |
/// | another process, or the same one after a restart | holds if a delayed create has arrived and the list shows its charge before the next search; wait at least for the request timeout |
/// | two processes at the same time | does not hold; use the crate `strike-orders`, or a lock around the call |
///
/// `G` is the access to the order's record. Adapters pass the guard of a lock. With
/// [`CoreClient::create_once`](crate::CoreClient::create_once) the machine has a record of its own.
///
/// ```
/// use std::time::Duration;
/// use strike_core::machine::{Machine, Step};
/// use strike_core::{ApiKey, CoreClient, CreateOnceOptions, Endpoint, Network};
/// use strike_core::{NewCharge, Now, RetryPolicy, UnixMillis};
///
/// # fn main() -> Result<(), strike_core::Error> {
/// let url = "http://127.0.0.1:8420/api/v1/";
/// let endpoint = Endpoint::new(url, ApiKey::new("sk_demo")?, Network::Testnet)?;
/// let client = CoreClient::new(endpoint, RetryPolicy::default(), 7);
/// let placed_at = UnixMillis::from_secs(1_700_000_000);
/// let options = CreateOnceOptions::named("order-17").since(placed_at);
/// let mut create = client.create_once(NewCharge::satoshis(4200, "tea"), options);
///
/// // The machine searches the list first. It finds nothing, so it creates the charge.
/// let now = Now::new(Duration::ZERO, placed_at);
/// let Step::Send(search) = create.poll(now) else { panic!("expected a request") };
/// assert_eq!(search.request.method(), "GET");
/// create.handle(Ok(http::Response::new(b"[ ]".to_vec())), now);
/// let Step::Send(post) = create.poll(now) else { panic!("expected a request") };
/// assert_eq!(post.request.method(), "POST");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct CreateOnce<G = Box<OrderRecord>> {
    pub(super) context: Context,
    pub(super) order: NewCharge,
    pub(super) options: CreateOnceOptions,
    pub(super) record: G,
    /// What the clones of the client remember of the list.
    memory: Arc<ListMemory>,
    /// Which of the order's invoices is looked for or created, counted from 1.
    pub(super) attempt: u8,
    pub(super) depth: SearchDepth,
    /// The error of a create with unknown outcome.
    pub(super) unknown_outcome: Option<Error>,
    pub(super) is_second_create: bool,
    state: State,
}

#[derive(Debug)]
pub(super) enum State {
    Start,
    Searching {
        search: Box<Search>,
        stage: SearchStage,
    },
    /// Reading the charge of this attempt.
    Reading {
        get: Box<Call<Get>>,
        attempt: u8,
    },
    Creating(Box<Call<Create>>),
    /// Waiting before a search.
    Waiting(Pause, SearchStage),
    Finished,
}

/// Which of the searches it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchStage {
    /// Before any create.
    BeforeCreate,
    /// Directly after a create with unknown outcome.
    AfterCreate,
    /// After a delay, if the first search found nothing.
    AfterDelay,
    /// After the second create that [`CreateOnceOptions::repost`] allows.
    AfterSecondCreate,
}

/// A transition: the next state, or the end.
pub(super) enum Next {
    State(State),
    Done(CreateOutcome),
}

impl<G: DerefMut<Target = OrderRecord>> CreateOnce<G> {
    pub(crate) fn new(
        order: NewCharge,
        options: impl Into<CreateOnceOptions>,
        record: G,
        memory: Arc<ListMemory>,
        context: Context,
    ) -> Self {
        let options = options.into();
        Self {
            context,
            order,
            options,
            record,
            memory,
            attempt: options.attempt,
            depth: options.since.map_or(SearchDepth::WholeList, SearchDepth::Since),
            unknown_outcome: None,
            is_second_create: false,
            state: State::Start,
        }
    }

    /// Returns the create operation of an attempt.
    pub(super) fn create_operation(&self, attempt: u8) -> Create {
        let own = self.order.get_customer_id().unwrap_or_default();
        let customer_id = self.options.key.customer_id_of_attempt(attempt, own);
        Create::new(self.order.clone().customer_id(customer_id))
    }

    /// Returns what the machine is doing, for an error message. The caller did not ask for a page
    /// of the list.
    pub(super) fn asked(&self, doing: &str) -> String {
        format!("create charge of {} once: {doing}", self.order.amount())
    }

    pub(super) fn search(&self, stage: SearchStage) -> State {
        let own = self.order.get_customer_id().unwrap_or_default();
        let (key, attempt, depth) = (self.options.key, self.attempt, self.depth);
        let full = KeySearch::new((key, attempt, own), depth, self.context.fork());
        // After a create in doubt, every row is read again: a late one can be anywhere.
        let may_look = stage == SearchStage::BeforeCreate
            && self.context.endpoint.properties().finds_by == FindBy::Nothing;
        let look = may_look.then(|| Look::new((key, attempt), depth, &self.memory, self.context.fork()));
        State::Searching { search: Box::new(Search::new(look, full)), stage }
    }

    pub(super) fn read(&self, id: ChargeId, attempt: u8) -> State {
        let get = Call::new(Get::new(id), self.context.fork());
        State::Reading { get: Box::new(get), attempt }
    }

    /// Notes in the record that a create may have been sent, and starts it.
    pub(super) fn create(&mut self, now: Now) -> State {
        let newest_before =
            if let SearchDepth::NewestBefore(newest) = self.depth { Some(newest) } else { None };
        self.record.0 =
            Some(Known::CreateSent { attempt: self.attempt, sent_at: now.monotonic, newest_before });
        let create = self.create_operation(self.attempt);
        State::Creating(Box::new(Call::new(create, self.context.fork())))
    }

    /// Rejects bad input before any request is sent, including a search.
    fn check_input(&self) -> Result<(), Error> {
        let units = self.order.get_customer_id().unwrap_or_default().encode_utf16().count();
        let checked = if units > MAX_OWN {
            let rule = "at most 40 UTF-16 units, since the order key takes the rest";
            Err(InvalidInput::new("customer_id", rule).found(units))
        } else if self.attempt > MAX_ATTEMPTS {
            Err(InvalidInput::new("attempt", "one of 58 of the same order: give the order a new name"))
        } else {
            Ok(())
        };
        let create = self.create_operation(self.attempt);
        checked.map_err(|input| Error::from(input).with_operation(create.describe()))?;
        create.request(&self.context.endpoint).map(drop)
    }

    fn start(&mut self, now: Now) -> Result<State, Error> {
        self.check_input()?;
        match self.record.recall(now) {
            Some(Known::Created { attempt, id, .. }) if attempt >= self.attempt => {
                return Ok(self.read(id, attempt));
            }
            Some(Known::CreateSent { attempt, newest_before, .. }) if attempt >= self.attempt => {
                self.attempt = attempt;
                self.depth = newest_before.map_or(self.depth, SearchDepth::NewestBefore);
                return Ok(self.search(SearchStage::AfterCreate));
            }
            _ => {}
        }
        Ok(match self.options.first_step {
            FirstStep::Search => self.search(SearchStage::BeforeCreate),
            FirstStep::Create => {
                // The key is new, so a later search need not go further back than this create.
                self.depth = SearchDepth::Since(self.options.since.unwrap_or(now.unix));
                self.create(now)
            }
            FirstStep::SearchOnly => self.search(SearchStage::AfterCreate),
        })
    }

    fn advance(&mut self, now: Now) -> ControlFlow<Step<CreateOutcome>> {
        let next = match &mut self.state {
            State::Start => self.start(now).map(Next::State),
            State::Searching { search, stage } => {
                let result = search.poll(now).done()?;
                let stage = *stage;
                self.searched(result, stage, now)
            }
            State::Reading { get, attempt } => {
                let result = get.poll(now).done()?;
                let (attempt, date) = (*attempt, get.server_time());
                self.was_read(result, attempt, date, now)
            }
            State::Creating(create) => {
                let result = create.poll(now).done()?;
                self.created(result, now)
            }
            State::Waiting(pause, stage) => {
                pause.poll(now)?;
                let stage = *stage;
                Ok(Next::State(self.search(stage)))
            }
            State::Finished => Err(Error::finished()),
        };
        let result = match next {
            Ok(Next::State(state)) => {
                self.state = state;
                return Continue(());
            }
            Ok(Next::Done(outcome)) => Ok(outcome),
            Err(error) => Err(error),
        };
        self.state = State::Finished;
        Break(Step::Done(result))
    }
}

impl<G: DerefMut<Target = OrderRecord>> Machine for CreateOnce<G> {
    type Output = CreateOutcome;

    fn poll(&mut self, now: Now) -> Step<CreateOutcome> {
        loop {
            if let Break(step) = self.advance(now) {
                return step;
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        match &mut self.state {
            State::Searching { search, .. } => search.handle(reply, now),
            State::Reading { get, .. } => get.handle(reply, now),
            State::Creating(create) => create.handle(reply, now),
            State::Start | State::Waiting(..) | State::Finished => {}
        }
    }
}
