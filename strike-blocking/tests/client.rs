//! What a client adds to core: settings, observers, and the environment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strike_blocking::{
    ApiKey, AttemptOutcome, AttemptReport, Client, Delivery, Endpoint, ErrorKind, Network, Reply,
    RetryPolicy, Timer, TransportError, TransportErrorKind, Wake,
};
use strike_blocking::{Exchange, Now, UnixMillis, http};

fn endpoint() -> Endpoint {
    Endpoint::new("http://127.0.0.1:1/", ApiKey::new("sk_demo").unwrap(), Network::Testnet).unwrap()
}

/// A clock that moves 5 ms with each reading, and by each wait at once.
#[derive(Default)]
struct Steps(Mutex<Duration>);

impl Timer for Steps {
    fn now(&self) -> Now {
        let mut now = self.0.lock().unwrap();
        *now += Duration::from_millis(5);
        Now::new(*now, UnixMillis::from_secs(1_700_000_000))
    }

    fn wait(&self, duration: Duration, _: &Wake) {
        *self.0.lock().unwrap() += duration;
    }
}

fn refuses(_: Exchange) -> Reply {
    Err(TransportError::new(TransportErrorKind::ConnectionRefused, Delivery::Unsent))
}

#[test]
fn an_observer_sees_each_attempt() {
    let reports: Arc<Mutex<Vec<AttemptReport>>> = Arc::default();
    let (seen, replies) = (Arc::clone(&reports), Mutex::new(0));
    let transport = move |exchange: Exchange| {
        let mut replies = replies.lock().unwrap();
        *replies += 1;
        if *replies == 1 { refuses(exchange) } else { Ok(http::Response::new(b"[]".to_vec())) }
    };
    let client = Client::builder(endpoint())
        .transport(transport)
        .timer(Steps::default())
        .observer(move |report: &AttemptReport| seen.lock().unwrap().push(*report))
        .build()
        .unwrap();
    assert_eq!(client.list(0).unwrap().rows(), 0);
    let refused = AttemptOutcome::NoResponse(TransportErrorKind::ConnectionRefused, Delivery::Unsent);
    let found: Vec<_> =
        reports.lock().unwrap().iter().map(|r| (r.operation, r.attempt, r.outcome, r.latency)).collect();
    let latency = Duration::from_millis(5);
    assert_eq!(
        found,
        [("list charges", 1, refused, latency), ("list charges", 2, AttemptOutcome::Status(200), latency)]
    );
}

#[test]
fn a_policy_for_one_call_does_not_change_the_client() {
    let client = Client::builder(endpoint()).transport(refuses).timer(Steps::default()).build().unwrap();
    let once = client.with(RetryPolicy::never()).list(0).unwrap_err();
    assert_eq!(once.attempts().len(), 1);
    assert_eq!(client.list(0).unwrap_err().attempts().len(), 3);
}

#[test]
fn timeout_and_body_limit_are_settings_of_the_builder() {
    let limits: Arc<Mutex<Vec<(Duration, usize)>>> = Arc::default();
    let seen = Arc::clone(&limits);
    let transport = move |exchange: Exchange| {
        seen.lock().unwrap().push((exchange.timeout, exchange.max_body));
        Ok(http::Response::new(b"[]".to_vec()))
    };
    let builder = Client::builder_with_transport(endpoint(), transport);
    builder.timeout(Duration::from_secs(3)).max_body(4096).build().unwrap().list(0).unwrap();
    assert_eq!(*limits.lock().unwrap(), [(Duration::from_secs(3), 4096)]);
}

#[test]
fn a_client_can_be_configured_by_the_environment() {
    // The variables are set for another process, since other tests of this one may read them.
    let run = |variables: &[(&str, &str)]| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "prints_the_client_of_the_environment", "--ignored", "--nocapture"])
            .env_clear()
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let [url, key, network] = [
        ("STRIKE_BASE_URL", "https://pay.example.com/"),
        ("STRIKE_API_KEY", "sk_demo"),
        ("STRIKE_NETWORK", "signet"),
    ];
    assert!(run(&[url, key, network]).contains("client of https://pay.example.com/ on signet"));
    assert!(run(&[url, network]).contains("STRIKE_API_KEY must be set"));
    assert!(run(&[url, key]).contains("STRIKE_NETWORK must be set"));
    assert!(run(&[url, key, ("STRIKE_NETWORK", "moon")]).contains("STRIKE_NETWORK must be bitcoin"));
    let insecure = run(&[("STRIKE_BASE_URL", "http://pay.example.com/"), key, network]);
    assert!(insecure.contains("STRIKE_BASE_URL must be a URL that starts with `https://`"), "{insecure}");
    let secret = run(&[url, ("STRIKE_API_KEY", "sk canary"), network]);
    assert!(secret.contains("STRIKE_API_KEY must be 1 to 512") && !secret.contains("canary"), "{secret}");
}

#[test]
#[ignore = "run by a_client_can_be_configured_by_the_environment, in a process of its own"]
fn prints_the_client_of_the_environment() {
    match Client::from_env() {
        Ok(client) => {
            println!("client of {} on {}", client.endpoint().base_url(), client.endpoint().network())
        }
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::InvalidInput(_)));
            println!("{error}");
        }
    }
}
