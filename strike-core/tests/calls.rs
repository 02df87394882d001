//! Tests which failures of a single call are retried, for reads and for creates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use http::Response;
use serde_json::json;
use strike_core::machine::{Call, Machine, Operation, Step};
use strike_core::{
    AttemptOutcome, ConnectionUse, CoreClient, Create, Delivery, Error, ErrorKind, Get, List, NewCharge, Now,
    Reply, RetryPolicy, Schedule, TransportErrorKind, UnixMillis,
};
use support::{Did, START, Virtual, charge_json, endpoint, no_response, ok, respond};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Leads {
    /// The first retry follows immediately, the second after a wait.
    AtOnce,
    /// Each retry follows after a wait.
    Backoff,
    Stop,
    Unknown,
}

fn get() -> Get {
    Get::new("ch_1".parse().unwrap())
}

fn create() -> Create {
    Create::new(NewCharge::satoshis(4200, "tea"))
}

fn call<Op: Operation>(op: Op) -> Call<Op> {
    CoreClient::new(endpoint(), RetryPolicy::default(), 1).call(op)
}

/// Runs a call against a server that always sends the same reply.
fn always<Op: Operation>(op: Op, reply: impl Fn() -> Reply) -> (Result<Op::Output, Error>, Virtual) {
    let mut world = Virtual::new();
    let result = world.run(&mut call(op), |_, _| reply());
    (result, world)
}

fn leads(error: &Error, world: &Virtual) -> Leads {
    let rests = world.log.iter().filter(|did| matches!(did, Did::Wait(_))).count();
    match (world.sends(), rests, error.kind() == &ErrorKind::OutcomeUnknown) {
        (3, 1, false) => Leads::AtOnce,
        (3, 2, false) => Leads::Backoff,
        (1, 0, false) => Leads::Stop,
        (1, 0, true) => Leads::Unknown,
        other => panic!("{other:?}: {error:?} {:?}", world.log),
    }
}

#[test]
fn each_failure_is_retried_or_returned_as_documented() {
    use Delivery::{MaybeSent, Unsent};
    use Leads::{AtOnce, Backoff, Stop, Unknown};
    use TransportErrorKind as Kind;
    type Row = (&'static str, Box<dyn Fn() -> Reply>, Leads, Leads);
    let mut rows: Vec<Row> = Vec::new();
    for (kind, delivery, reads, makes) in [
        (Kind::Closed, MaybeSent, AtOnce, Unknown),
        (Kind::Cut, MaybeSent, Backoff, Unknown),
        (Kind::Timeout, MaybeSent, Backoff, Unknown),
        (Kind::Protocol, MaybeSent, Backoff, Unknown),
        (Kind::Other, MaybeSent, Backoff, Unknown),
        (Kind::Lost, MaybeSent, Backoff, Unknown),
        (Kind::Tls, MaybeSent, Backoff, Unknown),
        (Kind::ConnectionRefused, Unsent, Backoff, Backoff),
        (Kind::Dns, Unsent, Backoff, Backoff),
        (Kind::Connect, Unsent, Backoff, Backoff),
        (Kind::Timeout, Unsent, Backoff, Backoff),
        (Kind::Closed, Unsent, Backoff, Backoff),
        (Kind::Tls, Unsent, Stop, Stop),
        (Kind::Setup, Unsent, Stop, Stop),
    ] {
        rows.push(("no response", Box::new(move || no_response(kind, delivery)), reads, makes));
    }
    for (status, reads, makes) in [
        (300, Stop, Unknown),
        (303, Stop, Unknown),
        (307, Stop, Unknown),
        (400, Stop, Stop),
        (401, Stop, Stop),
        (404, Stop, Stop),
        (408, Backoff, Unknown),
        (409, Stop, Stop),
        (425, Backoff, Unknown),
        (429, Backoff, Backoff),
        (500, Backoff, Unknown),
        (502, Backoff, Unknown),
        (599, Backoff, Unknown),
        (200, Stop, Unknown),
        (204, Stop, Unknown),
    ] {
        rows.push(("a status", Box::new(move || respond(status, format!("{status}"))), reads, makes));
    }
    rows.push(("500 as a charge", Box::new(|| respond(500, charge_json(&[]).to_string())), Backoff, Unknown));
    rows.push(("500 in disguise", Box::new(|| ok(&json!({"code": 500, "message": ""}))), Backoff, Unknown));
    rows.push(("400 in disguise", Box::new(|| ok(&json!({"code": 400, "message": ""}))), Stop, Stop));
    rows.push(("too large", Box::new(|| respond(200, vec![b' '; (1 << 20) + 1])), Stop, Unknown));
    rows.push((
        "another charge",
        Box::new(|| ok(&charge_json(&[("id", json!("no")), ("amount", json!(1))]))),
        Stop,
        Stop,
    ));
    for (name, reply, reads, makes) in rows {
        let (result, world) = always(get(), &reply);
        let error = result.unwrap_err();
        assert_eq!(leads(&error, &world), reads, "get: {name}: {error}");
        assert_eq!(error.attempts().len(), world.sends());
        let (result, world) = always(create(), &reply);
        let error = result.unwrap_err();
        assert_eq!(leads(&error, &world), makes, "create: {name}: {error}");
        assert_eq!(error.attempts().len(), world.sends());
    }
}

#[test]
fn unknown_outcome_has_the_transport_error_as_source() {
    let (result, _) = always(create(), || respond(503, r#"{"code":503,"message":"busy"}"#));
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.status()), (&ErrorKind::OutcomeUnknown, Some(503)));
    assert_eq!(error.api().unwrap().message(), "busy");
    let below = std::error::Error::source(&error).unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(below.kind(), &ErrorKind::Server);

    let (result, _) = always(create(), || no_response(TransportErrorKind::Timeout, Delivery::MaybeSent));
    let error = result.unwrap_err();
    let below = std::error::Error::source(&error).unwrap();
    let lowest = below.source().unwrap().downcast_ref::<strike_core::TransportError>().unwrap();
    assert_eq!(lowest.kind(), TransportErrorKind::Timeout);
}

#[test]
fn rejection_after_an_unsent_attempt_is_definite() {
    let mut world = Virtual::new();
    let mut replies =
        vec![respond(401, ""), no_response(TransportErrorKind::ConnectionRefused, Delivery::Unsent)];
    let error = world.run(&mut call(create()), |_, _| replies.pop().unwrap()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Unauthorized);
    let outcomes: Vec<_> = error.attempts().iter().map(|attempt| attempt.outcome()).collect();
    assert_eq!(
        outcomes,
        [
            AttemptOutcome::NoResponse(TransportErrorKind::ConnectionRefused, Delivery::Unsent),
            AttemptOutcome::Status(401)
        ]
    );
}

#[test]
fn call_succeeds_after_transient_failures() {
    let mut world = Virtual::new();
    let mut replies = vec![
        ok(&charge_json(&[])),
        respond(500, ""),
        no_response(TransportErrorKind::Closed, Delivery::MaybeSent),
    ];
    let charge = world.run(&mut call(get()), |_, _| replies.pop().unwrap()).unwrap();
    assert_eq!(charge.id().as_str(), "ch_1");
    assert_eq!(world.sends(), 3);
    assert_eq!(world.log[0], world.log[1], "the first retry has no delay");
    assert!(matches!(world.log[2], Did::Wait(wait) if wait <= Duration::from_millis(400)));
}

fn limited(retry_after: &str) -> Reply {
    Ok(Response::builder().status(429).header("retry-after", retry_after).body(Vec::new()).unwrap())
}

#[test]
fn retry_after_is_honored_up_to_the_policy_limit() {
    for (header, at_least) in [("0", 0), ("1", 1), ("60", 60), ("Tue, 14 Nov 2023 22:13:51 GMT", 30)] {
        let mut world = Virtual::new();
        let mut first = true;
        world
            .run(&mut call(create()), |_, _| {
                if std::mem::take(&mut first) { limited(header) } else { ok(&charge_json(&[])) }
            })
            .unwrap();
        let waited = world.waited();
        let at_least = Duration::from_secs(at_least);
        assert!((at_least..=at_least + Duration::from_millis(200)).contains(&waited), "{header}: {waited:?}");
    }
    for header in ["61", "18446744073709551615", "Tue, 14 Nov 2023 22:14:22 GMT"] {
        let (result, world) = always(create(), || limited(header));
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::RateLimited { retry_after: Some(_) }));
        assert_eq!((world.sends(), world.waited()), (1, Duration::ZERO), "{header}");
    }
}

#[test]
fn reads_honor_retry_after_on_server_errors() {
    for (status, header, at_least) in
        [(503, "7", 7000), (503, "0.5", 500), (500, "7", 7000), (502, "1.5", 1500)]
    {
        let busy =
            || Ok(Response::builder().status(status).header("retry-after", header).body(Vec::new()).unwrap());
        let mut world = Virtual::new();
        let mut first = true;
        world
            .run(
                &mut call(get()),
                |_, _| {
                    if std::mem::take(&mut first) { busy() } else { ok(&charge_json(&[])) }
                },
            )
            .unwrap();
        let least = Duration::from_millis(at_least);
        assert!((least..=least + Duration::from_millis(200)).contains(&world.waited()), "{status} {header}");
        // The server may have created a charge, so the create is not retried.
        let (result, world) = always(create(), busy);
        let error = result.unwrap_err();
        assert_eq!((error.kind(), world.sends()), (&ErrorKind::OutcomeUnknown, 1));
        assert_eq!(error.retry_after(), Some(strike_core::RetryAfter::In(least)));
    }
    let absurd =
        || Ok(Response::builder().status(503).header("retry-after", "3600").body(Vec::new()).unwrap());
    let (result, world) = always(get(), absurd);
    assert_eq!((result.unwrap_err().kind(), world.sends()), (&ErrorKind::Server, 1));
}

#[test]
fn retry_after_date_is_relative_to_the_server_clock() {
    // The local clock says 1970. The server asks for a delay of 30 s.
    let mut world = Virtual::new();
    world.now.unix = UnixMillis::from_millis(0);
    let mut first = true;
    world
        .run(&mut call(get()), |_, _| {
            if !std::mem::take(&mut first) {
                return ok(&charge_json(&[]));
            }
            let limited = Response::builder()
                .status(429)
                .header("date", "Tuesday, 14-Nov-23 22:13:21 GMT")
                .header("retry-after", "Tue Nov 14 22:13:51 2023");
            Ok(limited.body(Vec::new()).unwrap())
        })
        .unwrap();
    assert_eq!(world.waited().as_secs(), 30);
    // A time in the past means an immediate retry.
    let (result, world) = always(get(), || limited("Tue, 14 Nov 2023 22:13:11 GMT"));
    result.unwrap_err();
    assert!(world.sends() == 3 && world.waited() < Duration::from_secs(1));
}

#[test]
fn backoff_grows_with_jitter_and_depends_only_on_the_seed() {
    let waits = |seed| {
        let mut world = Virtual::new();
        let policy = RetryPolicy::default().attempts(12);
        let mut call = CoreClient::new(endpoint(), policy, seed).call(get());
        world
            .run(&mut call, |_, _| no_response(TransportErrorKind::ConnectionRefused, Delivery::Unsent))
            .unwrap_err();
        let wait = |did: &Did| if let Did::Wait(wait) = did { Some(*wait) } else { None };
        world.log.iter().filter_map(wait).collect::<Vec<_>>()
    };
    assert_eq!(waits(1), waits(1));
    assert_ne!(waits(1), waits(2));
    let mut longest = [Duration::ZERO; 11];
    for seed in 0..200 {
        for (most, wait) in longest.iter_mut().zip(waits(seed)) {
            *most = wait.max(*most);
        }
    }
    for (failures, most) in longest.iter().enumerate() {
        let ceiling = Duration::from_millis(200 << failures).min(Duration::from_secs(5));
        assert!(*most <= ceiling && *most > ceiling * 9 / 10, "{failures}: {most:?} of {ceiling:?}");
    }
}

#[test]
fn machine_can_be_driven_through_a_reference() {
    let mut call = call(get());
    let charge = Virtual::new().run(&mut &mut call, |_, _| ok(&charge_json(&[])));
    assert_eq!(charge.unwrap().id().as_str(), "ch_1");
}

#[test]
fn policies_schedules_clamp_their_values() {
    let seconds = Duration::from_secs;
    assert_eq!(RetryPolicy::never(), RetryPolicy::default().attempts(1));
    for (timeout, connect) in [(30, 10), (20, 10), (6, 3)] {
        assert_eq!(RetryPolicy::default().timeout(seconds(timeout)).connect_timeout(), seconds(connect));
    }
    let every = Schedule::every(seconds(5));
    assert_eq!((every.first_wait(), every.next_wait(seconds(5))), (seconds(5), seconds(5)));
    let growing = Schedule::new(seconds(1), 150, seconds(2));
    assert_eq!([1, 2].map(|wait| growing.next_wait(seconds(wait)).as_millis()), [1500, 2000]);
}

#[test]
fn lost_response_is_retried_for_reads_but_not_for_creates() {
    let now = |s| Now::new(Duration::from_secs(s), UnixMillis::from_millis(START));
    let mut reading = call(get());
    let mut sends = 0;
    let error = (0..100)
        .find_map(|s| match reading.poll(now(s * 10)) {
            Step::Send(_) => {
                sends += 1;
                None
            }
            Step::Wait(_) => None,
            Step::Done(result) => Some(result.unwrap_err()),
        })
        .unwrap();
    assert_eq!((sends, error.attempts().len()), (3, 3));
    let lost = ErrorKind::Connection { kind: TransportErrorKind::Lost, delivery: Delivery::MaybeSent };
    assert_eq!(error.kind(), &lost);

    let mut making = call(create());
    assert!(matches!(making.poll(now(0)), Step::Send(_)));
    let Step::Done(Err(error)) = making.poll(now(0)) else { panic!() };
    assert_eq!(error.kind(), &ErrorKind::OutcomeUnknown);
    // A response that arrives after the end changes nothing.
    making.handle(ok(&charge_json(&[])), now(1));
    let Step::Done(Err(error)) = making.poll(now(1)) else { panic!() };
    assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
}

#[test]
fn backoff_tolerates_clocks_that_run_backwards() {
    let now = |s, unix| Now::new(Duration::from_secs(s), UnixMillis::from_millis(unix));
    let policy = RetryPolicy::default().backoff(Duration::from_secs(4000), Duration::from_secs(4000));
    let mut reading = CoreClient::new(endpoint(), policy, 3).call(get());
    assert!(matches!(reading.poll(now(5000, START)), Step::Send(_)));
    reading.handle(no_response(TransportErrorKind::Dns, Delivery::Unsent), now(4000, 0));
    let Step::Wait(full) = reading.poll(now(4000, u64::MAX)) else { panic!() };
    assert!(full > Duration::from_secs(10), "{full:?}");
    // After the clock is set back, the remaining wait neither grows nor ends early.
    for (clock, passed) in [(1000, 0), (1003, 3), (0, 3), (2, 5)] {
        let Step::Wait(left) = reading.poll(now(clock, 0)) else { panic!() };
        assert_eq!(left, full - Duration::from_secs(passed));
    }
    assert!(matches!(reading.poll(now(10_000, 0)), Step::Send(_)));
}

#[test]
fn invalid_input_ends_a_call_before_a_request_is_sent() {
    let (result, world) = always(Create::new(NewCharge::satoshis(0, "")), || panic!("a request was sent"));
    assert!(matches!(result.unwrap_err().kind(), ErrorKind::InvalidInput(_)));
    assert!(world.log.is_empty());
}

#[test]
fn dns_failure_of_a_historical_host_says_the_service_closed() {
    let unresolved = |url: &str| {
        let key = strike_core::ApiKey::new("sk_demo").unwrap();
        let endpoint = strike_core::Endpoint::new(url, key, strike_core::Network::Bitcoin).unwrap();
        let mut call = CoreClient::new(endpoint.clone(), RetryPolicy::never(), 1).call(get());
        Virtual::new()
            .run(&mut call, |_, _| no_response(TransportErrorKind::Dns, Delivery::Unsent))
            .unwrap_err()
    };
    for host in ["api.strike.acinq.co", "api.dev.strike.acinq.co", "api-strike.acinq.co"] {
        for host in [host.to_owned(), format!("{host}."), host.to_uppercase(), format!("{host}.:443")] {
            let error = unresolved(&format!("https://{host}/api/v1/"));
            assert_eq!(error.advice(), strike_core::Advice::ServiceClosed, "{host}");
            assert!(error.to_string().contains("closed its hosted service in 2021"), "{error}");
        }
    }
    for host in ["acinq.co.example.com", "api-strike-acinq.co", "xacinq.co."] {
        let error = unresolved(&format!("https://{host}/api/v1/"));
        assert_eq!(error.advice(), strike_core::Advice::RetryLater, "{host}");
    }
    let (result, _) = always(get(), || no_response(TransportErrorKind::Dns, Delivery::Unsent));
    assert_eq!(result.unwrap_err().advice(), strike_core::Advice::RetryLater);
}

#[test]
fn body_one_byte_over_the_limit_is_too_large() {
    let body = ok(&charge_json(&[])).unwrap().into_body();
    for (limit, fits) in [(body.len() + 1, true), (body.len(), true), (body.len() - 1, false)] {
        let policy = RetryPolicy::never().max_body(limit);
        let mut call = CoreClient::new(endpoint(), policy, 1).call(get());
        let result = Virtual::new().run(&mut call, |exchange, _| {
            assert_eq!(exchange.max_body, limit);
            respond(200, body.clone())
        });
        match result {
            Ok(_) => assert!(fits, "{limit}"),
            Err(error) => {
                assert_eq!(error.kind(), &ErrorKind::TooLarge { limit });
                assert!(!fits, "{limit}");
            }
        }
        // An error response over the limit is still classified by its status.
        let mut call = CoreClient::new(endpoint(), RetryPolicy::never().max_body(3), 1).call(get());
        let failed = Virtual::new().run(&mut call, |_, _| respond(401, body.clone()));
        assert_eq!(failed.unwrap_err().kind(), &ErrorKind::Unauthorized);
    }
}

/// Returns the `connection` setting of each attempt.
fn connections<Op: Operation>(op: Op, policy: RetryPolicy) -> Vec<ConnectionUse> {
    let mut used = Vec::new();
    let _ = Virtual::new().run(&mut CoreClient::new(endpoint(), policy, 1).call(op), |exchange, _| {
        used.push(exchange.connection);
        no_response(TransportErrorKind::ConnectionRefused, Delivery::Unsent)
    });
    used
}

#[test]
fn creates_use_a_new_connection_and_reads_any() {
    let usual = RetryPolicy::default();
    assert_eq!(connections(create(), usual), [ConnectionUse::New; 3]);
    assert_eq!(connections(get(), usual), [ConnectionUse::Any; 3]);
    assert_eq!(connections(List::page(0), usual), [ConnectionUse::Any; 3]);
    let reusing = usual.reuse_connections_for_creates(true);
    assert_eq!(connections(create(), reusing), [ConnectionUse::Any; 3]);
}
