//! The same flow, recorded and replayed with every driver, has the same results, requests and
//! waits.

use std::fs;

use strike_core::fixture::{Cassette, Player, Recorder, Transcript};
use strike_tests::AsyncClient;

use crate::core_simulation::simulated;
use crate::flows::{Due, FLOWS, Flow, KEY, endpoint};

/// The results of a flow, and its requests and waits.
type Results = (Vec<String>, Transcript);

/// Records a flow from the sandbox, with core and without an adapter.
fn record(flow: &Flow) -> (Results, Cassette) {
    let due = Due::default();
    let mut recorder = Recorder::new();
    let mut world = flow.world(&due);
    let core = simulated(|exchange, now| {
        let asked = recorder.record_request(&exchange);
        let reply = world(exchange, now);
        recorder.record_reply(asked, &reply);
        reply
    });
    let outputs = (flow.run)(&core, &due);
    let results = (outputs, core.driver.transcript());
    drop(core);
    let mut cassette = recorder.cassette().unwrap();
    cassette.set_notes("Recorded from the sandbox by `cargo test -p strike-tests --test cassettes`.");
    (results, cassette)
}

fn by_core(flow: &Flow, player: Player) -> Results {
    let core = simulated(player);
    let outputs = (flow.run)(&core, &Due::default());
    core.driver.finish();
    (outputs, core.driver.transcript())
}

fn by_blocking(flow: &Flow, player: Player) -> Results {
    let host = strike_blocking::fixture::SimulatedHost::new(player);
    let outputs = (flow.run)(
        &strike_blocking::Client::builder(endpoint()).simulated(&host).build().unwrap(),
        &Due::default(),
    );
    host.finish().unwrap();
    (outputs, host.transcript())
}

fn by_async(flow: &Flow, player: Player) -> Results {
    let host = strike_async::fixture::SimulatedHost::new(player);
    let outputs = (flow.run)(
        &AsyncClient::without_drivers(
            strike_async::Client::builder(endpoint()).simulated(&host).build().unwrap(),
        ),
        &Due::default(),
    );
    host.finish().unwrap();
    (outputs, host.transcript())
}

#[test]
fn committed_cassettes_match_a_new_recording() {
    for flow in &FLOWS {
        let json = record(flow).1.to_json().unwrap();
        assert!(!json.contains(KEY));
        if std::env::var("STRIKE_RECORD").is_ok_and(|value| value == "1") {
            fs::write(flow.file(), &json).unwrap();
        }
        let committed = fs::read_to_string(flow.file()).unwrap();
        assert!(
            committed == json,
            "{} differs from a new recording; if the change is intended, record it again with STRIKE_RECORD=1",
            flow.name
        );
    }
}

#[test]
fn every_driver_replays_a_flow_with_the_same_results() {
    for flow in &FLOWS {
        let (recorded, _) = record(flow);
        let name = flow.name;
        assert_eq!(by_core(flow, Player::strict(flow.committed())), recorded, "{name}, core");
        assert_eq!(by_blocking(flow, Player::strict(flow.committed())), recorded, "{name}, blocking");
        assert_eq!(by_async(flow, Player::strict(flow.committed())), recorded, "{name}, async");
        assert_eq!(by_blocking(flow, Player::by_match(flow.committed())), recorded, "{name}, by match");
    }
}

#[test]
fn faulty_network_flow_creates_one_charge_and_is_paid_in_the_end() {
    let (outputs, transcript) = record(&FLOWS[1]).0;
    assert_eq!(transcript.sends_of("POST"), 1, "the create should be sent once: {transcript}");
    assert!(outputs[0].starts_with("Payable("), "{}", outputs[0]);
    assert!(
        outputs[1].starts_with("Err(Error { operation: \"get charge ch_unknown\", kind: NotFound"),
        "{}",
        outputs[1]
    );
    assert!(outputs[2].starts_with("Ok(Payable("), "{}", outputs[2]);
    assert!(outputs[3].starts_with("Ok(Paid("), "{}", outputs[3]);
    assert!((600..700).contains(&transcript.waited().as_secs()), "{transcript}");
    assert!(transcript.to_string().contains("  429\n"), "{transcript}");
}

#[test]
fn both_adapters_record_the_same() {
    for flow in &FLOWS {
        let due = Due::default();
        let host = strike_blocking::fixture::SimulatedHost::new(flow.world(&due));
        let recording = strike_blocking::fixture::RecordTransport::new(host.clone());
        let mut client = strike_blocking::Client::builder(endpoint())
            .simulated(&host)
            .transport(recording.clone())
            .build()
            .unwrap();
        (flow.run)(&mut client, &due);
        let mut by_blocking = recording.cassette().unwrap();
        by_blocking.set_notes(flow.committed().notes());
        assert_eq!(by_blocking, flow.committed(), "{}, blocking", flow.name);

        let due = Due::default();
        let host = strike_async::fixture::SimulatedHost::new(flow.world(&due));
        let recording = strike_async::fixture::RecordTransport::new(host.clone());
        let client = strike_async::Client::builder(endpoint())
            .simulated(&host)
            .transport(recording.clone())
            .build()
            .unwrap();
        (flow.run)(&AsyncClient::without_drivers(client), &due);
        let mut by_async = recording.cassette().unwrap();
        by_async.set_notes(flow.committed().notes());
        assert_eq!(by_async, flow.committed(), "{}, async", flow.name);
    }
}
