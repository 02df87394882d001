//! Fault plans in memory: JSON format, rule matching, stored charges and transport errors.

use std::time::Duration;

use proptest::prelude::*;
use strike_core::http::{Method, Response, StatusCode};
use strike_core::{Delivery, Exchange, HttpRequest, Reply, TransportErrorKind, UnixMillis};
use strike_sandbox::faults::{After, Fault, Match, Plan};
use strike_sandbox::{Quirks, Sandbox};

use crate::support::{self, FORM, request_without_key};

const SECOND: Duration = Duration::from_secs(1);

fn sandbox(plan: Plan) -> Sandbox {
    Sandbox::builder().api_key("sk_demo").seed(7).faults(plan).build()
}

fn create() -> HttpRequest {
    support::request(Method::POST, "charges", FORM, b"amount=42&currency=btc&description=x")
}

fn list() -> HttpRequest {
    support::request(Method::GET, "charges", FORM, b"")
}

fn send(sandbox: &Sandbox, request: HttpRequest) -> Reply {
    sandbox.reply(Exchange::new(request, SECOND, 1 << 20))
}

/// Returns the status of a response or the kind of a transport error.
fn outcome(reply: Reply) -> Result<u16, TransportErrorKind> {
    reply.map(|response| response.status().as_u16()).map_err(|error| {
        assert_eq!(error.delivery(), Delivery::MaybeSent);
        error.kind()
    })
}

/// Returns how often each rule matched and fired.
fn counts(sandbox: &Sandbox) -> Vec<(u64, u64)> {
    sandbox.faults().iter().map(|rule| (rule.matched(), rule.fired())).collect()
}

/// Returns every fault, and whether it processes the request by default.
fn all_faults() -> Vec<(Fault, bool)> {
    vec![
        (Fault::refuse(), false),
        (Fault::close(), true),
        (Fault::cut(After::Bytes(9)), true),
        (Fault::cut(After::BodyBytes(9)), true),
        (Fault::stall(After::Bytes(0)), true),
        (Fault::stall(After::BodyBytes(3)), true),
        (Fault::drip(Duration::from_micros(10)), true),
        (Fault::drip(SECOND), true),
        (Fault::wrong_length(5), true),
        (Fault::wrong_length(-5), true),
        (Fault::garbage(), true),
        (Fault::status(StatusCode::BAD_GATEWAY), false),
        (Fault::answer(Response::new(b"{}".to_vec())), false),
        (Fault::latency(Duration::ZERO, SECOND), true),
    ]
}

#[test]
fn processed_overrides_the_default_of_each_fault() {
    for (fault, stored) in all_faults() {
        for processed in [None, Some(true), Some(false)] {
            let fault = processed.map_or(fault.clone(), |processed| fault.clone().processed(processed));
            let sandbox = sandbox(Plan::new().on(Match::create().first(1), fault.clone()));
            let _ = send(&sandbox, create());
            let stored = usize::from(processed.unwrap_or(stored));
            assert_eq!(sandbox.charges(), stored, "{fault:?}");
            assert_eq!(outcome(send(&sandbox, create())), Ok(200));
            assert_eq!((sandbox.charges(), sandbox.requests()), (stored + 1, 2), "{fault:?}");
        }
    }
}

#[test]
fn unprocessed_create_returns_a_charge_that_is_not_stored() {
    let latency = Fault::latency(Duration::ZERO, Duration::ZERO).processed(false);
    let sandbox = sandbox(Plan::new().on(Match::create().first(1), latency));
    let response = send(&sandbox, create()).expect("a response");
    let charge: serde_json::Value = serde_json::from_slice(response.body()).expect("a valid charge");
    let path = format!("charges/{}", support::id(&charge));
    assert_eq!(outcome(send(&sandbox, support::request(Method::GET, &path, FORM, b""))), Ok(404));
}

#[test]
fn in_memory_faults_map_to_transport_errors() {
    use TransportErrorKind::{Closed, Cut, Protocol, Timeout};
    let whole = |sandbox: &Sandbox| sandbox.respond(&list()).body().len();
    for (fault, expected) in [
        (Fault::refuse(), Err(Closed)),
        (Fault::close(), Err(Closed)),
        (Fault::cut(After::Bytes(0)), Err(Closed)),
        (Fault::cut(After::Bytes(9)), Err(Closed)),
        (Fault::cut(After::BodyBytes(0)), Err(Cut)),
        (Fault::cut(After::BodyBytes(2)), Err(Cut)),
        (Fault::cut(After::BodyBytes(3)), Ok(200)),
        (Fault::stall(After::Bytes(0)), Err(Timeout)),
        (Fault::stall(After::BodyBytes(2)), Err(Timeout)),
        (Fault::stall(After::BodyBytes(3)), Ok(200)),
        (Fault::drip(Duration::from_micros(10)), Ok(200)),
        (Fault::drip(Duration::from_millis(50)), Err(Timeout)),
        (Fault::wrong_length(1), Err(Cut)),
        (Fault::wrong_length(-1), Ok(200)),
        (Fault::garbage(), Err(Protocol)),
        (Fault::status(StatusCode::CONFLICT), Ok(409)),
        (Fault::status(StatusCode::CONTINUE), Ok(500)),
        (Fault::latency(Duration::from_millis(999), Duration::ZERO), Ok(200)),
        (Fault::latency(SECOND, Duration::ZERO), Err(Timeout)),
    ] {
        let sandbox = sandbox(Plan::new().on(Match::list(), fault.clone()));
        assert_eq!(whole(&sandbox), 3);
        assert_eq!(outcome(send(&sandbox, list())), expected, "{fault:?}");
    }
    // A stall that is shorter than the client's timeout ends with a close.
    let sandbox = sandbox(Plan::new().on(Match::list(), Fault::stall(After::Bytes(0))));
    let exchange = Exchange::new(list(), 301 * SECOND, 1 << 20);
    assert_eq!(outcome(sandbox.reply(exchange)), Err(Closed));
}

#[test]
fn in_memory_body_is_truncated_at_the_exchange_limit() {
    let long = Response::new(b"0123456789".to_vec());
    let plan = Plan::new()
        .on(Match::any().nth(1), Fault::answer(long))
        // A client that reaches its body limit first does not see the truncation.
        .on(Match::any().nth(2), Fault::wrong_length(1000))
        .on(Match::any().nth(3), Fault::wrong_length(-1));
    let sandbox = sandbox(plan);
    let send = |max_body| sandbox.reply(Exchange::new(list(), SECOND, max_body));
    let body = |max_body| send(max_body).expect("a response").into_body();
    assert_eq!([body(4), body(1), body(9)], [&b"01234"[..], b"[ ", b"[ "]);
}

#[test]
fn unprocessed_requests_do_not_count_for_quirks() {
    let quirks = || Quirks::new().requests_per_minute(2).fail_before_create(2);
    let down = Fault::status(StatusCode::SERVICE_UNAVAILABLE);
    for (processed, expected) in
        [(false, [503, 503, 503, 200, 500, 429]), (true, [503, 503, 503, 429, 429, 429])]
    {
        let plan = Plan::new().on(Match::create().first(3), down.clone().processed(processed));
        let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).quirks(quirks()).faults(plan).build();
        let statuses = expected.map(|_| send(&sandbox, create()).map(|response| response.status().as_u16()));
        assert_eq!(statuses.map(Result::ok), expected.map(Some), "processed: {processed}");
    }
}

#[test]
fn wrong_length_fault_applies_to_head_requests() {
    let head = || support::request(Method::HEAD, "charges", FORM, b"");
    let sandbox = sandbox(Plan::new().on(Match::any().nth(2), Fault::wrong_length(10)));
    let [right, wrong] = [head(), head()].map(|request| {
        let response = send(&sandbox, request).expect("a response");
        response.headers()["content-length"].to_str().expect("text").parse::<usize>().expect("a number")
    });
    assert_eq!(wrong, right + 10);
}

#[test]
fn answer_fault_replaces_the_whole_response() {
    let response = Response::builder().status(404).header("X-Two", "a").header("x-two", "b");
    let response = response.header("Content-Length", "7").header("Transfer-Encoding", "chunked");
    let sandbox =
        sandbox(Plan::new().on(Match::any(), Fault::answer(response.body(b"none".to_vec()).expect("one"))));
    let received = send(&sandbox, list()).expect("a response");
    let headers: Vec<_> =
        received.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    assert_eq!(headers, [("x-two", &b"a"[..]), ("x-two", b"b"), ("content-length", b"4")]);
    assert_eq!((received.status().as_u16(), &received.body()[..]), (404, &b"none"[..]));
}

#[test]
fn first_due_rule_fires_and_every_match_is_counted() {
    let plan = Plan::new()
        .on(Match::create().every(2), Fault::status(StatusCode::BAD_GATEWAY))
        .on(Match::any().nth(4), Fault::status(StatusCode::CONFLICT))
        .on(Match::any().method(Method::POST).path("/api/**"), Fault::status(StatusCode::IM_A_TEAPOT));
    let sandbox = sandbox(plan);
    let seen: Vec<_> = (0..5).map(|_| outcome(send(&sandbox, create()))).collect();
    assert_eq!(seen, [Ok(418), Ok(502), Ok(418), Ok(502), Ok(418)]);
    assert_eq!(outcome(send(&sandbox, support::request(Method::GET, "charges?page=0", FORM, b""))), Ok(200));
    assert_eq!(counts(&sandbox), [(5, 2), (6, 0), (5, 3)]);
}

#[test]
fn faults_never_apply_to_the_control_api() {
    let plan = Plan::new()
        .on(Match::any().path("/**"), Fault::close())
        .on(Match::any().path("/sandbox/**"), Fault::close());
    let sandbox = sandbox(plan);
    assert_eq!(outcome(send(&sandbox, request_without_key(Method::GET, "/sandbox/faults"))), Ok(200));
    let page = if cfg!(feature = "dashboard") { 200 } else { 404 };
    assert_eq!(outcome(send(&sandbox, request_without_key(Method::GET, "/"))), Ok(page));
    assert_eq!(outcome(send(&sandbox, list())), Err(TransportErrorKind::Closed));
    // `respond` bypasses the faults.
    assert_eq!(sandbox.respond(&create()).status(), 200);
    assert_eq!(counts(&sandbox), [(1, 1), (0, 0)]);
}

#[test]
fn chance_faults_are_reproducible_and_do_not_change_charges() {
    let history = |seed: u64, plan: Plan| {
        let sandbox = Sandbox::builder().api_key("sk_demo").seed(seed).faults(plan).build();
        let failed: Vec<_> = (0..64).map(|_| send(&sandbox, list()).is_err()).collect();
        (failed, sandbox.respond(&create()).into_body())
    };
    let plan = || Plan::new().on(Match::list().chance(0.5), Fault::close());
    let (failed, charge) = history(7, plan());
    assert_eq!(failed, history(7, plan()).0);
    assert_ne!(failed, history(8, plan()).0);
    let failures = failed.iter().filter(|failed| **failed).count();
    assert!((16..=48).contains(&failures), "{failures} of 64");
    let id = |charge: &[u8]| serde_json::from_slice::<serde_json::Value>(charge).expect("JSON")["id"].clone();
    assert_eq!(id(&charge), id(&history(7, Plan::new()).1));
}

#[test]
fn fault_plan_can_be_managed_over_http() {
    let sandbox = Sandbox::builder().api_key("sk_demo").build();
    let faults_route = |method: Method, body: &str| {
        let mut request = request_without_key(method, "/sandbox/faults");
        *request.body_mut() = body.as_bytes().to_vec();
        let response = send(&sandbox, request).expect("a response");
        (response.status().as_u16(), String::from_utf8(response.into_body()).expect("UTF-8"))
    };
    assert_eq!(faults_route(Method::GET, ""), (200, "{\n  \"faults\": []\n}".to_owned()));
    let plan = r#"{"faults": [{"method": "POST", "when": {"nth": 2}, "fault": {"status": 503}}]}"#;
    assert_eq!(faults_route(Method::POST, plan).0, 200);
    assert_eq!([outcome(send(&sandbox, create())), outcome(send(&sandbox, create()))], [Ok(200), Ok(503)]);
    let (_, rules) = faults_route(Method::GET, "");
    let rules: serde_json::Value = serde_json::from_str(&rules).expect("JSON");
    let rule = serde_json::json!({
        "method": "POST", "path": "/**", "when": {"nth": 2}, "fault": {"status": 503}, "matched": 2, "fired": 1
    });
    assert_eq!(rules, serde_json::json!({ "faults": [rule] }));

    // Invalid plans change nothing.
    let (status, message) =
        faults_route(Method::POST, r#"{"faults": [{"fault": "close"}, {"fault": "explode"}]}"#);
    assert_eq!((status, sandbox.faults().len()), (400, 1));
    assert!(message.contains("faults[1].fault") && message.contains("column"), "{message}");
    let thousand = format!("{{\"faults\": [{}]}}", vec![r#"{"fault":"close"}"#; 1000].join(","));
    assert_eq!((faults_route(Method::POST, &thousand).0, sandbox.faults().len()), (400, 1));
    assert_eq!(faults_route(Method::PUT, "").0, 405);

    assert_eq!(faults_route(Method::DELETE, "").0, 200);
    assert_eq!((faults_route(Method::POST, &thousand).0, sandbox.faults().len()), (200, 1000));
    let mut foreign = request_without_key(Method::DELETE, "/sandbox/faults");
    foreign.headers_mut().insert("origin", "http://evil.example".parse().expect("a header"));
    assert_eq!(outcome(send(&sandbox, foreign)), Ok(403));
}

#[test]
fn plan_error_names_the_field_and_position() {
    let rule = |rule: &str| format!("{{\"faults\": [\n{rule}\n]}}");
    for (text, field, part) in [
        (String::new(), "", "EOF"),
        ("[]".to_owned(), "", "an object with the field"),
        ("{}".to_owned(), "", "missing field `faults`"),
        ("{\"faults\": [], \"faults\": []}".to_owned(), "", "duplicate field `faults`"),
        ("{\"faults\": []} x".to_owned(), "", "trailing"),
        ("{\"rules\": []}".to_owned(), "rules", "unknown field"),
        (rule("{}"), "faults[0]", "missing field `fault`"),
        (rule(r#"{"fault": "close", "paht": "/api/**"}"#), "faults[0].paht", "unknown field `paht`"),
        (rule(r#"{"fault": "explode"}"#), "faults[0].fault", "unknown variant `explode`"),
        (rule(r#"{"fault": {"close": {}}}"#), "faults[0].fault.close", "map"),
        (rule(r#"{"fault": "drip"}"#), "faults[0].fault.drip", "struct variant"),
        (rule(r#"{"fault": {"drip": {}}}"#), "faults[0].fault.drip", "every_ms"),
        (rule(r#"{"fault": {"drip": {"every_ms": 1, "x": 1}}}"#), "faults[0].fault.drip.x", "unknown field"),
        (rule(r#"{"fault": {"drip": {"every_ms": 300001}}}"#), "faults[0].fault.drip.every_ms", "300000"),
        (rule(r#"{"fault": {"drip": {"every_ms": -1}}}"#), "faults[0].fault.drip.every_ms", "-1"),
        (rule(r#"{"fault": {"cut": 3}}"#), "faults[0].fault.cut", "expected value"),
        (rule(r#"{"fault": {"cut": {"bytes": 1.5}}}"#), "faults[0].fault.cut.bytes", "1.5"),
        (rule(r#"{"fault": {"wrong_length": 0}}"#), "faults[0].fault.wrong_length", "must not be 0"),
        (rule(r#"{"fault": {"status": 199}}"#), "faults[0].fault.status", "from 200"),
        (rule(r#"{"fault": {"status": 65736}}"#), "faults[0].fault.status", "from 200"),
        (rule(r#"{"fault": {"answer": {"body": "x"}}}"#), "faults[0].fault.answer", "status"),
        (
            rule(r#"{"fault": {"answer": {"status": 200, "headers": {"a b": "c"}}}}"#),
            "faults[0].fault.answer.headers",
            "not a valid header name",
        ),
        (
            rule(r#"{"fault": {"answer": {"status": 200, "headers": {"Content-Length": "3"}}}}"#),
            "faults[0].fault.answer.headers",
            "Content-Length",
        ),
        (
            rule(r#"{"fault": {"answer": {"status": 200, "headers": {"x": "a\nb"}}}}"#),
            "faults[0].fault.answer.headers",
            "not a valid header value",
        ),
        (rule(r#"{"fault": "close", "method": "post"}"#), "faults[0].method", "capitals"),
        (rule(r#"{"fault": "close", "method": null}"#), "faults[0].method", "null"),
        (rule(r#"{"fault": "close", "processed": null}"#), "faults[0].processed", "null"),
        (
            rule(r#"{"fault": "close", "path": "/sandbox/faults"}"#),
            "faults[0].path",
            "only paths below /api/",
        ),
        (rule(r#"{"fault": "close", "path": "api/v1"}"#), "faults[0].path", "only paths below /api/"),
        (rule(r#"{"fault": "close", "path": "/api/**/charges"}"#), "faults[0].path", "last segment"),
        (rule(r#"{"fault": "close", "when": {"nth": 0}}"#), "faults[0].when.nth", "counted from 1"),
        (rule(r#"{"fault": "close", "when": {"chance": 1.01}}"#), "faults[0].when.chance", "from 0 to 1"),
        (rule(r#"{"fault": "close", "when": {"nth": 1, "first": 2}}"#), "faults[0].when", "expected"),
    ] {
        let error = Plan::from_json(&text).expect_err(&text);
        let message = error.to_string();
        assert_eq!(error.field(), field, "{text}: {message}");
        assert!(message.contains(part), "{text}: {message}");
        let line = if text.contains('\n') { 2..=3 } else { 1..=1 };
        assert!(line.contains(&error.line()), "{text}: {message}");
        assert!(
            message.ends_with(&format!("at line {} column {}", error.line(), error.column())),
            "{message}"
        );
    }
}

#[test]
fn documented_plans_are_valid_and_cover_every_fault() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sandbox-faults.md");
    let page = std::fs::read_to_string(page).expect("docs/sandbox-faults.md can be read");
    let examples: Vec<_> =
        page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let mut shown = String::new();
    for example in &examples {
        let plan = Plan::from_json(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        assert_eq!(Plan::from_json(&plan.to_json()).expect("the serialized plan is valid"), plan);
        shown.extend(plan.rules().iter().map(ToString::to_string));
    }
    for (fault, _) in all_faults() {
        let name = Plan::new().on(Match::any(), fault).to_json();
        let value: serde_json::Value = serde_json::from_str(&name).expect("JSON");
        let fault = &value["faults"][0]["fault"];
        let name = fault.as_str().or_else(|| fault.as_object()?.keys().next().map(String::as_str));
        let name = name.expect("a valid name");
        assert!(shown.contains(&format!("\"{name}\"")), "no example of {name}");
        assert!(page.contains(&format!("### {name}\n")), "no section on {name}");
    }
}

fn faults() -> impl Strategy<Value = Fault> {
    let after =
        || prop_oneof![any::<usize>().prop_map(After::Bytes), (0..2000_usize).prop_map(After::BodyBytes)];
    let time = || (0..=300_000_u64).prop_map(Duration::from_millis);
    let status = || (200..1000_u16).prop_map(|status| StatusCode::from_u16(status).expect("a valid status"));
    let response = (status(), "[ -~]{0,9}", "\\PC{0,9}").prop_map(|(status, value, body)| {
        let response = Response::builder().status(status).header("x-a", value.trim()).header("x-a", "b");
        Fault::answer(response.body(body.into_bytes()).expect("a response"))
    });
    prop_oneof![
        Just(Fault::refuse()),
        Just(Fault::close()),
        Just(Fault::garbage()),
        after().prop_map(Fault::cut),
        after().prop_map(Fault::stall),
        time().prop_map(Fault::drip),
        (1..i64::MAX).prop_map(Fault::wrong_length),
        (i64::MIN..0).prop_map(Fault::wrong_length),
        status().prop_map(Fault::status),
        response,
        (time(), time()).prop_map(|(time, jitter)| Fault::latency(time, jitter)),
    ]
}

fn rules() -> impl Strategy<Value = (Match, Fault)> {
    let on = prop_oneof![
        Just(Match::any()),
        (1..9_u64).prop_map(|n| Match::create().nth(n)),
        (1..9_u64).prop_map(|n| Match::get().every(n)),
        (1..9_u64).prop_map(|n| Match::list().first(n)),
        (0..=1024_u32)
            .prop_map(|n| f64::from(n) / 1024.0)
            .prop_map(|chance| Match::any().path("/api/*/charges").chance(chance)),
    ];
    (on, faults(), proptest::option::of(any::<bool>())).prop_map(|(on, fault, processed)| {
        (on, processed.map_or(fault.clone(), |processed| fault.processed(processed)))
    })
}

proptest! {
    #[test]
    fn plan_survives_a_json_round_trip(rules in proptest::collection::vec(rules(), 0..4)) {
        let plan = rules.into_iter().fold(Plan::new(), |plan, (on, fault)| plan.on(on, fault));
        prop_assert_eq!(Plan::from_json(&plan.to_json()).expect("the serialized plan is valid"), plan);
    }

    #[test]
    fn in_memory_faults_are_reproducible_and_take_no_time(fault in faults(), seed: u64) {
        let play = || {
            let plan = Plan::new().on(Match::any(), fault.clone());
            let sandbox = Sandbox::builder().api_key("sk_demo").seed(seed).faults(plan);
            let sandbox = sandbox.clock_at(UnixMillis::from_secs(1_542_221_803)).build();
            let reply = send(&sandbox, create());
            let received = reply.map(|response| (response.status(), response.headers().clone(), response.into_body()));
            (received.map_err(|error| (error.kind(), error.delivery())), sandbox.charges(), sandbox.now())
        };
        prop_assert_eq!(play(), play());
        prop_assert_eq!(play().2, UnixMillis::from_secs(1_542_221_803));
    }

    #[test]
    fn plan_parser_does_not_panic_on_any_text(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}") {
        let wrapped = format!("{{\"faults\": [{{\"fault\": {text}}}]}}");
        for text in [&text, &wrapped] {
            if let Err(error) = Plan::from_json(text) {
                prop_assert!(error.line() == 1, "{error}");
            }
        }
    }
}
