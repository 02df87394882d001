//! Bodies and headers match the recorded ones byte for byte, with values of a fixed seed and clock.

use strike_core::http::Method;

use crate::support::{FORM, JSON, any_charge, get, id, json, post, request_without_key, sandbox, text};

const CHARGE: &str = r#"{
  "id" : "ID",
  "object" : "charge",
  "amount" : 42000,
  "currency" : "btc",
  "amount_satoshi" : 42000,
  "payment_hash" : "HASH",
  "payment_request" : "INVOICE",
  "description" : "1%20Blockaccino",
  "customer_id" : "order-17",
  "paid" : false,
  "created" : 1542221803505,
  "updated" : 1542221803505
}"#;

const BODY: &str =
    r#"{"amount":42000,"currency":"btc","description":"1%20Blockaccino","customer_id":"order-17"}"#;

#[test]
fn charge_body_matches_the_recording() {
    let sandbox = sandbox();
    let created = post(&sandbox, JSON, BODY);
    let fields = json(&created);
    let value = |name: &str| fields[name].as_str().expect("text").to_owned();
    let expected = CHARGE
        .replace("ID", &value("id"))
        .replace("HASH", &value("payment_hash"))
        .replace("INVOICE", &value("payment_request"));
    assert_eq!(text(&created), expected);
    assert_eq!(get(&sandbox, &format!("charges/{}", value("id"))).body(), created.body());

    let hash = value("payment_hash");
    assert!(hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{hash}");
    assert!(value("payment_request").starts_with("lntb420u1p"));
}

#[test]
fn same_seed_and_clock_give_the_same_charges() {
    let history = || {
        let sandbox = sandbox();
        // A rejected request uses no random values.
        post(&sandbox, JSON, "{}");
        [post(&sandbox, JSON, BODY), post(&sandbox, JSON, BODY)].map(|it| text(&it).to_owned())
    };
    let [first, second] = history();
    assert_eq!(history(), [first.clone(), second.clone()]);
    assert_ne!(first, second);

    let sandbox = sandbox();
    assert_eq!(text(&post(&sandbox, JSON, BODY)), first);
    assert_eq!(sandbox.payee(), "039ae230f8bb6186ade3f1e68fdefda32201aca2bd4160eb09d805ea0718d36df9");
    assert_eq!(id(&json(&get(&sandbox, "charges"))[0]).as_str(), "ch_6qtacW7HThNgTomPCURqznrzjvJJH");
}

/// 92 of 94 recorded ids start with one of these characters.
#[test]
fn most_ids_start_with_a_digit_or_a_letter_up_to_r() {
    let sandbox = sandbox();
    let ids: Vec<_> = (0..2000).map(|_| any_charge(&sandbox)).collect();
    let first = |id: &strike_core::ChargeId| id.as_str().as_bytes()[3];
    let low = ids.iter().filter(|id| matches!(first(id), b'1'..=b'9' | b'A'..=b'R')).count();
    assert!((1920..=1990).contains(&low), "{low} of 2000");
    let seen: std::collections::BTreeSet<u8> = ids.iter().map(first).collect();
    assert!((b'1'..=b'9').chain(b'A'..=b'R').filter(|c| !b"IO".contains(c)).all(|c| seen.contains(&c)));
}

#[test]
fn customer_id_is_omitted_if_not_sent() {
    let created = post(&sandbox(), FORM, "amount=1&currency=btc&description=");
    let around = "\n  \"description\" : \"\",\n  \"paid\" : false,\n";
    assert!(text(&created).contains(around), "{}", text(&created));
}

#[test]
fn list_body_is_an_array_of_charges() {
    let sandbox = sandbox();
    assert_eq!(text(&get(&sandbox, "charges")), "[ ]");
    let charge = |id| text(&get(&sandbox, &format!("charges/{id}"))).to_owned();
    let first = charge(any_charge(&sandbox));
    assert_eq!(text(&get(&sandbox, "charges")), format!("[ {first} ]"));
    let second = charge(any_charge(&sandbox));
    assert_eq!(text(&get(&sandbox, "charges")), format!("[ {second}, {first} ]"));
}

#[test]
fn error_bodies_match_the_recording() {
    let sandbox = sandbox();
    let amount = post(&sandbox, JSON, r#"{"amount":"blah","currency":17}"#);
    assert_eq!(
        (amount.status().as_u16(), text(&amount)),
        (
            400,
            "{\n  \"code\" : 400,\n  \"message\" : \"No usable value for amount\\nDo not know how to convert \
             JString(blah) into long\"\n}"
        )
    );
    let null = post(&sandbox, JSON, r#"{"amount":null,"currency":"btc"}"#);
    assert_eq!(
        (null.status().as_u16(), text(&null)),
        (
            400,
            "{\n  \"code\" : 400,\n  \"message\" : \"No usable value for amount\\nNull invalid value for a \
             sub-type of AnyVal\"\n}"
        )
    );
    let unknown = get(&sandbox, "charges/-1");
    assert_eq!(
        (unknown.status().as_u16(), text(&unknown)),
        (404, "{\n  \"code\" : 404,\n  \"message\" : \"not found\"\n}")
    );
    let unauthorized = sandbox.respond(&request_without_key(Method::GET, "/api/v1/charges"));
    assert_eq!(
        (unauthorized.status().as_u16(), text(&unauthorized)),
        (401, "{\n  \"code\" : 401,\n  \"message\" : \"authentication failed\"\n}")
    );
}

#[test]
fn headers_match_the_recording_on_success_and_error() {
    let sandbox = sandbox();
    let headers = |length: usize| {
        format!(
            "access-control-allow-headers: Content-Type, Authorization, X-XSRF-TOKEN\n\
             access-control-allow-headers: x-requested-with\n\
             access-control-allow-methods: GET, POST, OPTIONS\naccess-control-allow-origin: *\n\
             cache-control: public, no-store, max-age=0\ncontent-type: application/json\n\
             date: Wed, 14 Nov 2018 18:56:43 GMT\nserver: nginx/1.12.1\n\
             content-length: {length}\nconnection: keep-alive\n"
        )
    };
    for response in [
        post(&sandbox, JSON, BODY),
        get(&sandbox, "charges"),
        post(&sandbox, JSON, "{}"),
        get(&sandbox, "charges/-1"),
        sandbox.respond(&request_without_key(Method::GET, "/api/v1/charges")),
    ] {
        let lines = response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", value.to_str().expect("text")));
        assert_eq!(lines.collect::<String>(), headers(response.body().len()));
    }
}
