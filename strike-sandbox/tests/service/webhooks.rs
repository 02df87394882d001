//! Webhooks with a manual clock: when they are due, what they contain, and how they end.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use strike_core::http::{Method, StatusCode};
use strike_core::{ChargeId, UnixMillis, webhook};
use strike_sandbox::{DeliveryState, DueWebhook, Sandbox, SendAgainError, Webhook, WebhookDelivery};

use crate::support::{NOW, any_charge, builder, error, get, request_without_key, text};

const URL: &str = "http://shop.example:8080/strike?shop=1";

fn test_webhook() -> Webhook {
    Webhook::to(URL).expect("a valid URL")
}

fn sandbox(webhook: Webhook) -> Sandbox {
    builder().webhook(webhook).build()
}

fn create_and_pay(sandbox: &Sandbox) -> ChargeId {
    let id = any_charge(sandbox);
    sandbox.pay(&id).expect("the charge can be paid");
    id
}

fn next_due(sandbox: &Sandbox) -> DueWebhook {
    sandbox.next_webhook().expect("a webhook is due")
}

/// Answers every due webhook with 200 and returns the delivery ids.
fn deliver_all(sandbox: &Sandbox) -> Vec<u64> {
    let all = std::iter::from_fn(|| sandbox.next_webhook());
    all.map(|due| {
        let delivery = due.delivery();
        due.answered(StatusCode::OK);
        delivery
    })
    .collect()
}

fn delivery(sandbox: &Sandbox, id: u64) -> WebhookDelivery {
    sandbox.deliveries().into_iter().find(|delivery| delivery.id() == id).expect("the delivery is listed")
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Returns the expected webhook body, which contains the charge exactly as a get returns it.
fn event(sandbox: &Sandbox, id: &ChargeId) -> String {
    let charge = get(sandbox, &format!("charges/{id}"));
    assert_eq!(charge.status(), 200);
    assert!(text(&charge).contains("\"paid\" : true"), "the webhook was sent before the charge was paid");
    format!("{{\"object\":\"event\",\"data\":{}}}", text(&charge))
}

#[test]
fn webhook_is_sent_only_for_a_payment() {
    let sandbox = sandbox(test_webhook());
    let id = any_charge(&sandbox);
    assert!(sandbox.next_webhook().is_none() && sandbox.deliveries().is_empty());
    sandbox.pay(&id).expect("the charge can be paid");
    sandbox.pay(&id).expect_err("the charge is already paid");

    let due = next_due(&sandbox);
    let request = due.request();
    assert_eq!((request.method(), request.uri().to_string().as_str()), (&Method::POST, URL));
    assert_eq!(request.body(), event(&sandbox, &id).as_bytes());
    assert_eq!(webhook::parse(request.body()).expect("strike-core parses it").id(), &id);
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
    assert_eq!(headers, BTreeMap::from(expected), "the request has no other headers, such as credentials");

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
    create_and_pay(&sandbox);
    assert!(sandbox.next_webhook().is_none() && sandbox.deliveries().is_empty());
    assert_eq!(sandbox.send_again(1), Err(SendAgainError::Unknown));
}

#[test]
fn failed_delivery_is_retried_with_doubling_backoff() {
    let sandbox = sandbox(test_webhook().retry(4, millis(1_000)));
    create_and_pay(&sandbox);
    next_due(&sandbox).answered(StatusCode::INTERNAL_SERVER_ERROR);
    let waiting = delivery(&sandbox, 1);
    assert_eq!((waiting.state(), waiting.status()), (DeliveryState::Waiting, Some(500)));
    assert!(waiting.error().is_some_and(|error| error.contains("500")), "{waiting:?}");

    for (wait, attempt) in [(1_000, 2), (2_000, 3), (4_000, 4)] {
        assert_eq!(delivery(&sandbox, 1).due(), sandbox.now().saturating_add(millis(wait)));
        sandbox.advance(millis(wait - 1));
        assert!(sandbox.next_webhook().is_none(), "{attempt}");
        sandbox.advance(millis(1));
        match attempt {
            // Dropping the webhook counts as no response.
            2 => drop(next_due(&sandbox)),
            // A redirect is not followed.
            3 => next_due(&sandbox).answered(StatusCode::FOUND),
            _ => next_due(&sandbox).unanswered("connection lost"),
        }
        assert_eq!(delivery(&sandbox, 1).attempts(), attempt);
        assert_eq!(delivery(&sandbox, 1).status(), (attempt == 3).then_some(302));
    }
    sandbox.advance(Duration::from_secs(1 << 20));
    assert!(sandbox.next_webhook().is_none(), "there are at most four attempts");
    let failed = delivery(&sandbox, 1);
    assert_eq!((failed.state(), failed.error()), (DeliveryState::Failed, Some("connection lost")));
    assert_eq!(failed.created(), NOW);
}

#[test]
fn dropped_due_webhook_counts_as_unanswered() {
    let sandbox = sandbox(test_webhook());
    create_and_pay(&sandbox);
    drop(next_due(&sandbox));
    let failed = delivery(&sandbox, 1);
    assert_eq!((failed.state(), failed.error()), (DeliveryState::Failed, Some("no response was received")));
}

#[test]
fn any_delivery_not_in_progress_can_be_resent() {
    let sandbox = sandbox(test_webhook().drop_every(2).repeat(2).retry(2, millis(500)));
    create_and_pay(&sandbox);
    assert_eq!(deliver_all(&sandbox), [1]);
    let states = || sandbox.deliveries().iter().rev().map(WebhookDelivery::state).collect::<Vec<_>>();
    assert_eq!(states(), [DeliveryState::Delivered, DeliveryState::Dropped]);

    // Resends a delivered webhook and one that was dropped by the settings.
    let again = sandbox.send_again(1).expect("the delivery can be resent");
    assert_eq!((again.state(), again.attempts(), again.due()), (DeliveryState::Waiting, 1, NOW));
    sandbox.send_again(2).expect("the delivery can be resent");
    assert_eq!(deliver_all(&sandbox), [1, 2]);
    assert_eq!(states(), [DeliveryState::Delivered; 2]);
    assert_eq!(delivery(&sandbox, 1).attempts(), 2);

    // A delivery in progress cannot be resent. A resent one is retried like a new one.
    sandbox.send_again(1).expect("the delivery can be resent");
    let first = next_due(&sandbox);
    assert_eq!(sandbox.send_again(1), Err(SendAgainError::BeingSent));
    first.answered(StatusCode::BAD_GATEWAY);
    assert_eq!(delivery(&sandbox, 1).state(), DeliveryState::Waiting);
    // Resending a waiting delivery sends it immediately and only once.
    sandbox.send_again(1).expect("the delivery can be resent");
    assert_eq!(deliver_all(&sandbox), [1]);
    sandbox.advance(millis(500));
    assert!(deliver_all(&sandbox).is_empty());
    assert_eq!(sandbox.send_again(3), Err(SendAgainError::Unknown));
}

#[test]
fn ten_thousand_deliveries_are_kept_and_waiting_ones_never_removed() {
    let sandbox = sandbox(test_webhook().repeat(255));
    for _ in 0..40 {
        create_and_pay(&sandbox);
    }
    assert_eq!(sandbox.deliveries().len(), 10_000);
    // A finished delivery is kept while others wait.
    next_due(&sandbox).answered(StatusCode::OK);
    sandbox.send_again(1).expect("the delivery is still listed");
    assert!(deliver_all(&sandbox).into_iter().eq(1..=10_200));
    let kept: Vec<u64> = sandbox.deliveries().iter().map(WebhookDelivery::id).collect();
    assert!(kept.into_iter().eq((201..=10_200).rev()));
    assert_eq!(sandbox.send_again(200), Err(SendAgainError::Unknown));
    // A resent delivery counts as new and is kept.
    sandbox.send_again(201).expect("the delivery is still listed");
    assert_eq!(deliver_all(&sandbox), [201]);
    create_and_pay(&sandbox);
    deliver_all(&sandbox);
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
        let paid: Vec<_> =
            charges.iter().map(|id| sandbox.pay(id).expect("the charge can be paid")).collect();
        let charges = text(&get(&sandbox, "charges?size=40")).to_owned();
        sandbox.advance(Duration::from_secs(60));
        let order = deliver_all(&sandbox);
        ((charges, paid), order)
    };
    let lossy = || test_webhook().reorder(Duration::from_secs(60)).drop_percent(30);
    let (without_webhook, _) = history(None, 7);
    let (with_webhook, order) = history(Some(lossy()), 7);
    assert_eq!(without_webhook, with_webhook, "ids and preimages do not depend on webhooks");
    assert_eq!(order, history(Some(lossy()), 7).1);
    assert_ne!(order, history(Some(lossy()), 8).1);
    assert!(!order.is_sorted() && (15..40).contains(&order.len()), "{order:?}");
    // Reordering does not change which deliveries are dropped.
    let mut sorted = order;
    sorted.sort_unstable();
    assert_eq!(history(Some(test_webhook().drop_percent(30)), 7).1, sorted);
}

#[test]
fn control_api_lists_and_resends_deliveries() {
    let sandbox = sandbox(test_webhook().repeat(2));
    let send =
        |method, path: &str| sandbox.respond(&request_without_key(method, &format!("/sandbox/{path}")));
    assert_eq!(text(&send(Method::GET, "deliveries")), "{\n  \"deliveries\" : [ ],\n  \"total\" : 0\n}");
    let id = create_and_pay(&sandbox);
    sandbox.advance(millis(10));
    next_due(&sandbox).answered(StatusCode::GONE);
    let row = |number: u64, state: &str, attempts: u32, outcome: &str, due: UnixMillis| {
        format!(
            "{{\n  \"id\" : {number},\n  \"charge\" : \"{id}\",\n  \"url\" : \"{URL}\",\n  \"state\" : \"{state}\",\n  \
             \"attempts\" : {attempts},\n{outcome}  \"due\" : {},\n  \"created\" : {}\n}}",
            due.as_millis(),
            NOW.as_millis()
        )
    };
    let outcome = "  \"status\" : 410,\n  \"error\" : \"the receiver responded with status 410, not 2xx\",\n";
    // Rows in a list are indented by two more spaces.
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
    let second = next_due(&sandbox);
    assert_eq!(second.delivery(), 2, "delivery 2 was due first");
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

    let mut foreign = request_without_key(Method::POST, "/sandbox/deliveries/1/send");
    foreign.headers_mut().insert("origin", "http://evil.example".parse().expect("a header"));
    assert_eq!(error(&sandbox.respond(&foreign)).0, 403);
}

/// An action on the sandbox or on a due webhook.
#[derive(Debug, Clone)]
enum Action {
    Create,
    Pay(prop::sample::Index),
    Advance(u64),
    Respond(u16),
    NoResponse,
    Resend(prop::sample::Index),
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => prop::strategy::Just(Action::Create),
        3 => any::<prop::sample::Index>().prop_map(Action::Pay),
        2 => (0..5_000_u64).prop_map(Action::Advance),
        4 => prop::sample::select(vec![200, 204, 299, 301, 400, 500]).prop_map(Action::Respond),
        1 => prop::strategy::Just(Action::NoResponse),
        1 => any::<prop::sample::Index>().prop_map(Action::Resend),
    ]
}

#[derive(Debug, Clone)]
struct Settings {
    repeat: u8,
    delay: u64,
    reorder: u64,
    drop_every: u32,
    drop_percent: u8,
    attempts: u32,
    backoff: u64,
}

impl Settings {
    fn webhook(&self) -> Webhook {
        test_webhook()
            .repeat(self.repeat)
            .delay(millis(self.delay))
            .reorder(millis(self.reorder))
            .drop_every(self.drop_every)
            .drop_percent(self.drop_percent)
            .retry(self.attempts, millis(self.backoff))
    }

    /// Returns whether a delivery is dropped, or `None` if that is random.
    fn drops(&self, id: u64) -> Option<bool> {
        let every = id.checked_rem(self.drop_every.into()) == Some(0);
        match self.drop_percent {
            _ if every => Some(true),
            0 => Some(false),
            100.. => Some(true),
            _ => None,
        }
    }
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let chance = prop::sample::select(vec![0, 0, 30, 100, 255]);
    (0..4_u8, 0..3_000_u64, 0..3_000_u64, 0..4_u32, chance, 0..4_u32, 0..3_000_u64).prop_map(
        |(repeat, delay, reorder, drop_every, drop_percent, attempts, backoff)| Settings {
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
        settings in any_settings(),
        actions in prop::collection::vec(any_action(), 1..60),
    ) {
        let sandbox = sandbox(settings.webhook());
        let (mut charges, mut paid) = (Vec::new(), Vec::new());
        // How often each delivery was sent, and how often it was resent by request.
        let mut sent: BTreeMap<u64, u32> = BTreeMap::new();
        let mut resends: BTreeMap<u64, u32> = BTreeMap::new();
        let mut send_next = |status: Option<u16>, resends: &BTreeMap<u64, u32>| {
            let Some(due) = sandbox.next_webhook() else { return Ok(false) };
            let id = webhook::parse(due.request().body()).expect("strike-core parses it").id().clone();
            // The body contains what a get returns at this time, and the charge is paid.
            let shown = event(&sandbox, &id);
            prop_assert_eq!(due.request().body(), shown.as_bytes());
            let listed = delivery(&sandbox, due.delivery());
            prop_assert_eq!((listed.charge(), listed.state()), (id.as_str(), DeliveryState::Sending));
            prop_assert!(listed.due() <= sandbox.now());
            let attempts = sent.entry(due.delivery()).or_default();
            *attempts += 1;
            prop_assert_eq!(*attempts, listed.attempts());
            let resent = resends.get(&due.delivery()).copied().unwrap_or_default();
            let max_attempts = settings.attempts.max(1) * (resent + u32::from(settings.drops(due.delivery()) != Some(true)));
            prop_assert!(*attempts <= max_attempts, "{:?}", listed);
            if *attempts == 1 && resent == 0 {
                let earliest = listed.created().saturating_add(millis(settings.delay));
                prop_assert!((earliest..=earliest.saturating_add(millis(settings.reorder))).contains(&listed.due()));
            }
            match status {
                Some(status) => due.answered(StatusCode::from_u16(status).expect("a valid status")),
                None => drop(due),
            }
            Ok(true)
        };
        for action in actions {
            match action {
                Action::Create => charges.push(any_charge(&sandbox)),
                Action::Pay(which) if !charges.is_empty() => {
                    let id: ChargeId = charges.swap_remove(which.index(charges.len()));
                    if sandbox.pay(&id).is_ok() {
                        paid.push(id);
                    }
                }
                Action::Advance(by) => sandbox.advance(millis(by)),
                Action::Respond(status) => drop(send_next(Some(status), &resends)?),
                Action::NoResponse => drop(send_next(None, &resends)?),
                Action::Resend(which) if !sandbox.deliveries().is_empty() => {
                    let id = which.get(&sandbox.deliveries()).id();
                    prop_assert!(sandbox.send_again(id).is_ok());
                    *resends.entry(id).or_default() += 1;
                }
                Action::Pay(_) | Action::Resend(_) => {}
            }
        }
        // In the end, every delivery that was not dropped is delivered or has failed.
        sandbox.advance(Duration::from_secs(1 << 20));
        while send_next(Some(200), &resends)? {}
        prop_assert!(sandbox.next_webhook().is_none());

        let deliveries = sandbox.deliveries();
        prop_assert_eq!(deliveries.len(), paid.len() * usize::from(settings.repeat));
        for id in &paid {
            let copies = deliveries.iter().filter(|delivery| delivery.charge() == id.as_str()).count();
            prop_assert_eq!(copies, usize::from(settings.repeat));
        }
        for delivery in &deliveries {
            let attempts = sent.get(&delivery.id()).copied().unwrap_or_default();
            prop_assert_eq!(delivery.attempts(), attempts);
            let resent = resends.contains_key(&delivery.id());
            match delivery.state() {
                DeliveryState::Delivered => {
                    prop_assert!(attempts > 0 && delivery.error().is_none(), "{:?}", delivery);
                    prop_assert!(delivery.status().is_some_and(|status| (200..300).contains(&status)));
                }
                DeliveryState::Failed => {
                    prop_assert!(attempts >= settings.attempts && delivery.error().is_some(), "{:?}", delivery);
                }
                DeliveryState::Dropped => {
                    prop_assert!(attempts == 0 && !resent && settings.drops(delivery.id()) != Some(false));
                }
                state => prop_assert!(false, "{:?} is not a final state", state),
            }
            if settings.drops(delivery.id()) == Some(true) && !resent {
                prop_assert_eq!(delivery.state(), DeliveryState::Dropped);
            }
        }
    }
}
