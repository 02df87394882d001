//! Quirks: what each changes in the API, and that it changes nothing else.

use std::time::Duration;

use lightning_invoice::{RawTaggedField, SignedRawBolt11Invoice, TaggedField};
use proptest::prelude::{ProptestConfig, prop, prop_assert, prop_assert_eq, proptest};
use strike_core::http::{Method, StatusCode};
use strike_core::{Charge, Expectation, HttpResponse, Invoice, Network, NewCharge};
use strike_sandbox::{Quirks, Sandbox};

use crate::support::json as json_body;
use crate::support::{
    FORM, JSON, any_charge, builder, create, error, get, id, post, request, request_without_key, sandbox,
    text,
};

fn sandbox_with(quirks: Quirks) -> Sandbox {
    builder().quirks(quirks).build()
}

const ORDER: &str = "amount=1&currency=btc&description=x";

#[test]
fn timestamps_in_seconds_apply_to_the_api_only() {
    let sandbox_in_seconds = sandbox_with(Quirks::new().timestamps_in_seconds());
    let mut charge = create(&sandbox_in_seconds, FORM, ORDER);
    let mut usual = create(&sandbox(), FORM, ORDER);
    for key in ["created", "updated"] {
        assert_eq!(
            (charge[key].take(), usual[key].take()),
            (1_542_221_803.into(), 1_542_221_803_505_u64.into())
        );
    }
    assert_eq!(charge, usual);
    sandbox_in_seconds.advance(Duration::from_millis(1_499));
    sandbox_in_seconds.pay(&id(&charge)).expect("the charge can be paid");
    assert_eq!(json_body(&get(&sandbox_in_seconds, "charges"))[0]["updated"], 1_542_221_805);
    // The control API still returns milliseconds.
    let owned = json_body(
        &sandbox_in_seconds
            .respond(&request_without_key(Method::GET, &format!("/sandbox/charges/{}", id(&charge)))),
    );
    assert_eq!(owned["updated"], 1_542_221_805_004_u64);
}

#[test]
fn long_ids_have_44_characters() {
    let sandbox = sandbox_with(Quirks::new().long_ids());
    let id = any_charge(&sandbox);
    assert_eq!(id.as_str().strip_prefix("ch_").map(str::len), Some(44));
    assert_eq!(get(&sandbox, &format!("charges/{id}")).status(), 200);
    // The generated API key does not change.
    let key = |quirks| Sandbox::builder().seed(1).quirks(quirks).build().api_key().to_owned();
    assert_eq!(key(Quirks::new().long_ids()), key(Quirks::new()));
}

#[test]
fn invoices_of_2018_have_the_recorded_fields() {
    let sandbox = sandbox_with(Quirks::new().invoices_of_2018());
    for (fields, expiry) in [("", 3600), ("&expiry_sec=60", 60)] {
        let body = format!("amount=42000&currency=btc&description=1 Blockaccino{fields}");
        let response = post(&sandbox, FORM, &body);
        let payment_request = json_body(&response)["payment_request"].as_str().expect("text").to_owned();
        assert!(payment_request.starts_with("lntb420u1p"), "{payment_request}");

        let signed: SignedRawBolt11Invoice = payment_request.parse().expect("a valid invoice");
        let payee = signed.recover_payee_pub_key().expect("a valid signature").0;
        assert_eq!(payee.to_string(), sandbox.payee());
        let fields = signed.raw_invoice().data.tagged_fields.iter();
        let tags: String = fields
            .map(|field| match field {
                RawTaggedField::KnownSemantics(TaggedField::PaymentHash(_)) => 'p',
                RawTaggedField::KnownSemantics(TaggedField::Description(_)) => 'd',
                RawTaggedField::KnownSemantics(TaggedField::MinFinalCltvExpiryDelta(blocks)) => {
                    assert_eq!(blocks.0, 10);
                    'c'
                }
                RawTaggedField::KnownSemantics(TaggedField::ExpiryTime(_)) => 'x',
                _ => '?',
            })
            .collect();
        assert_eq!(tags, if expiry == 60 { "pdcx" } else { "pdc" });

        let invoice = Invoice::read(&payment_request).expect("strike-core parses it");
        let begin = strike_core::UnixMillis::from_secs(1_542_221_803);
        assert_eq!(invoice.expires_at(), begin.saturating_add(Duration::from_secs(expiry)));
        let charge: Charge = serde_json::from_slice(response.body()).expect("a valid charge");
        let order = NewCharge::satoshis(42_000, "1 Blockaccino");
        charge
            .check(&Expectation::of(&order, Network::Testnet), begin)
            .expect("the charge matches the order");
        sandbox.pay(charge.id()).expect("the charge can be paid");
    }
}

#[test]
fn invoices_of_2018_change_only_the_payment_request() {
    let [old, new] = [Quirks::new().invoices_of_2018(), Quirks::new()].map(|quirks| {
        let mut charge = create(&sandbox_with(quirks), FORM, ORDER);
        charge["payment_request"].take();
        charge
    });
    assert_eq!(old, new);
}

#[test]
fn description_required_rejects_a_missing_description() {
    let strict = sandbox_with(Quirks::new().description_required());
    for (content_type, without, with) in [
        (FORM, "amount=1&currency=btc", "amount=1&currency=btc&description="),
        (JSON, r#"{"amount":1,"currency":"btc"}"#, r#"{"amount":1,"currency":"btc","description":""}"#),
        (
            JSON,
            r#"{"amount":1,"currency":"btc","description":null}"#,
            r#"{"amount":1,"currency":"btc","description":"x"}"#,
        ),
    ] {
        let (status, message) = error(&post(&strict, content_type, without));
        assert!(status == 400 && message.contains("description"), "{message}");
        create(&strict, content_type, with);
        create(&sandbox(), content_type, without);
    }
}

#[test]
fn largest_page_caps_the_api_list_only() {
    let sandbox = sandbox_with(Quirks::new().largest_page(2));
    let mut ids: Vec<_> = (0..5).map(|_| any_charge(&sandbox)).collect();
    ids.reverse();
    let page = |query: &str| -> Vec<_> {
        let rows = json_body(&get(&sandbox, &format!("charges{query}")));
        rows.as_array().expect("a list").iter().map(id).collect()
    };
    assert_eq!(page(""), ids[0..2]);
    assert_eq!(page("?size=30&page=1"), ids[2..4]);
    assert_eq!(page("?size=30&page=2"), ids[4..5]);
    assert_eq!(page("?size=1"), ids[0..1]);
    // The list of the control API is not capped.
    let owned = json_body(&sandbox.respond(&request_without_key(Method::GET, "/sandbox/charges")));
    assert_eq!(owned["charges"].as_array().map(Vec::len), Some(5));
}

#[test]
fn list_lag_delays_new_charges_in_the_api_list_only() {
    let sandbox = sandbox_with(Quirks::new().list_lag(Duration::from_secs(3)));
    let listed = || json_body(&get(&sandbox, "charges")).as_array().expect("a list").len();
    let first = any_charge(&sandbox);
    assert_eq!(get(&sandbox, &format!("charges/{first}")).status(), 200);
    assert_eq!(listed(), 0);
    sandbox.advance(Duration::from_millis(2999));
    any_charge(&sandbox);
    assert_eq!(listed(), 0);
    sandbox.advance(Duration::from_millis(1));
    assert_eq!(listed(), 1);
    sandbox.advance(Duration::from_secs(3));
    assert_eq!(listed(), 2);
    // The list of the control API does not lag.
    any_charge(&sandbox);
    let owned = json_body(&sandbox.respond(&request_without_key(Method::GET, "/sandbox/charges")));
    assert_eq!(owned["charges"].as_array().map(Vec::len), Some(3));
}

fn retry_after(response: &HttpResponse) -> Option<&str> {
    response.headers().get("retry-after").map(|value| value.to_str().expect("text"))
}

#[test]
fn requests_over_the_limit_get_429_until_the_minute_ends() {
    let sandbox = sandbox_with(Quirks::new().requests_per_minute(3));
    for path in ["charges", "charges/-1", "nowhere"] {
        assert_ne!(get(&sandbox, path).status(), 429, "{path}");
    }
    sandbox.advance(Duration::from_secs(18));
    let refused = post(&sandbox, FORM, ORDER);
    assert_eq!(error(&refused), (429, "exceeded your request limit".to_owned()));
    assert_eq!(retry_after(&refused), Some("42"));
    assert_eq!(text(&refused), "{\n  \"code\" : 429,\n  \"message\" : \"exceeded your request limit\"\n}");
    assert_eq!(sandbox.charges(), 0);
    // The limit ends exactly after the announced delay.
    sandbox.advance(Duration::from_millis(41_999));
    assert_eq!(retry_after(&get(&sandbox, "charges")), Some("1"));
    sandbox.advance(Duration::from_millis(1));
    assert_eq!(post(&sandbox, FORM, ORDER).status(), 200);
    // A reset starts a new minute.
    get(&sandbox, "charges");
    get(&sandbox, "charges");
    assert_eq!(get(&sandbox, "charges").status(), 429);
    sandbox.reset().expect("an in-memory sandbox can always be reset");
    assert_eq!(get(&sandbox, "charges").status(), 200);
}

#[test]
fn request_limit_counts_only_authenticated_api_requests() {
    let sandbox = sandbox_with(Quirks::new().requests_per_minute(1));
    for _ in 0..3 {
        assert_eq!(sandbox.respond(&request_without_key(Method::GET, "/api/v1/charges")).status(), 401);
        assert_eq!(sandbox.respond(&request_without_key(Method::OPTIONS, "/api/v1/charges")).status(), 200);
        assert_eq!(sandbox.respond(&request_without_key(Method::GET, "/sandbox/charges")).status(), 200);
    }
    assert_eq!(get(&sandbox, "charges").status(), 200);
    assert_eq!(get(&sandbox, "charges").status(), 429);
    assert_eq!(sandbox.respond(&request_without_key(Method::GET, "/sandbox/charges")).status(), 200);
}

#[test]
fn without_retry_after_omits_the_header() {
    let sandbox = sandbox_with(Quirks::new().requests_per_minute(0).without_retry_after());
    let refused = get(&sandbox, "charges");
    assert_eq!((refused.status().as_u16(), retry_after(&refused)), (429, None));
}

#[test]
fn extra_keys_are_added_to_every_api_object() {
    let sandbox = sandbox_with(Quirks::new().extra_keys());
    let extra = "\n  \"extra_null\" : null,\n  \"extra_list\" : [ true, -1.5, { } ],\n  \
        \"extra_object\" : { \"id\" : \"of nothing\", \"paid\" : \"maybe\" }\n}";
    let charge = post(&sandbox, FORM, ORDER);
    let list = get(&sandbox, "charges");
    for response in [
        &charge,
        &post(&sandbox, FORM, ""),
        &get(&sandbox, "charges/-1"),
        &sandbox.respond(&request_without_key(Method::GET, "/api/v1/charges")),
    ] {
        assert!(text(response).ends_with(extra), "{}", text(response));
    }
    assert_eq!(text(&list), format!("[ {} ]", text(&charge)));
    // strike-core ignores the extra keys, and the known keys are unchanged.
    let charge: Charge = serde_json::from_slice(charge.body()).expect("a valid charge");
    let order = NewCharge::satoshis(1, "x");
    charge
        .check(&Expectation::of(&order, Network::Testnet), charge.created())
        .expect("the charge matches the order");
    let mut rows = json_body(&list);
    let row = rows[0].as_object_mut().expect("a valid charge");
    row.retain(|key, _| !key.starts_with("extra_"));
    assert_eq!(rows[0], create(&crate::support::sandbox(), FORM, ORDER));
    // The control API gets no extra keys.
    let control = sandbox.respond(&request_without_key(Method::GET, "/sandbox/charges"));
    assert!(!text(&control).contains("extra"), "{}", text(&control));
    assert_eq!(error(&sandbox.respond(&request_without_key(Method::GET, "/sandbox/x"))).0, 404);
}

#[test]
fn every_nth_create_can_fail_before_or_after_it_is_stored() {
    let outcome = |quirks: Quirks| {
        let sandbox = sandbox_with(quirks);
        (0..7)
            .map(|_| {
                // Rejected creates do not count.
                assert_eq!(post(&sandbox, FORM, "amount=0&currency=btc").status(), 400);
                let before = sandbox.charges();
                let response = post(&sandbox, FORM, ORDER);
                if response.status() != 200 {
                    assert_eq!(error(&response), (500, "internal API error".to_owned()));
                }
                (response.status().as_u16(), sandbox.charges() - before)
            })
            .collect::<Vec<_>>()
    };
    let (created, failed_before, failed_after) = ((200, 1), (500, 0), (500, 1));
    assert_eq!(outcome(Quirks::new()), [created; 7]);
    assert_eq!(
        outcome(Quirks::new().fail_before_create(3)),
        [created, created, failed_before, created, created, failed_before, created]
    );
    assert_eq!(
        outcome(Quirks::new().fail_after_create(2)),
        [created, failed_after, created, failed_after, created, failed_after, created]
    );
    let both = Quirks::new().fail_after_create(2).fail_before_create(3);
    assert_eq!(
        outcome(both),
        [created, failed_after, failed_before, failed_after, created, failed_before, created]
    );
    assert_eq!(outcome(Quirks::new().fail_before_create(1)), [failed_before; 7]);
    assert_eq!(outcome(Quirks::new().fail_before_create(0).fail_after_create(0)), [created; 7]);
}

#[test]
fn create_that_fails_after_storing_can_be_found_and_paid() {
    let sandbox = sandbox_with(Quirks::new().fail_after_create(1));
    assert_eq!(post(&sandbox, FORM, ORDER).status(), StatusCode::INTERNAL_SERVER_ERROR);
    let found = id(&json_body(&get(&sandbox, "charges"))[0]);
    assert!(sandbox.pay(&found).is_ok());
    // Creates through the control API do not fail.
    let mut own = request(Method::POST, "charges", FORM, ORDER.as_bytes());
    *own.uri_mut() = "http://127.0.0.1/sandbox/charges".parse().expect("a valid URL");
    assert_eq!(sandbox.respond(&own).status(), 200);
}

#[test]
fn empty_quirks_change_nothing() {
    let play = |sandbox: &Sandbox| [create(sandbox, FORM, ORDER), json_body(&get(sandbox, "charges"))];
    assert_eq!(play(&sandbox_with(Quirks::new())), play(&sandbox()));
    assert_eq!(Quirks::new(), Quirks::default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_any_size_and_cap_cover_all_charges(
        count in 0_usize..24, size in 1_usize..12, cap in 1_usize..12,
    ) {
        let sandbox = sandbox_with(Quirks::new().largest_page(cap));
        let mut expected: Vec<_> = (0..count).map(|_| any_charge(&sandbox)).collect();
        expected.reverse();
        let mut seen = Vec::new();
        for page in 0.. {
            let rows = json_body(&get(&sandbox, &format!("charges?page={page}&size={size}")));
            let rows = rows.as_array().expect("a list");
            prop_assert!(rows.len() <= size.min(cap));
            if rows.is_empty() {
                break;
            }
            seen.extend(rows.iter().map(id));
        }
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn request_limit_and_retry_after_hold_for_any_timing(
        allowed in 0_u32..6,
        pauses in prop::collection::vec(0_u64..70_000, 1..40),
    ) {
        let sandbox = sandbox_with(Quirks::new().requests_per_minute(allowed));
        let (mut begin, mut used) = (None, 0);
        for pause in pauses {
            sandbox.advance(Duration::from_millis(pause));
            let now = sandbox.now().as_millis();
            if begin.is_none_or(|begin| now >= begin + 60_000) {
                (begin, used) = (Some(now), 0);
            }
            let response = get(&sandbox, "charges");
            if used < allowed {
                prop_assert_eq!(response.status(), 200);
                used += 1;
                continue;
            }
            prop_assert_eq!(response.status(), 429);
            let wait: u64 = retry_after(&response).expect("a current time").parse().expect("a number of seconds");
            prop_assert!((1..=60).contains(&wait));
            let over = begin.expect("a started minute") + 60_000;
            prop_assert!(now + wait * 1000 >= over && now + (wait - 1) * 1000 < over);
        }
    }
}
