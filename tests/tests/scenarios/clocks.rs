//! Waiting with the system clock, in both adapters. All other scenarios use virtual clocks.

use std::time::Duration;

use strike_core::{ApiKey, Endpoint, NewCharge, Schedule, Wait, WaitOutcome};
use strike_sandbox::Sandbox;

fn short_wait() -> Wait {
    Wait::at_most(Duration::from_millis(40)).schedule(Schedule::every(Duration::from_millis(10)))
}

fn wait_until_expiry() -> Wait {
    Wait::until_expiry().schedule(Schedule::every(Duration::from_millis(10)))
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "with the system clock")
}

/// Starts a sandbox on the system clock, and returns an endpoint for it.
fn shop() -> (strike_sandbox::RunningSandbox, Endpoint) {
    let sandbox = Sandbox::builder().start().unwrap();
    let key = ApiKey::new(sandbox.api_key()).unwrap();
    let endpoint = Endpoint::new(sandbox.base_url(), key, sandbox.network()).unwrap();
    (sandbox, endpoint)
}

#[test]
fn blocking_client_waits_with_the_system_clock() {
    let (sandbox, endpoint) = shop();
    let client = strike_blocking::Client::new(endpoint).unwrap();
    let charge = client.create(order()).unwrap();
    let before = sandbox.requests();
    assert!(matches!(client.wait_until_paid(&charge, short_wait()).unwrap(), WaitOutcome::Payable(_)));
    assert!(sandbox.requests() >= before + 2, "a wait reads the charge at its start and at its end");

    let reads_before = sandbox.requests();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| client.wait_until_paid(&charge, wait_until_expiry()));
        while sandbox.requests() == reads_before {
            std::thread::yield_now();
        }
        sandbox.pay(charge.id()).unwrap();
        assert!(waiting.join().unwrap().unwrap().is_paid());
    });
}

#[tokio::test]
async fn async_client_waits_with_the_system_clock() {
    let (sandbox, endpoint) = shop();
    let client = strike_async::Client::new(endpoint).unwrap();
    let charge = client.create(order()).await.unwrap();
    let before = sandbox.requests();
    assert!(matches!(client.wait_until_paid(&charge, short_wait()).await.unwrap(), WaitOutcome::Payable(_)));
    assert!(sandbox.requests() >= before + 2, "a wait reads the charge at its start and at its end");

    let reads_before = sandbox.requests();
    let waiting = tokio::spawn({
        let (client, charge) = (client.clone(), charge.clone());
        async move { client.wait_until_paid(&charge, wait_until_expiry()).await }
    });
    while sandbox.requests() == reads_before {
        tokio::task::yield_now().await;
    }
    sandbox.pay(charge.id()).unwrap();
    assert!(waiting.await.unwrap().unwrap().is_paid());
}
