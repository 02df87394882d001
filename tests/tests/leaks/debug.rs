//! Debug output of every type that holds the key or a proxy's password.

use std::time::Duration;

use strike_core::machine::{Machine, Operation, Step};
use strike_core::{
    ApiKey, CoreClient, Create, Endpoint, Exchange, Get, List, Network, NewCharge, Now, RetryPolicy,
    UnixMillis, Wait,
};
use strike_sandbox::Sandbox;

use crate::secrets::{KEY, assert_debug_has_no_secret, assert_no_secret, endpoint, proxy_url};

const NOW: Now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));

fn local_endpoint() -> Endpoint {
    endpoint("http://127.0.0.1:1/api/v1/")
}

#[test]
fn debug_of_endpoints_and_keys_has_no_key() {
    let key = ApiKey::new(KEY).unwrap();
    assert_debug_has_no_secret("a key", &key);
    assert_debug_has_no_secret(
        "an endpoint builder",
        &Endpoint::builder("http://127.0.0.1/", key, Network::Testnet),
    );
    assert_debug_has_no_secret("an endpoint", &local_endpoint());
    assert_debug_has_no_secret("machines", &CoreClient::new(local_endpoint(), RetryPolicy::default(), 7));
}

#[test]
fn debug_of_requests_and_exchanges_has_no_key() {
    let create = Create::new(NewCharge::satoshis(4200, "tea"));
    let request = create.request(&local_endpoint()).unwrap();
    assert_debug_has_no_secret("a request", &request);
    assert_debug_has_no_secret("its headers", request.headers());
    assert_debug_has_no_secret("an exchange", &Exchange::new(request, Duration::from_secs(1), 1));
    let request = Get::new("ch_1".parse().unwrap()).request(&local_endpoint()).unwrap();
    assert_debug_has_no_secret("a request", &request);
    assert_debug_has_no_secret("its parts", &request.into_parts().0);
}

#[test]
fn debug_of_machines_has_no_key_in_any_state() {
    let sandbox = Sandbox::builder().api_key(KEY).build();
    let mut create = CoreClient::new(local_endpoint(), RetryPolicy::default(), 7)
        .call(Create::new(NewCharge::satoshis(4200, "tea")));
    assert_debug_has_no_secret("a call", &create);
    let step = create.poll(NOW);
    assert_debug_has_no_secret("a step", &step);
    assert_debug_has_no_secret("a call in flight", &create);
    let Step::Send(exchange) = step else { panic!("the create should send a request") };
    create.handle(sandbox.reply(exchange), NOW);
    assert_debug_has_no_secret("a call with its response", &create);
    let Step::Done(Ok(charge)) = create.poll(NOW) else { panic!("the create should be done") };
    assert_debug_has_no_secret("a finished call", &create);

    let mut wait =
        CoreClient::new(local_endpoint(), RetryPolicy::default(), 7).wait(charge, Wait::until_expiry());
    assert_debug_has_no_secret("a wait", &wait);
    let Step::Send(exchange) = wait.poll(NOW) else { panic!("the wait should read the charge") };
    assert_debug_has_no_secret("a wait with a request in flight", &wait);
    wait.handle(sandbox.reply(exchange), NOW);
    let Step::Wait(_) = wait.poll(NOW) else { panic!("the wait should pause") };
    assert_debug_has_no_secret("a paused wait", &wait);

    let mut list = CoreClient::new(local_endpoint(), RetryPolicy::default(), 7).call(List::page(0));
    let Step::Send(_) = list.poll(NOW) else { panic!("the list should send a request") };
    let echo =
        strike_core::http::Response::builder().status(500).body(format!("<p>{KEY}").into_bytes()).unwrap();
    list.handle(Ok(echo), NOW);
    assert_debug_has_no_secret("a call that failed", &list);
}

#[test]
fn debug_of_clients_and_transports_has_no_key() {
    let proxy = proxy_url(1);
    let ureq = || strike_blocking::UreqTransport::builder().proxy(&proxy);
    assert_debug_has_no_secret("a ureq transport builder", &ureq());
    assert_debug_has_no_secret("a ureq transport", &ureq().build().unwrap());
    let builder = strike_blocking::Client::builder(local_endpoint()).transport(ureq().build().unwrap());
    assert_debug_has_no_secret("a blocking client builder", &builder);
    assert_debug_has_no_secret("a blocking client", &builder.build().unwrap());

    let reqwest = || strike_async::ReqwestTransport::builder().proxy(&proxy);
    assert_debug_has_no_secret("a reqwest transport builder", &reqwest());
    assert_debug_has_no_secret("a reqwest transport", &reqwest().build().unwrap());
    let builder = strike_async::Client::builder(local_endpoint()).transport(reqwest().build().unwrap());
    assert_debug_has_no_secret("an async client builder", &builder);
    assert_debug_has_no_secret("an async client", &builder.build().unwrap());
}

#[test]
fn debug_of_the_sandbox_has_no_key() {
    let builder = Sandbox::builder().api_key(KEY);
    assert_debug_has_no_secret("a sandbox builder", &builder);
    assert_debug_has_no_secret("a sandbox", &builder.clone().build());
    let running = builder.start().unwrap();
    assert_debug_has_no_secret("a running sandbox", &running);
    assert_no_secret("its URL", running.base_url());
}
