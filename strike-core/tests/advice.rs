//! Tests that the advice of each error matches the operation that failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::{Value, json};
use strike_core::machine::{Machine, OrderRecord};
use strike_core::{
    Advice, ApiKey, Charge, CoreClient, Create, CreateOnceOptions, Delivery, Endpoint, Error, Get, List,
    Network, NewCharge, OrderKey, Reply, RetryPolicy, TransportErrorKind, Wait,
};
use support::host::Host;
use support::{START, Virtual, charge, charge_json, endpoint, no_response, ok, respond};

const ASK_LATER: &str = "it is safe to try again later";
const HOST: &str = "check that the base URL is that of the server's API, and how it is reached";
const FIX: &str = "correct the input";
const KEY: &str = "check the API key, and that it belongs to this host and network";
const ID: &str = "check the id, and that base URL and key belong to the account that created it";
const LOOK: &str =
    "a charge may exist: before you create another, call `create_once` with the same key, or search the list";

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "tea")
}

/// An operation of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Create,
    Get,
    List,
    ListAll,
    /// The search of the list before a create.
    Once,
    /// A read of the charge that is stored in the key record.
    OnceRead,
    Wait,
}

use Ask::{Create as Creates, Get as Gets, List as Lists, ListAll, Once as Looks, OnceRead, Wait as Waits};

fn run<M: Machine>(mut machine: M, reply: &dyn Fn() -> Reply) -> Error {
    match Virtual::new().run(&mut machine, |_, _| reply()) {
        Ok(_) => panic!("expected an error"),
        Err(error) => error,
    }
}

/// Runs the operation against a host that always sends this response, and returns the error.
fn fails(ask: Ask, reply: &dyn Fn() -> Reply) -> Error {
    let (endpoint, policy) = (endpoint(), RetryPolicy::never());
    match ask {
        Ask::Create => run(CoreClient::new(endpoint.clone(), policy, 1).call(Create::new(order())), reply),
        Ask::Get => {
            run(CoreClient::new(endpoint.clone(), policy, 1).call(Get::new("ch_1".parse().unwrap())), reply)
        }
        Ask::List => run(CoreClient::new(endpoint.clone(), policy, 1).call(List::page(3)), reply),
        ListAll => run(CoreClient::new(endpoint.clone(), policy, 1).pager().next(), reply),
        Ask::Once => {
            run(CoreClient::new(endpoint.clone(), policy, 1).create_once(order(), "order-17"), reply)
        }
        OnceRead => {
            let (mut host, mut record) = (Host::new(), OrderRecord::default());
            let mut first = CoreClient::new(endpoint.clone(), policy, 1).create_once_with(
                order(),
                "order-17",
                &mut record,
            );
            Virtual::new().run(&mut first, |exchange, now| host.serve(&exchange, *now).unwrap()).unwrap();
            run(
                CoreClient::new(endpoint.clone(), policy, 1).create_once_with(
                    order(),
                    "order-17",
                    &mut record,
                ),
                reply,
            )
        }
        Ask::Wait => run(
            CoreClient::new(endpoint.clone(), policy, 1)
                .wait(charge(&[]), Wait::until_expiry().max_failures(0)),
            reply,
        ),
    }
}

/// Returns the beginning of each error text of the operation.
fn beginning(ask: Ask) -> &'static str {
    match ask {
        Ask::Create => "create charge of 4200 satoshi: ",
        Ask::Get | Ask::Wait => "get charge ch_1: ",
        Ask::List => "list charges, page 3: ",
        ListAll => "list charges, page 0: ",
        Ask::Once => "create charge of 4200 satoshi once: look for it in the list: ",
        OnceRead => "create charge of 4200 satoshi once: read its charge: ",
    }
}

#[test]
fn advice_matches_the_failure_and_the_operation() {
    let api = |status: u16| respond(status, json!({"code": status, "message": "no"}).to_string());
    let page = |status: u16| respond(status, "<html>nginx</html>");
    let lost = |kind, delivery| no_response(kind, delivery);
    let reads = [Gets, Lists, ListAll, Looks, Waits];
    let everything = [Creates, Gets, Lists, ListAll, Looks, Waits];
    let without_id = [Creates, Lists, ListAll, Looks];
    type Row<'a> = (&'a str, &'a dyn Fn() -> Reply, &'a [Ask], Advice, &'a str);
    let rows: &[Row<'_>] = &[
        ("400 with an API error body", &|| api(400), &everything, Advice::FixInput, FIX),
        ("400 from a proxy", &|| page(400), &everything, Advice::CheckHost, HOST),
        ("401", &|| api(401), &everything, Advice::CheckKey, KEY),
        ("403", &|| api(403), &everything, Advice::CheckHost, HOST),
        ("404 about an id", &|| api(404), &[Gets, Waits], Advice::CheckId, ID),
        ("404 about a path", &|| api(404), &without_id, Advice::CheckHost, HOST),
        ("404 from a proxy", &|| page(404), &everything, Advice::CheckHost, HOST),
        ("408", &|| page(408), &reads, Advice::RetryLater, ASK_LATER),
        ("408 to a create", &|| page(408), &[Creates], Advice::LookFirst, LOOK),
        ("425", &|| api(425), &reads, Advice::RetryLater, ASK_LATER),
        ("429", &|| api(429), &everything, Advice::RetryLater, ASK_LATER),
        ("503", &|| page(503), &reads, Advice::RetryLater, ASK_LATER),
        ("503 to a create", &|| page(503), &[Creates], Advice::LookFirst, LOOK),
        ("302", &|| page(302), &reads, Advice::CheckHost, HOST),
        ("302 to a create", &|| page(302), &[Creates], Advice::LookFirst, LOOK),
        ("HTML", &|| page(200), &reads, Advice::CheckHost, HOST),
        ("HTML to a create", &|| page(200), &[Creates], Advice::LookFirst, LOOK),
        ("too large", &|| respond(200, "x".repeat(2 << 20)), &reads, Advice::CheckHost, HOST),
        ("too large to a create", &|| respond(200, "x".repeat(2 << 20)), &[Creates], Advice::LookFirst, LOOK),
        (
            "refused",
            &|| lost(TransportErrorKind::ConnectionRefused, Delivery::Unsent),
            &everything,
            Advice::RetryLater,
            ASK_LATER,
        ),
        ("TLS", &|| lost(TransportErrorKind::Tls, Delivery::Unsent), &everything, Advice::CheckHost, HOST),
        (
            "timeout",
            &|| lost(TransportErrorKind::Timeout, Delivery::MaybeSent),
            &reads,
            Advice::RetryLater,
            ASK_LATER,
        ),
        (
            "timeout of a create",
            &|| lost(TransportErrorKind::Timeout, Delivery::MaybeSent),
            &[Creates],
            Advice::LookFirst,
            LOOK,
        ),
        // A charge exists under this key, so a failed read of it leaves the outcome unknown.
        ("401 to the read of a recorded charge", &|| api(401), &[OnceRead], Advice::LookFirst, LOOK),
        (
            "404 from a proxy to the read of a recorded charge",
            &|| page(404),
            &[OnceRead],
            Advice::LookFirst,
            LOOK,
        ),
    ];
    for (name, reply, asks, advice, sentence) in rows {
        for ask in *asks {
            let error = fails(*ask, reply);
            let text = error.to_string();
            assert_eq!(
                (error.advice(), advice.to_string().as_str()),
                (*advice, *sentence),
                "{name}: {ask:?}: {text}"
            );
            assert!(text.starts_with(beginning(*ask)), "{name}: {ask:?}: {text}");
            assert!(text.ends_with(&format!("; {sentence}")), "{name}: {ask:?}: {text}");
            assert!(text.matches("nothing was sent").count() == 0, "{name}: {ask:?}: {text}");
        }
    }
}

#[test]
fn input_errors_say_nothing_was_sent_only_for_requests() {
    let text = Error::from(ApiKey::new("").unwrap_err()).to_string();
    assert!(text.ends_with("; correct the input") && !text.contains("sent"), "{text}");
    let mut call = CoreClient::new(endpoint(), RetryPolicy::default(), 1)
        .call(Create::new(NewCharge::satoshis(0, "tea")));
    let text = Virtual::new().run(&mut call, |_, _| panic!()).unwrap_err().to_string();
    assert!(text.ends_with("; nothing was sent; correct the input"), "{text}");
}

#[test]
fn wrong_invoice_network_advises_to_check_the_endpoint_network() {
    let key = ApiKey::new("sk_demo").unwrap();
    let endpoint = Endpoint::builder("https://host/", key, Network::Bitcoin).build().unwrap();
    // The first testnet example of the BOLT11 specification.
    let invoice = "lntb20m1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygshp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqfpp3x9et2e20v6pu37c5d9vax37wxq72un989qrsgqdj545axuxtnfemtpwkc45hx9d2ft7x04mt8q7y6t0k2dge9e7h8kpy9p34ytyslj3yu569aalz2xdk8xkd7ltxqld94u8h2esmsmacgpghe9k8";
    let order = NewCharge::satoshis(2_000_000, "tea");
    let found = charge_json(&[
        ("amount", json!(2_000_000)),
        ("amount_satoshi", json!(2_000_000)),
        ("payment_request", json!(invoice)),
    ]);
    let error =
        run(CoreClient::new(endpoint.clone(), RetryPolicy::never(), 1).call(Create::new(order)), &|| {
            ok(&found)
        });
    assert_eq!(error.advice(), Advice::CheckNetwork, "{error}");
    assert!(
        error
            .to_string()
            .contains("; check the `Network` of the endpoint, and that its base URL is on that network; ")
    );
}

/// Returns a host with a charge for the key of `order-17`, with these fields changed.
fn reused(changes: &[(&str, Value)]) -> Host {
    let mut host = Host::new();
    let id = OrderKey::named("order-17").customer_id("");
    let mut fields = vec![("customer_id", json!(id))];
    fields.extend(changes.iter().cloned());
    host.insert(START, &fields);
    host
}

#[test]
fn reused_order_name_advises_to_check_the_order() {
    let own = OrderKey::named("order-17").customer_id("table 4");
    for (changes, advice) in [
        (vec![("amount", json!(5000)), ("amount_satoshi", json!(5000))], Advice::CheckOrder),
        (vec![("description", json!("coffee"))], Advice::CheckOrder),
        (vec![("customer_id", json!(own))], Advice::CheckOrder),
        // `amount` and `amount_satoshi` disagree, which no order can cause: the host is wrong.
        (vec![("amount", json!(5000))], Advice::DoNotUse),
        (vec![("amount_satoshi", json!(5000))], Advice::DoNotUse),
    ] {
        for once in
            [CreateOnceOptions::named("order-17"), CreateOnceOptions::recover(OrderKey::named("order-17"))]
        {
            let mut host = reused(&changes);
            let mut machine = CoreClient::new(endpoint(), RetryPolicy::never(), 1).create_once(order(), once);
            let result =
                Virtual::new().run(&mut machine, |exchange, now| host.serve(&exchange, *now).unwrap());
            let error = result.unwrap_err();
            assert_eq!((error.advice(), host.sent("POST")), (advice, 0), "{changes:?}: {error}");
            assert!(error.to_string().starts_with(
                "create charge of 4200 satoshi once: accept the charge that was found: the response does not match the request: "
            ));
            assert!(error.charge().is_some());
        }
    }
    assert_eq!(
        Advice::CheckOrder.to_string(),
        "this order name was used before for another order: use another name, or call again with the same order"
    );
}

#[test]
fn different_charge_from_a_lost_create_advises_not_to_use_it() {
    let mut host = Host::new();
    let mut machine = CoreClient::new(endpoint(), RetryPolicy::never(), 1)
        .create_once(order(), CreateOnceOptions::fresh(OrderKey::named("order-17")));
    let result = Virtual::new().run(&mut machine, |exchange, now| {
        if exchange.request.method() == "POST" {
            let id = OrderKey::named("order-17").customer_id("");
            let fields = [("amount", json!(1)), ("amount_satoshi", json!(1)), ("customer_id", json!(id))];
            host.insert(START, &fields);
            return no_response(TransportErrorKind::Timeout, Delivery::MaybeSent);
        }
        host.serve(&exchange, *now).unwrap()
    });
    assert_eq!(result.unwrap_err().advice(), Advice::DoNotUse);
}

#[test]
fn unreadable_list_row_advises_not_to_use_it() {
    let mut host = Host::new();
    host.rows.push(json!({"id": "ch_9", "paid": "perhaps"}));
    let mut pager = CoreClient::new(endpoint(), RetryPolicy::never(), 1).pager();
    let result: Result<Option<Charge>, _> =
        Virtual::new().run(&mut pager.next(), |exchange, now| host.serve(&exchange, *now).unwrap());
    let error = result.unwrap_err();
    assert_eq!(error.advice(), Advice::DoNotUse);
    assert!(error.to_string().starts_with("list charges, row ch_9: "), "{error}");
}
