//! Property tests: arbitrary requests get a valid response, and arbitrary text is preserved.

use lightning_invoice::{Bolt11Invoice, Bolt11InvoiceDescriptionRef};
use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use strike_core::http::{HeaderValue, Method, Request};

use crate::support::{FORM, JSON, create, get, id, json, sandbox, text};

/// Generates bodies from fragments of valid requests and random bytes.
fn almost_valid_body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "amount",
            "currency",
            "btc",
            "=",
            "&",
            "?",
            "{",
            "}",
            "\"",
            ":",
            ",",
            "1",
            "0",
            "-",
            "1e999",
            "null",
            "[",
            "]",
            "description",
            "%",
            "%2",
            "%ff",
            "+",
            "customer_id",
            "expiry_sec",
            "&amount=1&currency=btc&",
            "{\"amount\":1,\"currency\":\"btc\"",
            "\\u0000",
            "\\ud800",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        any::<Vec<u8>>(),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

/// Generates content types, as bytes because header values are not always UTF-8.
fn content_type() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => prop::sample::select(vec![FORM, JSON]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_gets_a_charge_or_a_400(body in almost_valid_body(), content_type in content_type()) {
        let sandbox = sandbox();
        let mut request = crate::support::request(Method::POST, "charges", FORM, &body);
        if let Ok(value) = HeaderValue::from_bytes(&content_type) {
            request.headers_mut().insert("content-type", value);
        }
        let response = sandbox.respond(&request);
        let body = json(&response);
        match response.status().as_u16() {
            200 => prop_assert_eq!(&body["object"], "charge"),
            400 => prop_assert_eq!(&body["code"], 400),
            other => prop_assert!(false, "{}", other),
        }
        prop_assert_eq!(sandbox.charges() == 1, response.status() == 200);
    }

    #[test]
    fn any_target_and_method_get_a_valid_response(
        path in "(/|sandbox|api|v1|charges|pay|ch_x|[!-~]){0,12}",
        query in "([?&=]|page|size|[!-~]|[0-9]{1,30}){0,8}",
        method in "[A-Z]{1,8}|GET|POST|OPTIONS",
        key in any::<bool>(),
    ) {
        let Ok(mut request) = Request::builder()
            .method(method.as_bytes())
            .uri(format!("http://127.0.0.1/{path}{query}"))
            .body(Vec::new())
        else {
            return Ok(());
        };
        if key {
            request.headers_mut().insert("authorization", HeaderValue::from_static("Basic c2tfZGVtbzo="));
        }
        let response = sandbox().respond(&request);
        prop_assert!([200, 400, 401, 404, 405].contains(&response.status().as_u16()));
        let is_text = std::str::from_utf8(response.body()).is_ok();
        prop_assert!(is_text);
    }

    #[test]
    fn any_description_survives_form_json_and_invoice(
        description in prop::collection::vec(any::<char>(), 0..=256)
            .prop_map(String::from_iter)
            .prop_filter("within the limits", |it| it.encode_utf16().count() <= 256 && it.len() <= 639),
        customer_id in "\\PC{1,32}",
    ) {
        let sandbox = sandbox();
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("amount", "1")
            .append_pair("currency", "btc")
            .append_pair("description", &description)
            .append_pair("customer_id", &customer_id)
            .finish();
        let fields = serde_json::json!({
            "amount": 1, "currency": "btc", "description": description, "customer_id": customer_id,
        });
        for charge in [create(&sandbox, FORM, &form), create(&sandbox, JSON, &fields.to_string())] {
            prop_assert_eq!(charge["description"].as_str(), Some(description.as_str()));
            prop_assert_eq!(charge["customer_id"].as_str(), Some(customer_id.as_str()));
            let invoice: Bolt11Invoice = charge["payment_request"].as_str().expect("text").parse().expect("a valid invoice");
            let Bolt11InvoiceDescriptionRef::Direct(described) = invoice.description() else { panic!("a text") };
            // `Display` escapes control characters, so compare the inner text.
            prop_assert_eq!(&described.as_inner().0, &description);
            prop_assert_eq!(json(&get(&sandbox, &format!("charges/{}", id(&charge)))), charge);
        }
        // Line breaks in a description are escaped, so only the layout adds lines.
        prop_assert_eq!(text(&get(&sandbox, "charges")).lines().count(), 2 * 14 - 1);
    }
}
