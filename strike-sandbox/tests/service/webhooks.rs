//! Webhooks in virtual time: what is due when, what it says, and what becomes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use strike_core::http::{Method, StatusCode};
use strike_core::{ChargeId, UnixMillis, webhook};
use strike_sandbox::{Delivery, DeliveryState, DueWebhook, Sandbox, SendAgainError, Webhook};

use crate::support::{NOW, any_charge, bare, builder, error, get, text};

const URL: &str = "http://shop.example:8080/strike?shop=1";

fn to() -> Webhook {
    Webhook::to(URL).expect("a URL")
}

fn sandbox(webhook: Webhook) -> Sandbox {
    builder().webhook(webhook).build()
}

fn pay_one(sandbox: &Sandbox) -> ChargeId {
    let id = any_charge(sandbox);
    sandbox.pay(&id).expect("it can be paid");
    id
}

fn due(sandbox: &Sandbox) -> DueWebhook {
    sandbox.next_webhook().expect("one is due")
}

/// Hands out everything that is due, answers 200, and gives the numbers of the deliveries.
fn drain(sandbox: &Sandbox) -> Vec<u64> {
    let all = std::iter::from_fn(|| sandbox.next_webhook());
    all.map(|due| {
        let delivery = due.delivery();
        due.answered(StatusCode::OK);
        delivery
    })
    .collect()
}

fn delivery(sandbox: &Sandbox, id: u64) -> Delivery {
    sandbox.deliveries().into_iter().find(|delivery| delivery.id() == id).expect("it is listed")
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What the body says about a charge: exactly what a get says.
fn event(sandbox: &Sandbox, id: &ChargeId) -> String {
    let charge = get(sandbox, &format!("charges/{id}"));
    assert_eq!(charge.status(), 200);
    assert!(text(&charge).contains("\"paid\" : true"), "a webhook came before the payment was to be seen");
    format!("{{\"object\":\"event\",\"data\":{}}}", text(&charge))
}

#[test]
fn webhook_is_sent_only_for_a_payment() {
    let sandbox = sandbox(to());
    let id = any_charge(&sandbox);
    assert!(sandbox.next_webhook().is_none() && sandbox.deliveries().is_empty());
    sandbox.pay(&id).expect("it can be paid");
    sandbox.pay(&id).expect_err("it is paid once");

    let due = due(&sandbox);
    let request = due.request();
    assert_eq!((request.method(), request.uri().to_string().as_str()), (&Method::POST, URL));
    assert_eq!(request.body(), event(&sandbox, &id).as_bytes());
    assert_eq!(webhook::parse(request.body()).expect("core reads it").id(), &id);
    let headers: BTreeMap<_, _> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().expect("text").to_owned()))
        .collect();
    let expected = [
        ("connection", "close".to_owned()),
        ("content-length", request.body().len().to_string()),
        ("content-type", "application/json".to_owned()),
        ("host", "shop.example:8080".to_owned()),
        ("user-agent", concat!("strike-sandbox/", env!("CARGO_PKG_VERSION")).to_owned()),
    ];
    assert_eq!(headers, BTreeMap::from(expected), "and no key");

    let sending = delivery(&sandbox, 1);
    assert_eq!((sending.state(), sending.attempts()), (DeliveryState::Sending, 1));
    assert_eq!((sending.charge(), sending.url()), (id.as_str(), URL));
    due.answered(StatusCode::NO_CONTENT);
    let delivered = delivery(&sandbox, 1);
    assert_eq!((delivered.state(), delivered.status()), (DeliveryState::Delivered, Some(204)));
    assert!(sandbox.next_webhook().is_none());
}

#[test]
fn no_deliveries_without_a_webhook() {
    let sandbox = builder().build();
    pay_one(&sandbox);
    assert!(sandbox.next_webhook().is_none() && sandbox.deliveries().is_empty());
    assert_eq!(sandbox.send_again(1), Err(SendAgainError::Unknown));
}

#[test]
fn failed_delivery_is_retried_with_doubling_backoff() {
    let sandbox = sandbox(to().retry(4, millis(1_000)));
    pay_one(&sandbox);
    due(&sandbox).answered(StatusCode::INTERNAL_SERVER_ERROR);
    let waits = delivery(&sandbox, 1);
    assert_eq!((waits.state(), waits.status()), (DeliveryState::Waiting, Some(500)));
    assert!(waits.error().is_some_and(|error| error.contains("500")), "{waits:?}");

    for (wait, attempt) in [(1_000, 2), (2_000, 3), (4_000, 4)] {
        assert_eq!(delivery(&sandbox, 1).due(), sandbox.now().saturating_add(millis(wait)));
        sandbox.advance(millis(wait - 1));
        assert!(sandbox.next_webhook().is_none(), "{attempt}");
        sandbox.advance(millis(1));
        match attempt {
            // Nobody answers: the handler only drops it.
            2 => drop(due(&sandbox)),
            // A redirect is not followed.
            3 => due(&sandbox).answered(StatusCode::FOUND),
            _ => due(&sandbox).unanswered("the line is dead"),
        }
        assert_eq!(delivery(&sandbox, 1).attempts(), attempt);
        assert_eq!(delivery(&sandbox, 1).status(), (attempt == 3).then_some(302));
    }
    sandbox.advance(Duration::from_secs(1 << 20));
    assert!(sandbox.next_webhook().is_none(), "four tries are enough");
    let failed = delivery(&sandbox, 1);
    assert_eq!((failed.state(), failed.error()), (DeliveryState::Failed, Some("the line is dead")));
    assert_eq!(failed.created(), NOW);
}

#[test]
fn dropped_due_webhook_counts_as_unanswered() {
    let sandbox = sandbox(to());
    pay_one(&sandbox);
    drop(due(&sandbox));
    let failed = delivery(&sandbox, 1);
    assert_eq!((failed.state(), failed.error()), (DeliveryState::Failed, Some("nobody answered")));
}

#[test]
fn any_delivery_not_in_progress_can_be_resent() {
    let sandbox = sandbox(to().drop_every(2).repeat(2).retry(2, millis(500)));
    pay_one(&sandbox);
    assert_eq!(drain(&sandbox), [1]);
    let states = || sandbox.deliveries().iter().rev().map(Delivery::state).collect::<Vec<_>>();
    assert_eq!(states(), [DeliveryState::Delivered, DeliveryState::Dropped]);

    // A delivered one, and one that was lost on purpose.
    let again = sandbox.send_again(1).expect("it can be sent");
    assert_eq!((again.state(), again.attempts(), again.due()), (DeliveryState::Waiting, 1, NOW));
    sandbox.send_again(2).expect("it can be sent");
    assert_eq!(drain(&sandbox), [1, 2]);
    assert_eq!(states(), [DeliveryState::Delivered; 2]);
    assert_eq!(delivery(&sandbox, 1).attempts(), 2);

    // Not while it is on its way; and it is tried as often as a new one.
    sandbox.send_again(1).expect("it can be sent");
    let first = due(&sandbox);
    assert_eq!(sandbox.send_again(1), Err(SendAgainError::BeingSent));
    first.answered(StatusCode::BAD_GATEWAY);
    assert_eq!(delivery(&sandbox, 1).state(), DeliveryState::Waiting);
    // One that waits comes at once, and once.
    sandbox.send_again(1).expect("it can be sent");
    assert_eq!(drain(&sandbox), [1]);
    sandbox.advance(millis(500));
    assert!(drain(&sandbox).is_empty());
    assert_eq!(sandbox.send_again(3), Err(SendAgainError::Unknown));
}

#[test]
fn ten_thousand_deliveries_are_kept_and_waiting_ones_never_removed() {
    let sandbox = sandbox(to().repeat(255));
    for _ in 0..40 {
        pay_one(&sandbox);
    }
    assert_eq!(sandbox.deliveries().len(), 10_000);
    // However many wait, one that is over is kept.
    due(&sandbox).answered(StatusCode::OK);
    sandbox.send_again(1).expect("it is kept");
    assert!(drain(&sandbox).into_iter().eq(1..=10_200));
    let kept: Vec<u64> = sandbox.deliveries().iter().map(Delivery::id).collect();
    assert!(kept.into_iter().eq((201..=10_200).rev()));
    assert_eq!(sandbox.send_again(200), Err(SendAgainError::Unknown));
    // What is sent again is as new.
    sandbox.send_again(201).expect("it is kept");
    assert_eq!(drain(&sandbox), [201]);
    pay_one(&sandbox);
    drain(&sandbox);
    assert_eq!(sandbox.deliveries().len(), 10_000);
    assert_eq!(delivery(&sandbox, 201).attempts(), 2);
}

#[test]
fn webhook_randomness_does_not_change_charges() {
    let history = |webhook: Option<Webhook>, seed| {
        let builder = builder().seed(seed);
        let sandbox = match webhook {
            Some(webhook) => builder.webhook(webhook),
            None => builder,
        }
        .build();
        let charges: Vec<ChargeId> = (0..40).map(|_| any_charge(&sandbox)).collect();
        let paid: Vec<_> = charges.iter().map(|id| sandbox.pay(id).expect("it can be paid")).collect();
        let charges = text(&get(&sandbox, "charges?size=40")).to_owned();
        sandbox.advance(Duration::from_secs(60));
        let order = drain(&sandbox);
        ((charges, paid), order)
    };
    let unlucky = || to().reorder(Duration::from_secs(60)).drop_percent(30);
    let (untold, _) = history(None, 7);
    let (received, order) = history(Some(unlucky()), 7);
    assert_eq!(untold, received, "ids and preimages do not depend on webhooks");
    assert_eq!(order, history(Some(unlucky()), 7).1);
    assert_ne!(order, history(Some(unlucky()), 8).1);
    assert!(!order.is_sorted() && (15..40).contains(&order.len()), "{order:?}");
    // The same are lost whether or not the others overtake each other.
    let mut sorted = order;
    sorted.sort_unstable();
    assert_eq!(history(Some(to().drop_percent(30)), 7).1, sorted);
}

#[test]
fn control_api_lists_and_resends_deliveries() {
    let sandbox = sandbox(to().repeat(2));
    let send = |method, path: &str| sandbox.respond(&bare(method, &format!("/sandbox/{path}")));
    assert_eq!(text(&send(Method::GET, "deliveries")), "{\n  \"deliveries\" : [ ],\n  \"total\" : 0\n}");
    let id = pay_one(&sandbox);
    sandbox.advance(millis(10));
    due(&sandbox).answered(StatusCode::GONE);
    let row = |number: u64, state: &str, attempts: u32, outcome: &str, due: UnixMillis| {
        format!(
            "{{\n  \"id\" : {number},\n  \"charge\" : \"{id}\",\n  \"url\" : \"{URL}\",\n  \"state\" : \"{state}\",\n  \
             \"attempts\" : {attempts},\n{outcome}  \"due\" : {},\n  \"created\" : {}\n}}",
            due.as_millis(),
            NOW.as_millis()
        )
    };
    let outcome = "  \"status\" : 410,\n  \"error\" : \"the receiver answered 410, not a status of the two hundreds\",\n";
    // Rows stand two spaces further in than they do alone.
    let page = |rows: &[String]| {
        let rows = rows.join(", ").replace('\n', "\n  ");
        format!("{{\n  \"deliveries\" : [ {rows} ],\n  \"total\" : 2\n}}")
    };
    let (second, first) = (row(2, "waiting", 0, "", NOW), row(1, "failed", 1, outcome, NOW));
    let listed = send(Method::GET, "deliveries");
    assert_eq!(text(&listed), page(&[second, first.clone()]));
    assert!(!listed.headers().contains_key("access-control-allow-origin"));
    assert_eq!(text(&send(Method::GET, "deliveries?page=1&size=1")), page(&[first]));

    let again = send(Method::POST, "deliveries/1/send");
    assert_eq!(
        (again.status().as_u16(), text(&again)),
        (200, row(1, "waiting", 1, outcome, sandbox.now()).as_str())
    );
    let second = due(&sandbox);
    assert_eq!(second.delivery(), 2, "it was due first");
    let refused = (409, "the delivery is being sent right now".to_owned());
    assert_eq!(error(&send(Method::POST, "deliveries/2/send")), refused);
    for nowhere in ["deliveries/3/send", "deliveries/-1/send", "deliveries/one/send", "deliveries/1"] {
        assert_eq!(error(&send(Method::POST, nowhere)), (404, "not found".to_owned()), "{nowhere}");
    }
    for (method, path, allow) in
        [(Method::POST, "deliveries", "GET, HEAD"), (Method::GET, "deliveries/1/send", "POST")]
    {
        let refusal = send(method, path);
        assert_eq!(
            (error(&refusal).0, &refusal.headers()["allow"]),
            (405, &allow.parse().expect("a header"))
        );
    }

    let mut foreign = bare(Method::POST, "/sandbox/deliveries/1/send");
    foreign.headers_mut().insert("origin", "http://evil.example".parse().expect("a header"));
    assert_eq!(error(&sandbox.respond(&foreign)).0, 403);
}

/// What can happen to a sandbox, and to a webhook that is due.
#[derive(Debug, Clone)]
enum Act {
    Create,
    Pay(prop::sample::Index),
    Advance(u64),
    Answer(u16),
    Silence,
    SendAgain(prop::sample::Index),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => prop::strategy::Just(Act::Create),
        3 => any::<prop::sample::Index>().prop_map(Act::Pay),
        2 => (0..5_000_u64).prop_map(Act::Advance),
        4 => prop::sample::select(vec![200, 204, 299, 301, 400, 500]).prop_map(Act::Answer),
        1 => prop::strategy::Just(Act::Silence),
        1 => any::<prop::sample::Index>().prop_map(Act::SendAgain),
    ]
}

#[derive(Debug, Clone)]
struct Plan {
    repeat: u8,
    delay: u64,
    reorder: u64,
    drop_every: u32,
    drop_percent: u8,
    attempts: u32,
    backoff: u64,
}

impl Plan {
    fn webhook(&self) -> Webhook {
        to().repeat(self.repeat)
            .delay(millis(self.delay))
            .reorder(millis(self.reorder))
            .drop_every(self.drop_every)
            .drop_percent(self.drop_percent)
            .retry(self.attempts, millis(self.backoff))
    }

    /// Whether a delivery may not, may, or must be lost.
    fn loses(&self, id: u64) -> Option<bool> {
        let every = id.checked_rem(self.drop_every.into()) == Some(0);
        match self.drop_percent {
            _ if every => Some(true),
            0 => Some(false),
            100.. => Some(true),
            _ => None,
        }
    }
}

fn plan() -> impl Strategy<Value = Plan> {
    let chance = prop::sample::select(vec![0, 0, 30, 100, 255]);
    (0..4_u8, 0..3_000_u64, 0..3_000_u64, 0..4_u32, chance, 0..4_u32, 0..3_000_u64).prop_map(
        |(repeat, delay, reorder, drop_every, drop_percent, attempts, backoff)| Plan {
            repeat,
            delay,
            reorder,
            drop_every,
            drop_percent,
            attempts,
            backoff,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn webhook_invariants_hold_for_any_history(
        plan in plan(),
        acts in prop::collection::vec(act(), 1..60),
    ) {
        let sandbox = sandbox(plan.webhook());
        let (mut charges, mut paid) = (Vec::new(), Vec::new());
        // How often each delivery was sent, and how often it may have been.
        let mut sent: BTreeMap<u64, u32> = BTreeMap::new();
        let mut allowed: BTreeMap<u64, u32> = BTreeMap::new();
        let mut take = |status: Option<u16>, allowed: &BTreeMap<u64, u32>| {
            let Some(due) = sandbox.next_webhook() else { return Ok(false) };
            let id = webhook::parse(due.request().body()).expect("core reads it").id().clone();
            // It says what a get says at that moment, which is that the charge is paid.
            let shown = event(&sandbox, &id);
            prop_assert_eq!(due.request().body(), shown.as_bytes());
            let listed = delivery(&sandbox, due.delivery());
            prop_assert_eq!((listed.charge(), listed.state()), (id.as_str(), DeliveryState::Sending));
            prop_assert!(listed.due() <= sandbox.now());
            let times = sent.entry(due.delivery()).or_default();
            *times += 1;
            prop_assert_eq!(*times, listed.attempts());
            let again = allowed.get(&due.delivery()).copied().unwrap_or_default();
            let most = plan.attempts.max(1) * (again + u32::from(plan.loses(due.delivery()) != Some(true)));
            prop_assert!(*times <= most, "{:?}", listed);
            if *times == 1 && again == 0 {
                let earliest = listed.created().saturating_add(millis(plan.delay));
                prop_assert!((earliest..=earliest.saturating_add(millis(plan.reorder))).contains(&listed.due()));
            }
            match status {
                Some(status) => due.answered(StatusCode::from_u16(status).expect("a status")),
                None => drop(due),
            }
            Ok(true)
        };
        for act in acts {
            match act {
                Act::Create => charges.push(any_charge(&sandbox)),
                Act::Pay(which) if !charges.is_empty() => {
                    let id: ChargeId = charges.swap_remove(which.index(charges.len()));
                    if sandbox.pay(&id).is_ok() {
                        paid.push(id);
                    }
                }
                Act::Advance(by) => sandbox.advance(millis(by)),
                Act::Answer(status) => drop(take(Some(status), &allowed)?),
                Act::Silence => drop(take(None, &allowed)?),
                Act::SendAgain(which) if !sandbox.deliveries().is_empty() => {
                    let id = which.get(&sandbox.deliveries()).id();
                    prop_assert!(sandbox.send_again(id).is_ok());
                    *allowed.entry(id).or_default() += 1;
                }
                Act::Pay(_) | Act::SendAgain(_) => {}
            }
        }
        // In the end everything that was not lost is delivered or has failed for good.
        sandbox.advance(Duration::from_secs(1 << 20));
        while take(Some(200), &allowed)? {}
        prop_assert!(sandbox.next_webhook().is_none());

        let deliveries = sandbox.deliveries();
        prop_assert_eq!(deliveries.len(), paid.len() * usize::from(plan.repeat));
        for id in &paid {
            let copies = deliveries.iter().filter(|delivery| delivery.charge() == id.as_str()).count();
            prop_assert_eq!(copies, usize::from(plan.repeat));
        }
        for delivery in &deliveries {
            let times = sent.get(&delivery.id()).copied().unwrap_or_default();
            prop_assert_eq!(delivery.attempts(), times);
            let again = allowed.contains_key(&delivery.id());
            match delivery.state() {
                DeliveryState::Delivered => {
                    prop_assert!(times > 0 && delivery.error().is_none(), "{:?}", delivery);
                    prop_assert!(delivery.status().is_some_and(|status| (200..300).contains(&status)));
                }
                DeliveryState::Failed => {
                    prop_assert!(times >= plan.attempts && delivery.error().is_some(), "{:?}", delivery);
                }
                DeliveryState::Dropped => {
                    prop_assert!(times == 0 && !again && plan.loses(delivery.id()) != Some(false));
                }
                state => prop_assert!(false, "{:?} is no end", state),
            }
            if plan.loses(delivery.id()) == Some(true) && !again {
                prop_assert_eq!(delivery.state(), DeliveryState::Dropped);
            }
        }
    }
}
