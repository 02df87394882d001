//! Property tests: arbitrary requests to phoenixd's routes get a valid response.

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use strike_core::http::{HeaderValue, Method, Request};

use super::{request_as, sandbox};

const POSTS: [&str; 14] = [
    "createinvoice",
    "decodeinvoice",
    "createoffer",
    "decodeoffer",
    "lnurlwithdraw",
    "export",
    "payinvoice",
    "payoffer",
    "paylnaddress",
    "lnurlpay",
    "lnurlauth",
    "sendtoaddress",
    "bumpfee",
    "closechannel",
];

/// Generates forms from fragments of valid ones and random bytes.
fn almost_valid_form() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "amountSat=1",
            "&",
            "=",
            "-9223372036854775808",
            "&amountSat=9223372036854775807",
            "&description=",
            "&description=tea",
            "&descriptionHash=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
            "&expirySeconds=",
            "&expirySeconds=3153600000",
            "&externalId=",
            "&webhookUrl=http%3A%2F%2F127.0.0.1%3A1%2F",
            "&webhookUrl=%ff",
            "&invoice=lntb1",
            "&offer=lno1",
            "&address=a%40b",
            "&feerateSatByte=1",
            "%",
            "%ff",
            "\u{1f4a9}",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        any::<Vec<u8>>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_form_gets_a_valid_phoenixd_response(
        path in prop::sample::select(POSTS.to_vec()),
        form in almost_valid_form(),
        content_type in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
    ) {
        let sandbox = sandbox();
        let mut request = request_as(":full", Method::POST, &format!("/{path}"), "");
        *request.body_mut() = form;
        if let Some(Ok(value)) = content_type.map(|bytes| HeaderValue::from_bytes(&bytes)) {
            request.headers_mut().insert("content-type", value);
        }
        let response = sandbox.respond(&request);
        let status = response.status().as_u16();
        prop_assert!([200, 400, 415, 500].contains(&status), "{}", status);
        let is_text = std::str::from_utf8(response.body()).is_ok();
        prop_assert!(is_text);
        if path == "createinvoice" && status == 200 {
            prop_assert_eq!(sandbox.charges(), 1);
            // The new invoice can be listed and paid by every route.
            let list = sandbox.respond(&request_as(":full", Method::GET, "/payments/incoming?all=true", ""));
            let rows: serde_json::Value = serde_json::from_slice(list.body()).expect("JSON");
            prop_assert_eq!(rows.as_array().map(Vec::len), Some(1));
        }
    }

    #[test]
    fn any_phoenixd_target_and_method_get_a_valid_response(
        path in "(/|payments|incoming|outgoing|outgoingbyhash|getinfo|createinvoice|websocket|[0-9a-f]{64}|[!-~]){0,8}",
        query in "([?&=]|from|to|limit|offset|all|externalId|true|[!-~]|-?[0-9]{1,30}){0,10}",
        method in "[A-Z]{1,8}|GET|POST|HEAD",
        credentials in "(:limited|:full|[ -~]{0,20})",
    ) {
        let sandbox = sandbox();
        let Ok(uri) = format!("http://127.0.0.1/{path}?{query}").parse() else { return Ok(()) };
        let Ok(method) = Method::from_bytes(method.as_bytes()) else { return Ok(()) };
        let mut request = request_as(&credentials, Method::GET, "/", "");
        *request.uri_mut() = uri;
        *request.method_mut() = method;
        let status = sandbox.respond(&request).status().as_u16();
        prop_assert!([200, 400, 401, 404, 405, 426, 500].contains(&status), "{}", status);
    }
}

#[test]
fn credentials_that_are_not_text_are_rejected() {
    let mut request = Request::get("http://127.0.0.1/getinfo").body(Vec::new()).expect("a request");
    for value in [&b"Basic \xff\xfe"[..], b"Basic Og==", b"Basic //79", b"Basic"] {
        request.headers_mut().insert("authorization", HeaderValue::from_bytes(value).expect("a header"));
        assert_eq!(sandbox().respond(&request).status(), 401);
    }
}
