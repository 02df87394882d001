//! The same flow, recorded and played by every driver: the same answers, the same sends and waits.

use std::fs;

use strike_core::fixture::{Cassette, Player, Recorder, Transcript};

use crate::flows::{Due, FLOWS, Flow, KEY, endpoint};
use crate::ways::{ByCore, OnRuntime};

/// What a flow was told, and what it sent and waited for.
type Seen = (Vec<String>, Transcript);

/// Records a flow from the sandbox, by core alone.
fn record(flow: &Flow) -> (Seen, Cassette) {
    let due = Due::default();
    let mut recorder = Recorder::new();
    let mut world = flow.world(&due);
    let mut way = ByCore::new(|exchange, now| {
        let asked = recorder.ask(&exchange);
        let reply = world(exchange, now);
        recorder.answer(asked, &reply);
        reply
    });
    let told = (flow.run)(&mut way, &due);
    let seen = (told, way.simulation.transcript().clone());
    drop(way);
    let mut cassette = recorder.cassette().unwrap();
    cassette.set_notes("Recorded from the sandbox by the tests of whole flows.");
    (seen, cassette)
}

fn by_core(flow: &Flow, player: Player) -> Seen {
    let mut way = ByCore::new(player);
    let told = (flow.run)(&mut way, &Due::default());
    way.simulation.finish().unwrap();
    (told, way.simulation.transcript().clone())
}

fn by_blocking(flow: &Flow, player: Player) -> Seen {
    let host = strike_blocking::fixture::SimulatedHost::new(player);
    let told = (flow.run)(
        &mut strike_blocking::Client::builder(endpoint()).simulated(&host).build().unwrap(),
        &Due::default(),
    );
    host.finish().unwrap();
    (told, host.transcript())
}

fn by_async(flow: &Flow, player: Player) -> Seen {
    let host = strike_async::fixture::SimulatedHost::new(player);
    let told = (flow.run)(
        &mut OnRuntime::new(strike_async::Client::builder(endpoint()).simulated(&host).build().unwrap()),
        &Due::default(),
    );
    host.finish().unwrap();
    (told, host.transcript())
}

#[test]
fn what_is_committed_is_what_the_sandbox_says_today() {
    for flow in &FLOWS {
        let json = record(flow).1.to_json().unwrap();
        assert!(!json.contains(KEY));
        if std::env::var("STRIKE_RECORD").is_ok_and(|value| value == "1") {
            fs::write(flow.file(), &json).unwrap();
        }
        let committed = fs::read_to_string(flow.file()).unwrap();
        assert!(
            committed == json,
            "{} is no longer what the sandbox and core make of it: if that is meant, record it again with STRIKE_RECORD=1",
            flow.name
        );
    }
}

#[test]
fn every_driver_plays_a_flow_alike() {
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
fn a_bad_day_is_as_bad_as_it_should_be() {
    let (told, transcript) = record(&FLOWS[1]).0;
    assert_eq!(transcript.sends_of("POST"), 1, "one charge, whatever breaks: {transcript}");
    assert!(told[0].starts_with("Payable("), "{}", told[0]);
    assert!(
        told[1].starts_with("Err(Error { asked: \"get charge ch_unknown\", kind: NotFound"),
        "{}",
        told[1]
    );
    assert!(told[2].starts_with("Ok(Payable("), "{}", told[2]);
    assert!(told[3].starts_with("Ok(Paid("), "{}", told[3]);
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
        (flow.run)(&mut OnRuntime::new(client), &due);
        let mut by_async = recording.cassette().unwrap();
        by_async.set_notes(flow.committed().notes());
        assert_eq!(by_async, flow.committed(), "{}, async", flow.name);
    }
}
