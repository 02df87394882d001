//! The conversions and questions that callers rely on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::{Duration, SystemTime};

use strike_core::machine::{Call, Machine, Step};
use strike_core::{
    ApiKey, Charge, ChargeId, CoreClient, Create, CreateOnceOptions, Delivery, Endpoint, Error, ErrorKind,
    Get, InvalidInput, Network, NewCharge, OrderKey, PaidCharge, PaymentHash, RetryPolicy, Satoshi,
    TransportError, TransportErrorKind, UnixMillis,
};
use support::{endpoint, respond, start};

fn call<Op: strike_core::machine::Operation>(operation: Op) -> Call<Op> {
    CoreClient::new(endpoint(), RetryPolicy::never(), 7).call(operation)
}

/// Returns the error of an operation whose only attempt gets this reply.
fn error_of<Op: strike_core::machine::Operation>(operation: Op, reply: strike_core::Reply) -> Error {
    let mut call = call(operation);
    assert!(matches!(call.poll(start()), Step::Send(_)));
    call.handle(reply, start());
    match call.poll(start()) {
        Step::Done(Err(error)) => error,
        _ => panic!("the call should fail"),
    }
}

fn create() -> Create {
    Create::new(NewCharge::satoshis(4200, "tea"))
}

fn get() -> Get {
    Get::new("ch_1".parse().unwrap())
}

fn lost(kind: TransportErrorKind, delivery: Delivery) -> strike_core::Reply {
    Err(TransportError::new(kind, delivery))
}

#[test]
fn errors_answer_what_a_caller_asks() {
    // (error, is_timeout, is_retryable, may_have_created_charge, status)
    let message = br#"{"code":400,"message":"amount is too small"}"#;
    for (error, timeout, retryable, may_exist, status) in [
        (error_of(create(), lost(TransportErrorKind::Timeout, Delivery::MaybeSent)), true, false, true, None),
        (error_of(create(), lost(TransportErrorKind::Timeout, Delivery::Unsent)), true, true, false, None),
        (error_of(get(), lost(TransportErrorKind::Timeout, Delivery::MaybeSent)), true, true, false, None),
        (error_of(get(), lost(TransportErrorKind::Closed, Delivery::MaybeSent)), false, true, false, None),
        (error_of(create(), respond(503, "")), false, false, true, Some(503)),
        (error_of(get(), respond(503, "")), false, true, false, Some(503)),
        (error_of(create(), respond(400, message)), false, false, false, Some(400)),
        (error_of(get(), respond(401, "")), false, false, false, Some(401)),
    ] {
        let found =
            (error.is_timeout(), error.is_retryable(), error.may_have_created_charge(), error.status());
        assert_eq!(found, (timeout, retryable, may_exist, status), "{error}");
    }
}

#[test]
fn the_servers_message_is_that_of_its_error_body_or_the_start_of_another_body() {
    let api = error_of(create(), respond(400, br#"{"code":400,"message":"amount is too small"}"#));
    assert_eq!(api.server_message(), Some("amount is too small"));
    let page = error_of(get(), respond(502, "<html>bad gateway</html>"));
    assert_eq!(page.server_message(), Some("<html>bad gateway</html>"));
    assert_eq!(error_of(get(), respond(502, "")).server_message(), None);
}

#[test]
fn errors_convert_with_the_question_mark_and_keep_their_sources() {
    fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err(error_of(get(), lost(TransportErrorKind::Dns, Delivery::Unsent)))?;
        Ok(())
    }
    let error = boxed().unwrap_err();
    assert!(error.downcast_ref::<Error>().unwrap().source().unwrap().is::<TransportError>());
    let invalid: Error = ApiKey::new("").unwrap_err().into();
    assert!(matches!(invalid.kind(), ErrorKind::InvalidInput(_)));
}

#[test]
fn an_order_name_may_be_any_kind_of_text() {
    let name = format!("order-{}", 17);
    let expected = CreateOnceOptions::named("order-17");
    assert_eq!(CreateOnceOptions::from(&name), expected);
    assert_eq!(CreateOnceOptions::from(name.as_str()), expected);
    assert_eq!(CreateOnceOptions::from(name), expected);
    assert_eq!(CreateOnceOptions::from(OrderKey::named("order-17")), expected);
}

#[test]
fn amounts_times_and_ids_convert() {
    assert_eq!(Satoshi::try_from(4200_u64).map(u64::from), Ok(4200));
    assert!(Satoshi::try_from(Satoshi::MAX.get() + 1).is_err());
    for (text, expected) in
        [("0", Some(0)), ("4200 satoshi", Some(4200)), ("2100000000000000", Some(Satoshi::MAX.get()))]
    {
        assert_eq!(text.parse::<Satoshi>().ok().map(Satoshi::get), expected, "{text}");
    }
    for text in ["", "satoshi", "-1", "+1", "1.5", "4 200", "2100000000000001", "18446744073709551616", "４"]
    {
        assert!(text.parse::<Satoshi>().is_err(), "{text}");
    }
    let amount = Satoshi::new(4200);
    assert_eq!(amount.to_string().parse(), Ok(amount));

    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    assert_eq!(UnixMillis::from(time).to_system_time(), Some(time));
    assert_eq!(UnixMillis::from(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), UnixMillis::from_millis(0));

    let id = ChargeId::try_from("ch_1").unwrap();
    assert_eq!(ChargeId::try_from("ch_1".to_owned()), Ok(id.clone()));
    let orders = HashMap::from([(id.clone(), 17)]);
    assert_eq!(orders.get("ch_1"), Some(&17));
    assert_eq!(BTreeMap::from([(id, 17)]).get("ch_1"), Some(&17));

    assert_eq!(PaymentHash::from([7; 32]).as_ref(), [7; 32]);
    assert!("sk demo".parse::<ApiKey>().is_err());
}

#[test]
fn a_network_is_a_name_in_a_configuration_file() {
    assert_eq!(serde_json::to_string(&Network::Signet).unwrap(), "\"signet\"");
    assert_eq!(serde_json::from_str::<Network>("\"mainnet\"").unwrap(), Network::Bitcoin);
    assert!(serde_json::from_str::<Network>("\"moon\"").is_err());
}

#[test]
fn public_types_can_be_shared_and_debugged() {
    fn shared<T: Send + Sync + Debug + 'static>() {}
    fn value<T: Clone + PartialEq + Eq + Debug + Send + Sync>() {}
    fn key<T: Hash + Ord + Clone>() {}
    shared::<Error>();
    shared::<Endpoint>();
    shared::<ApiKey>();
    shared::<CoreClient>();
    shared::<InvalidInput>();
    value::<Charge>();
    value::<PaidCharge>();
    value::<CreateOnceOptions>();
    key::<ChargeId>();
    key::<OrderKey>();
    key::<PaymentHash>();
    key::<Satoshi>();
    key::<UnixMillis>();
    key::<Network>();
}
