//! The control API below `/sandbox/`, and the same operations on the Rust handle.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::{ProptestConfig, prop, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};
use strike_core::HttpResponse;
use strike_core::http::Method;
use strike_sandbox::{ChargeState, ExpireError, PayError, Sandbox};

use crate::support::{
    FORM, JSON, NOW, any_charge, builder, create, error, get, id, request_without_key, sandbox, text,
};
use crate::support::{json as json_body, post as api_post};

fn send(sandbox: &Sandbox, method: Method, path: &str, content_type: &str, body: &str) -> HttpResponse {
    let mut request = request_without_key(method, &format!("/sandbox/{path}"));
    request.headers_mut().insert("content-type", content_type.parse().expect("a header"));
    *request.body_mut() = body.as_bytes().to_vec();
    sandbox.respond(&request)
}

fn read(sandbox: &Sandbox, path: &str) -> Value {
    let response = send(sandbox, Method::GET, path, "text/plain", "");
    assert_eq!(response.status(), 200, "{path}: {}", text(&response));
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    json_body(&response)
}

fn post(sandbox: &Sandbox, path: &str, body: &str) -> HttpResponse {
    send(sandbox, Method::POST, path, JSON, body)
}

#[test]
fn control_api_charge_adds_state_expiry_and_preimage() {
    let sandbox = sandbox();
    let charge = create(&sandbox, FORM, "amount=1&currency=btc&description=x&expiry_sec=60");
    let path = format!("charges/{}", id(&charge));
    let mut expected = charge;
    expected["state"] = "pending".into();
    expected["expires"] = 1_542_221_863_000_u64.into();
    assert_eq!(read(&sandbox, &path), expected);
    // The layout matches the API's, with the additional keys at the end.
    let response = send(&sandbox, Method::GET, &path, "text/plain", "");
    let tail =
        "\n  \"updated\" : 1542221803505,\n  \"state\" : \"pending\",\n  \"expires\" : 1542221863000\n}";
    assert!(text(&response).ends_with(tail), "{}", text(&response));

    let paid = sandbox.pay(&id(&expected)).expect("the charge can be paid");
    expected["paid"] = true.into();
    expected["state"] = "paid".into();
    expected["preimage"] = paid.preimage_hex().into();
    assert_eq!(read(&sandbox, &path), expected);
    assert_eq!(error(&send(&sandbox, Method::GET, "charges/ch_x", FORM, "")), (404, "not found".to_owned()));
}

#[test]
fn control_list_has_pages_total_and_time() {
    let sandbox = sandbox();
    assert_eq!(read(&sandbox, "charges"), json!({"charges": [], "total": 0, "now": NOW.as_millis()}));
    let mut ids: Vec<_> = (0..5).map(|_| any_charge(&sandbox)).collect();
    ids.reverse();
    for (query, rows) in [("", 0..5), ("?size=2", 0..2), ("?page=1&size=2", 2..4), ("?page=9", 0..0)] {
        let list = read(&sandbox, &format!("charges{query}"));
        let single = ids[rows].iter().map(|id| read(&sandbox, &format!("charges/{id}"))).collect::<Vec<_>>();
        assert_eq!(list["charges"], Value::from(single), "{query}");
        assert_eq!((list["total"].as_u64(), list["now"].as_u64()), (Some(5), Some(NOW.as_millis())));
    }
    assert_eq!(error(&send(&sandbox, Method::GET, "charges?page=x", FORM, "")).0, 400);
}

#[test]
fn control_create_needs_no_key() {
    let sandbox = sandbox();
    for (content_type, body) in [
        (FORM, "amount=5&currency=btc&customer_id=o"),
        (JSON, r#"{"amount":5,"currency":"btc","customer_id":"o"}"#),
    ] {
        let response = send(&sandbox, Method::POST, "charges", content_type, body);
        assert_eq!(response.status(), 200, "{}", text(&response));
        let charge = json_body(&response);
        assert_eq!(
            (&charge["amount"], &charge["customer_id"], &charge["state"]),
            (&5.into(), &"o".into(), &"pending".into())
        );
        assert_eq!(read(&sandbox, &format!("charges/{}", id(&charge))), charge);
    }
    assert_eq!(error(&send(&sandbox, Method::POST, "charges", FORM, "amount=0&currency=btc")).0, 400);
    assert_eq!(sandbox.charges(), 2);
}

#[test]
fn expired_charge_is_unpaid_in_the_api() {
    let sandbox = sandbox();
    let [by_call, by_time] = [(), ()].map(|()| any_charge(&sandbox));
    let before = get(&sandbox, &format!("charges/{by_call}")).into_body();
    let response = post(&sandbox, &format!("charges/{by_call}/expire"), "");
    assert_eq!((response.status().as_u16(), &json_body(&response)["state"]), (200, &"expired".into()));
    assert_eq!(json_body(&response)["expires"], NOW.as_millis());
    assert_eq!(sandbox.pay(&by_call), Err(PayError::Expired));
    assert_eq!(get(&sandbox, &format!("charges/{by_call}")).into_body(), before);

    let lifetime = || sandbox.charge(&by_time).map(|charge| (charge.state(), charge.expires().as_millis()));
    assert_eq!(lifetime(), Some((ChargeState::Pending, 1_542_225_403_000)));
    sandbox.advance(Duration::from_secs(3600));
    assert_eq!(lifetime(), Some((ChargeState::Expired, 1_542_225_403_000)));
    // Expiring a charge again changes nothing.
    for id in [&by_call, &by_time] {
        let before = read(&sandbox, &format!("charges/{id}"));
        assert_eq!(sandbox.expire(id), Ok(()));
        assert_eq!(read(&sandbox, &format!("charges/{id}")), before);
    }
}

#[test]
fn paid_and_unknown_charges_cannot_be_expired() {
    let sandbox = sandbox();
    let id = any_charge(&sandbox);
    sandbox.pay(&id).expect("the charge can be paid");
    assert_eq!(sandbox.expire(&id), Err(ExpireError::AlreadyPaid));
    let refused = error(&post(&sandbox, &format!("charges/{id}/expire"), ""));
    assert_eq!(refused, (409, "the charge is already paid".to_owned()));
    assert_eq!(sandbox.charge(&id).map(|charge| charge.state()), Some(ChargeState::Paid));

    let unknown = "ch_x".parse().expect("a charge id");
    assert_eq!(sandbox.expire(&unknown), Err(ExpireError::UnknownCharge));
    assert_eq!(error(&post(&sandbox, "charges/ch_x/expire", "")), (404, "not found".to_owned()));
    assert!(sandbox.charge(&unknown).is_none());
}

#[test]
fn charge_records_match_the_api() {
    let sandbox = sandbox();
    let first = create(&sandbox, FORM, "amount=7&currency=btc&description=tea&customer_id=o");
    sandbox.advance(Duration::from_millis(5));
    let second = any_charge(&sandbox);
    let paid = sandbox.pay(&id(&first)).expect("the charge can be paid");
    let [newest, oldest] = sandbox.list_all().try_into().expect("two charges");
    assert_eq!((newest.id(), newest.customer_id(), newest.state()), (&second, None, ChargeState::Pending));
    assert_eq!(
        (oldest.id(), oldest.customer_id(), oldest.state()),
        (&id(&first), Some("o"), ChargeState::Paid)
    );
    assert_eq!((oldest.amount().get(), oldest.description()), (7, "tea"));
    assert_eq!(first["payment_hash"], oldest.payment_hash().to_string());
    assert_eq!(first["payment_request"], oldest.payment_request());
    assert_eq!((oldest.preimage(), newest.preimage()), (Some(paid.preimage()), None));
    assert_eq!(oldest.created(), NOW);
    assert_eq!(oldest.updated(), NOW.saturating_add(Duration::from_millis(5)));
    // Records are snapshots: a reset does not change them. Debug output omits the preimage.
    sandbox.reset().expect("an in-memory sandbox can always be reset");
    assert_eq!(newest.state(), ChargeState::Pending);
    let shown = format!("{oldest:?}");
    assert!(shown.contains("tea") && !shown.contains("preimage"), "{shown}");
}

#[test]
fn clock_can_be_read_and_advanced_over_http() {
    let sandbox = sandbox();
    assert_eq!(read(&sandbox, "clock"), json!({"now": NOW.as_millis()}));
    let moved = post(&sandbox, "clock", r#"{"advance_ms": 1500}"#);
    assert_eq!(json_body(&moved), json!({"now": NOW.as_millis() + 1500}));
    assert_eq!(sandbox.now(), NOW.saturating_add(Duration::from_millis(1500)));
    // The clock stops at the latest time that an invoice can contain.
    let end = post(&sandbox, "clock", r#"{"advance_ms": 18446744073709551615}"#);
    assert_eq!(json_body(&end)["now"], 34_359_738_367_000_u64);
}

#[test]
fn reseeding_makes_later_charges_reproducible() {
    let [one, two] = [sandbox(), builder().seed(8).build()];
    any_charge(&two);
    for sandbox in [&one, &two] {
        assert_eq!(
            json_body(&post(sandbox, "seed", r#"{"seed": 18446744073709551615}"#)),
            json!({"seed": u64::MAX})
        );
    }
    assert_eq!(any_charge(&one), any_charge(&two));
    one.reseed(9);
    assert_ne!(any_charge(&one), any_charge(&two));
    // Reseeding does not change the node key.
    assert_ne!(one.payee(), two.payee());
}

#[test]
fn reseeding_with_the_same_seed_creates_no_duplicates() {
    let sandbox = sandbox();
    let create_many = |count: usize| {
        sandbox.reseed(9);
        (0..count).map(|_| any_charge(&sandbox)).collect::<Vec<_>>()
    };
    let (first, second, third) = (create_many(3), create_many(1), create_many(2));
    let charges = sandbox.list_all();
    let ids: BTreeSet<_> = charges.iter().map(|charge| charge.id().clone()).collect();
    let hashes: BTreeSet<_> = charges.iter().map(|charge| charge.payment_hash().to_string()).collect();
    assert_eq!((ids.len(), hashes.len()), (6, 6));
    // Together they equal the first six charges of the seed.
    sandbox.reset().expect("an in-memory sandbox can always be reset");
    assert_eq!(create_many(6), [first, second, third].concat());
}

#[test]
fn reset_without_a_seed_does_not_repeat_ids() {
    let sandbox = Sandbox::builder().api_key("sk_demo").build();
    let before = any_charge(&sandbox);
    sandbox.reset().expect("an in-memory sandbox can always be reset");
    assert_ne!(any_charge(&sandbox), before);
}

#[test]
fn reset_over_http_clears_charges_clock_and_request_count() {
    let sandbox = sandbox();
    let key = sandbox.api_key().to_owned();
    let cleared = any_charge(&sandbox);
    sandbox.advance(Duration::from_secs(9));
    assert_eq!(json_body(&post(&sandbox, "reset", "{}")), json!({"reset": true}));
    assert_eq!((sandbox.charges(), sandbox.requests(), sandbox.now()), (0, 0, NOW));
    assert_eq!(error(&get(&sandbox, &format!("charges/{cleared}"))).0, 404);
    assert_eq!(sandbox.api_key(), key);
}

#[test]
fn invalid_control_bodies_get_400_with_the_expected_shape() {
    let sandbox = sandbox();
    let charge = any_charge(&sandbox);
    let before = read(&sandbox, "charges");
    for (path, bodies) in [
        (
            "clock",
            &[
                "",
                "{}",
                "[1]",
                "1",
                "null",
                r#"{"advance_ms":"1"}"#,
                r#"{"advance_ms":-1}"#,
                r#"{"advance_ms":1.5}"#,
                r#"{"advance_ms":1,"advance_ms":1}"#,
                r#"{"advance_ms":1,"now":1}"#,
                r#"{"advance_ms":1} x"#,
                "advance_ms=1",
            ][..],
        ),
        (
            "seed",
            &["", "{}", "[1]", r#"{"seed":"x"}"#, r#"{"seed":null}"#, r#"{"seed":18446744073709551616}"#],
        ),
        ("reset", &["[]", "{", r#"{"all":true}"#]),
        (&format!("charges/{charge}/pay"), &["[]", r#"{"amount":1}"#]),
        (&format!("charges/{charge}/expire"), &["x", r#"{"in":1}"#]),
    ] {
        for body in bodies {
            let (status, message) = error(&post(&sandbox, path, body));
            assert_eq!(status, 400, "{path} {body}");
            let shape = match path {
                "clock" => "advance_ms",
                "seed" => "seed",
                _ => "empty or {}",
            };
            assert!(message.contains(shape), "{path} {body}: {message}");
        }
    }
    assert!(error(&post(&sandbox, "clock", r#"{"advance":1}"#)).1.contains("`advance`"));
    assert_eq!(read(&sandbox, "charges"), before);
}

#[test]
fn control_paths_list_their_methods_in_allow() {
    let sandbox = sandbox();
    let id = any_charge(&sandbox);
    for (path, method, allow) in [
        ("charges".to_owned(), Method::DELETE, "GET, HEAD, POST"),
        (format!("charges/{id}"), Method::POST, "GET, HEAD"),
        (format!("charges/{id}/pay"), Method::GET, "POST"),
        (format!("charges/{id}/expire"), Method::HEAD, "POST"),
        ("reset".to_owned(), Method::GET, "POST"),
        ("clock".to_owned(), Method::PUT, "GET, HEAD, POST"),
        ("seed".to_owned(), Method::GET, "POST"),
    ] {
        let response = send(&sandbox, method.clone(), &path, JSON, "");
        assert_eq!(response.status(), 405, "{method} {path}");
        assert_eq!(response.headers()["allow"], allow, "{path}");
    }
    for path in ["", "charge", "charges/x/y", "charges/x/pay/now", "reset/all", "Charges"] {
        assert_eq!(error(&post(&sandbox, path, "")).0, 404, "{path}");
    }
    let head = send(&sandbox, Method::HEAD, "charges", JSON, "");
    assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
}

/// Performs the action with this number and returns its visible result.
fn act(sandbox: &Sandbox, action: u8) -> Vec<u8> {
    let newest = || sandbox.list_all().first().map(|charge| charge.id().clone());
    match action % 5 {
        0 | 1 => {
            api_post(sandbox, FORM, &format!("amount={}&currency=btc", 1 + u32::from(action))).into_body()
        }
        2 => format!("{:?}", newest().map(|id| sandbox.pay(&id))).into_bytes(),
        3 => format!("{:?}", newest().map(|id| sandbox.expire(&id))).into_bytes(),
        _ => {
            sandbox.advance(Duration::from_secs(u64::from(action) * 60));
            get(sandbox, "charges").into_body()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn history_after_a_reset_is_reproducible(
        before_reset in prop::collection::vec(0_u8..40, 0..8),
        history in prop::collection::vec(0_u8..40, 0..8),
        reseeded in prop::option::of(0_u64..9),
    ) {
        let play = |sandbox: &Sandbox| history.iter().map(|action| act(sandbox, *action)).collect::<Vec<_>>();
        let fresh = || {
            let sandbox = sandbox();
            if let Some(seed) = reseeded {
                sandbox.reseed(seed);
            }
            sandbox
        };
        let first = fresh();
        let expected = play(&first);
        let again = fresh();
        for action in &before_reset {
            act(&again, *action);
        }
        again.reset().expect("an in-memory sandbox can always be reset");
        prop_assert_eq!(again.charges(), 0);
        prop_assert_eq!(again.now(), NOW);
        prop_assert!(play(&again) == expected);
        prop_assert_eq!(again.now(), first.now());
    }
}
