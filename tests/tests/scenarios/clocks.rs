//! The scenarios' clocks are virtual; here both adapters use the system's, for a moment.

use std::time::Duration;

use strike_core::{ApiKey, Endpoint, NewCharge, Schedule, Wait, WaitOutcome};
use strike_sandbox::Sandbox;

fn brief() -> Wait {
    Wait::at_most(Duration::from_millis(40)).schedule(Schedule::every(Duration::from_millis(10)))
}

fn patient() -> Wait {
    Wait::until_expiry().schedule(Schedule::every(Duration::from_millis(10)))
}

fn order() -> NewCharge {
    NewCharge::satoshis(4200, "by the clock on the wall")
}

/// A running sandbox by the system's clock, and an endpoint there.
fn shop() -> (strike_sandbox::RunningSandbox, Endpoint) {
    let sandbox = Sandbox::builder().start().unwrap();
    let key = ApiKey::new(sandbox.api_key()).unwrap();
    let at = Endpoint::new(sandbox.base_url(), key, sandbox.network()).unwrap();
    (sandbox, at)
}

#[test]
fn the_blocking_client_waits_by_the_real_clock() {
    let (sandbox, at) = shop();
    let client = strike_blocking::Client::new(at).unwrap();
    let charge = client.create(order()).unwrap();
    let before = sandbox.requests();
    assert!(matches!(client.wait_until_paid(&charge, brief()).unwrap(), WaitOutcome::Payable(_)));
    assert!(sandbox.requests() >= before + 2, "a wait looks at its beginning and at its end");

    let looked = sandbox.requests();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| client.wait_until_paid(&charge, patient()));
        while sandbox.requests() == looked {
            std::thread::yield_now();
        }
        sandbox.pay(charge.id()).unwrap();
        assert!(waiting.join().unwrap().unwrap().is_paid());
    });
}

#[tokio::test]
async fn the_async_client_waits_by_the_real_clock() {
    let (sandbox, at) = shop();
    let client = strike_async::Client::new(at).unwrap();
    let charge = client.create(order()).await.unwrap();
    let before = sandbox.requests();
    assert!(matches!(client.wait_until_paid(&charge, brief()).await.unwrap(), WaitOutcome::Payable(_)));
    assert!(sandbox.requests() >= before + 2, "a wait looks at its beginning and at its end");

    let looked = sandbox.requests();
    let waiting = tokio::spawn({
        let (client, charge) = (client.clone(), charge.clone());
        async move { client.wait_until_paid(&charge, patient()).await }
    });
    while sandbox.requests() == looked {
        tokio::task::yield_now().await;
    }
    sandbox.pay(charge.id()).unwrap();
    assert!(waiting.await.unwrap().unwrap().is_paid());
}
