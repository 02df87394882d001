//! The transports of both clients, and a simple one without a flaw, keep every rule.

use strike_async::{AsyncTransport, ReqwestTransport};
use strike_blocking::{Transport, UreqTransport};
use strike_conformance::Rule;
use strike_core::{Exchange, Reply};

use crate::simple_transport;

fn assert_keeps_every_rule(transport: impl Fn(Exchange) -> Reply + Send + Sync + 'static) {
    let report = strike_conformance::check(transport).unwrap();
    // A rule without a finding would be kept by accident.
    for &rule in Rule::ALL {
        assert!(report.findings().iter().any(|finding| finding.rule == rule), "{rule:?} was not checked");
    }
    report.into_result().unwrap();
}

#[test]
fn ureq_keeps_every_rule() {
    let transport = UreqTransport::new().unwrap();
    assert_keeps_every_rule(move |exchange| transport.exchange(exchange));
}

#[test]
fn reqwest_keeps_every_rule_on_one_thread() {
    let transport = ReqwestTransport::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_keeps_every_rule(move |exchange| runtime.block_on(transport.exchange(exchange)));
}

#[test]
fn reqwest_keeps_every_rule_on_several_threads() {
    let transport = ReqwestTransport::new().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    assert_keeps_every_rule(move |exchange| runtime.block_on(transport.exchange(exchange)));
}

#[test]
fn the_simple_transport_keeps_every_rule() {
    assert_keeps_every_rule(simple_transport::transport(None));
}
