//! Debug of everything that holds the key, or a proxy's password.

use std::time::Duration;

use strike_core::machine::{Machine, Operation, Step};
use strike_core::{
    ApiKey, CoreClient, Create, Endpoint, Exchange, Get, List, Network, NewCharge, Now, RetryPolicy,
    UnixMillis, Wait,
};
use strike_sandbox::Sandbox;

use crate::secrets::{KEY, assert_debug_silent, assert_silent, endpoint, proxy_url};

const NOW: Now = Now::new(Duration::ZERO, UnixMillis::from_secs(1_700_000_000));

fn at() -> Endpoint {
    endpoint("http://127.0.0.1:1/api/v1/")
}

#[test]
fn endpoints_and_keys() {
    let key = ApiKey::new(KEY).unwrap();
    assert_debug_silent("a key", &key);
    assert_debug_silent(
        "an endpoint in the making",
        &Endpoint::builder("http://127.0.0.1/", key, Network::Testnet),
    );
    assert_debug_silent("an endpoint", &at());
    assert_debug_silent("machines", &CoreClient::new(at(), RetryPolicy::default(), 7));
}

#[test]
fn requests_and_exchanges() {
    let create = Create::new(NewCharge::satoshis(4200, "tea"));
    let request = create.request(&at()).unwrap();
    assert_debug_silent("a request", &request);
    assert_debug_silent("its headers", request.headers());
    assert_debug_silent("an exchange", &Exchange::new(request, Duration::from_secs(1), 1));
    let request = Get::new("ch_1".parse().unwrap()).request(&at()).unwrap();
    assert_debug_silent("a request", &request);
    assert_debug_silent("its parts", &request.into_parts().0);
}

#[test]
fn machines_in_every_state() {
    let sandbox = Sandbox::builder().api_key(KEY).build();
    let mut create =
        CoreClient::new(at(), RetryPolicy::default(), 7).call(Create::new(NewCharge::satoshis(4200, "tea")));
    assert_debug_silent("a call", &create);
    let step = create.poll(NOW);
    assert_debug_silent("a step", &step);
    assert_debug_silent("a call in flight", &create);
    let Step::Send(exchange) = step else { panic!("it should send") };
    create.handle(sandbox.reply(exchange), NOW);
    assert_debug_silent("a call with its answer", &create);
    let Step::Done(Ok(charge)) = create.poll(NOW) else { panic!("it should be made") };
    assert_debug_silent("a call at its end", &create);

    let mut wait = CoreClient::new(at(), RetryPolicy::default(), 7).wait(charge, Wait::until_expiry());
    assert_debug_silent("a wait", &wait);
    let Step::Send(exchange) = wait.poll(NOW) else { panic!("it should look") };
    assert_debug_silent("a wait that looks", &wait);
    wait.handle(sandbox.reply(exchange), NOW);
    let Step::Wait(_) = wait.poll(NOW) else { panic!("it should rest") };
    assert_debug_silent("a wait that rests", &wait);

    let mut list = CoreClient::new(at(), RetryPolicy::default(), 7).call(List::page(0));
    let Step::Send(_) = list.poll(NOW) else { panic!("it should ask") };
    let echo =
        strike_core::http::Response::builder().status(500).body(format!("<p>{KEY}").into_bytes()).unwrap();
    list.handle(Ok(echo), NOW);
    assert_debug_silent("a call that failed", &list);
}

#[test]
fn clients_and_transports() {
    let proxy = proxy_url(1);
    let ureq = || strike_blocking::UreqTransport::builder().proxy(&proxy);
    assert_debug_silent("a ureq transport in the making", &ureq());
    assert_debug_silent("a ureq transport", &ureq().build().unwrap());
    let builder = strike_blocking::Client::builder(at()).transport(ureq().build().unwrap());
    assert_debug_silent("a blocking client in the making", &builder);
    assert_debug_silent("a blocking client", &builder.build().unwrap());

    let reqwest = || strike_async::ReqwestTransport::builder().proxy(&proxy);
    assert_debug_silent("a reqwest transport in the making", &reqwest());
    assert_debug_silent("a reqwest transport", &reqwest().build().unwrap());
    let builder = strike_async::Client::builder(at()).transport(reqwest().build().unwrap());
    assert_debug_silent("an async client in the making", &builder);
    assert_debug_silent("an async client", &builder.build().unwrap());
}

#[test]
fn the_sandbox() {
    let builder = Sandbox::builder().api_key(KEY);
    assert_debug_silent("a sandbox in the making", &builder);
    assert_debug_silent("a sandbox", &builder.clone().build());
    let running = builder.start().unwrap();
    assert_debug_silent("a running sandbox", &running);
    assert_silent("its URL", running.base_url());
}
