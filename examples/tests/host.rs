//! Tests of how the examples choose their server.
#![allow(clippy::expect_used, reason = "tests")]

use strike_examples::host_from;
use strike_sandbox::Sandbox;

/// Returns the error for these variables.
fn error_of(variables: &[(&str, &str)]) -> String {
    let read = |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
    host_from(Sandbox::builder(), read).expect_err("the variables are not valid").to_string()
}

#[test]
fn half_a_server_is_an_error_that_names_the_missing_half() {
    let url = ("STRIKE_BASE_URL", "http://127.0.0.1:9740");
    let key = ("STRIKE_API_KEY", "canary");
    let network = ("STRIKE_NETWORK", "bitcoin");
    for (backend, variables, missing) in [
        ("strike", &[url][..], "STRIKE_API_KEY"),
        ("strike", &[key], "STRIKE_BASE_URL"),
        ("phoenixd", &[url, network], "STRIKE_API_KEY"),
        ("phoenixd", &[url, key], "STRIKE_NETWORK"),
        ("lnbits", &[key, network], "STRIKE_BASE_URL"),
        ("lnbits", &[network], "STRIKE_BASE_URL, STRIKE_API_KEY"),
    ] {
        let all: Vec<_> = [("STRIKE_BACKEND", backend)].iter().chain(variables).copied().collect();
        let error = error_of(&all);
        assert!(error.starts_with(&format!("not set: {missing}; for example: ")), "{backend}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn unknown_backend_is_an_error_without_its_name() {
    let error = error_of(&[("STRIKE_BACKEND", "canary")]);
    assert_eq!(error, "STRIKE_BACKEND must be `strike`, `phoenixd` or `lnbits`");
}

#[test]
fn strike_uses_testnet_unless_a_network_is_set() {
    for (network, expected) in [("", "testnet"), ("signet", "signet")] {
        let host = host_from(Sandbox::builder(), |name| match name {
            "STRIKE_BASE_URL" => Some("http://127.0.0.1:1/".into()),
            "STRIKE_API_KEY" => Some("sk_demo".into()),
            "STRIKE_NETWORK" => Some(network.into()),
            _ => None,
        });
        let host = host.expect("the variables are valid");
        assert_eq!(host.endpoint.network().as_str(), expected);
        assert!(host.sandbox.is_none());
    }
}
