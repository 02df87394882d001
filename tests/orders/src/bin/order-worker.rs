//! One instance of a shop with a desk. It reads commands on its standard input, and writes to its
//! standard output which invoices its payers see. A pipe keeps what a killed process wrote.
//!
//! The variables are `DATABASE_URL`, `STRIKE_BASE_URL`, `STRIKE_API_KEY` and `STRIKE_NETWORK`.
//! `WORKER_LEASE_MS` sets the lease. With `WORKER_ROUGH`, handlers fail and the process ends at the worst
//! moments; its value is the seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strike_async::http::{HeaderMap, Method};
use strike_async::{
    AsyncTransport, BoxFuture, Client, Endpoint, Exchange, NewCharge, Reply, ReqwestTransport, Schedule,
};
use strike_orders::{Desk, Error, HandlerError, Order, OrderState};
use strike_orders_tests::commands::{self, Action, Command, Outcome, Shown, Wanted};
use strike_orders_tests::completions::Completion;
use strike_orders_tests::late_host::LateHost;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// One in this many creates ends the process when its response has arrived.
const CRASHES_AFTER_CREATE: u32 = 300;

/// One in this many handlers ends the process, fails, or panics, after it has written its row.
const CRASHES_IN_HANDLER: u32 = 300;
const FAILS_IN_HANDLER: u32 = 20;
const PANICS_IN_HANDLER: u32 = 100;

/// One in this many handlers is slow, so that others work on the same order meanwhile.
const SLOW_HANDLERS: u32 = 4;
const SLOW: Duration = Duration::from_millis(300);

/// Decides at random which moments go wrong, to hit some that a kill every second would rarely hit.
#[derive(Clone)]
struct Dice(Option<Arc<Mutex<fastrand::Rng>>>);

impl Dice {
    fn hits(&self, one_in: u32) -> bool {
        let Some(dice) = &self.0 else { return false };
        dice.lock().unwrap_or_else(PoisonError::into_inner).u32(0..one_in) == 0
    }
}

/// Ends the process when a charge was created, and nobody has noted it yet.
struct CrashAfterCreate<T> {
    inner: T,
    dice: Dice,
}

impl<T: AsyncTransport> AsyncTransport for CrashAfterCreate<T> {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(async {
            let is_create = exchange.request.method() == Method::POST;
            let reply = self.inner.exchange(exchange).await;
            if is_create && self.dice.hits(CRASHES_AFTER_CREATE) {
                std::process::abort();
            }
            reply
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = std::env::var("WORKER_ROUGH").ok().map(|seed| seed.parse()).transpose()?;
    let dice = Dice(seed.map(|seed| Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)))));
    let endpoint = Endpoint::from_variables(std::env::var_os)?;
    let transport = CrashAfterCreate { inner: LateHost(ReqwestTransport::new()?), dice: dice.clone() };
    let client =
        Client::builder_with_transport(endpoint, transport).timeout(Duration::from_secs(3)).build()?;
    let lease = std::env::var("WORKER_LEASE_MS").ok().map(|millis| millis.parse()).transpose()?;
    let lease = Duration::from_millis(lease.unwrap_or(5000));
    let desk = Desk::builder(client.clone())
        .lease(lease)
        .poll_interval(lease / 10)
        .create_timeout(Duration::from_secs(5))
        .handler_timeout(Duration::from_secs(5))
        .grace(Duration::from_secs(1))
        .schedule(Schedule::new(lease / 5, 150, Duration::from_secs(10)))
        .late_checks([1, 3, 6, 12, 20].map(Duration::from_secs).to_vec())
        .connect(&std::env::var("DATABASE_URL")?)
        .await?;

    let commands = tokio::spawn(obey(desk.clone(), client));
    desk.run(async move |event, transaction| {
        Completion::of(&event).insert(transaction).await?;
        if dice.hits(SLOW_HANDLERS) {
            tokio::time::sleep(SLOW).await;
        }
        if dice.hits(CRASHES_IN_HANDLER) {
            std::process::abort();
        }
        assert!(!dice.hits(PANICS_IN_HANDLER), "a handler panics");
        if dice.hits(FAILS_IN_HANDLER) {
            return Err(HandlerError::from("a handler fails"));
        }
        Ok(())
    })
    .await?;
    commands.await?;
    Ok(())
}

/// Obeys commands until the standard input is closed, and stops the desk then.
async fn obey(desk: Desk, client: Client) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let client = Arc::new(client);
    while let Ok(Some(line)) = lines.next_line().await {
        let Command { id, action } = serde_json::from_str(&line).expect("a command");
        if matches!(action, Action::Stop) {
            break;
        }
        let (desk, client) = (desk.clone(), Arc::clone(&client));
        tokio::spawn(async move {
            let outcome = act(&desk, &client, action).await.unwrap_or_else(Outcome::Failed);
            println!("{}", serde_json::to_string(&commands::Reply { id, outcome }).expect("JSON"));
        });
    }
    desk.stop();
}

async fn act(desk: &Desk, client: &Client, action: Action) -> Result<Outcome, String> {
    let order = match action {
        Action::Place(wanted) => desk.place(&wanted.name, new_charge(&wanted)).await,
        Action::Renew(wanted) => desk.renew(&wanted.name, new_charge(&wanted)).await,
        Action::Webhook(body) => {
            let notification = client.endpoint().read_webhook(&HeaderMap::new(), body.as_bytes());
            let notification = notification.map_err(|error| error.to_string())?;
            desk.hint(&notification).await.map_err(|error| error.to_string())?;
            return Ok(Outcome::Hinted);
        }
        Action::Ready => return Ok(Outcome::Ready),
        Action::Stop => unreachable!("the loop ends"),
    };
    match order {
        Ok(order) if order.state() == OrderState::Paid => Ok(Outcome::AlreadyPaid),
        Ok(order) => Ok(Outcome::Shown(shown(&order))),
        Err(Error::AlreadyPaid { .. }) => Ok(Outcome::AlreadyPaid),
        Err(error) => Err(error.to_string()),
    }
}

fn new_charge(wanted: &Wanted) -> NewCharge {
    NewCharge::satoshis(wanted.satoshi, wanted.name.as_str()).expiry_sec(wanted.lifetime)
}

fn shown(order: &Order) -> Shown {
    Shown {
        name: order.name().to_owned(),
        attempt: order.attempt(),
        charge: order.charge().id().to_string(),
        payment_request: order.payment_request().to_owned(),
        expires_at: order.expires_at().as_millis(),
    }
}
