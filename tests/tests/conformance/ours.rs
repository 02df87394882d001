//! The transports of both adapters, and a bare one without a flaw, keep every rule.

use strike_async::{AsyncTransport, ReqwestTransport};
use strike_blocking::{Transport, UreqTransport};
use strike_conformance::Rule;
use strike_core::{Exchange, Reply};

use crate::naive;

fn keeps_every_rule(transport: impl Fn(Exchange) -> Reply + Send + Sync + 'static) {
    let report = strike_conformance::check(transport).unwrap();
    // No rule was passed over.
    for &rule in Rule::ALL {
        assert!(report.findings().iter().any(|finding| finding.rule == rule), "{rule:?} was not looked at");
    }
    report.into_result().unwrap();
}

#[test]
fn ureq() {
    let transport = UreqTransport::new().unwrap();
    keeps_every_rule(move |exchange| transport.exchange(exchange));
}

#[test]
fn reqwest() {
    let transport = ReqwestTransport::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    keeps_every_rule(move |exchange| runtime.block_on(transport.exchange(exchange)));
}

#[test]
fn reqwest_on_many_threads() {
    let transport = ReqwestTransport::new().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    keeps_every_rule(move |exchange| runtime.block_on(transport.exchange(exchange)));
}

#[test]
fn a_naive_one() {
    keeps_every_rule(naive::transport(None));
}
