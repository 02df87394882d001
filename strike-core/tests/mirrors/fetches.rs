//! Tests of mirrors with a simulated host: creating, retrieving and restarting.

use lightning_invoice::Currency;
use serde_json::json;
use strike_core::machine::{Machine, OrderRecord, Step};
use strike_core::mirror::{Change, Mirror, Query, State};
use strike_core::{CoreClient, Error, ErrorKind, OrderKey, RetryPolicy};

use super::{WANTS, draft, known, machines, paid_charge, pending, restored, start};
use crate::support;
use crate::support::host::{Fault, Host};
use crate::support::{START, Virtual, charge_json, endpoint, ok, respond};

#[test]
fn redirected_create_is_not_posted_again() {
    let machines = CoreClient::new(endpoint(), RetryPolicy::default(), 1);
    let mut mirror = draft();
    let mut posts = 0;
    for _ in 0..3 {
        let mut world = Virtual::new();
        let result =
            world.run(&mut mirror.fetch(Query::Charge, &machines).with_new_key(true), |exchange, _| {
                posts += usize::from(exchange.request.method() == "POST");
                respond(303, "")
            });
        result.unwrap_err();
        assert_eq!(mirror.state(), State::InDoubt);
    }
    assert_eq!(posts, 1);
}

#[test]
fn copies_of_a_draft_create_one_charge() {
    // Both copies share the key record of one client. The list does not show the charge yet.
    let mut host = Host::new();
    host.hidden = 1000;
    let (mut one, mut record) = (draft(), OrderRecord::default());
    let mut two = one.clone();
    for mirror in [&mut one, &mut two] {
        let machines = machines();
        let mut fetch = mirror.fetch_with(Query::Id, &machines, &mut record).with_new_key(true);
        let result = Virtual::new().run_losing(&mut fetch, |exchange, now| host.serve(&exchange, *now));
        assert_eq!(result.unwrap(), Change::Learned);
    }
    assert_eq!((one.id(), host.sent("POST")), (two.id(), 1));

    // Without a shared record, the second copy finds the charge in the list.
    let mut host = Host::new();
    let mut one = draft();
    let mut two = one.clone();
    fetch(&mut one, Query::Id, &mut host).0.unwrap();
    fetch(&mut two, Query::Id, &mut host).0.unwrap();
    assert_eq!((one.id(), host.sent("POST")), (two.id(), 1));
}

#[test]
fn charge_is_stored_although_clocks_disagree_on_its_expiry() {
    let mut host = Host::new();
    let mut mirror = draft();
    fetch(&mut mirror.clone(), Query::Id, &mut host).0.unwrap();
    let invoice = support::invoices::written(Currency::BitcoinTestnet, 4_200_000, "tea", Some(7200));
    host.rows[0]["payment_request"] = json!(invoice);
    // The host's clock is three hours ahead.
    host.clock += 3 * 3_600_000;
    assert_eq!(fetch(&mut mirror, Query::Id, &mut host).0.unwrap(), Change::Learned);
    assert_eq!((mirror.id().unwrap().as_str(), host.sent("POST")), ("ch_1", 1));
}

/// Fetches with an order key that was not used before, and returns the requests sent.
fn fetch_new(mirror: &mut Mirror, want: Query, host: &mut Host) -> (Result<Change, Error>, Vec<String>) {
    let before = host.log.len();
    let machines = machines();
    let mut fetch = mirror.fetch(want, &machines).with_new_key(true);
    let result = Virtual::new().run_losing(&mut fetch, |exchange, now| host.serve(&exchange, *now));
    (result, host.log[before..].to_vec())
}

/// Fetches, and returns the requests sent.
fn fetch(mirror: &mut Mirror, want: Query, host: &mut Host) -> (Result<Change, Error>, Vec<String>) {
    let before = host.log.len();
    let machines = machines();
    let result = Virtual::new()
        .run_losing(&mut mirror.fetch(want, &machines), |exchange, now| host.serve(&exchange, *now));
    (result, host.log[before..].to_vec())
}

#[test]
fn mirror_sends_the_same_requests_as_pystrike() {
    let mut host = Host::new();
    // charge = Charge(amount, currency, description, create=False): nothing is sent.
    let mut mirror = draft();
    assert_eq!((mirror.id(), host.log.len()), (None, 0));
    // charge.id: created on first use, and only then.
    let (change, sent) = fetch_new(&mut mirror, Query::Id, &mut host);
    assert_eq!((change.unwrap(), sent), (Change::Learned, vec!["POST /api/v1/charges".to_owned()]));
    for want in [Query::Id, Query::Charge] {
        let (change, sent) = fetch(&mut mirror, want, &mut host);
        assert_eq!((change.unwrap(), sent.len()), (Change::Nothing, 0));
    }
    // charge.paid: requested each time until it is true, and not after.
    let get = vec!["GET /api/v1/charges/ch_1".to_owned()];
    for _ in 0..3 {
        let (change, sent) = fetch(&mut mirror, Query::Paid, &mut host);
        assert_eq!((change.unwrap(), &sent), (Change::Nothing, &get));
    }
    host.pay("ch_1", START + 1);
    let (change, sent) = fetch(&mut mirror, Query::Paid, &mut host);
    assert_eq!((change.unwrap(), sent), (Change::Paid, get));
    for want in WANTS {
        let (change, sent) = fetch(&mut mirror, want, &mut host);
        assert_eq!((change.unwrap(), sent.len()), (Change::Nothing, 0), "{want:?}");
    }

    // charge.update() creates a charge without an id, and retrieves one with an id.
    let mut mirror = draft();
    let lines: Vec<_> = (0..2).flat_map(|_| fetch_new(&mut mirror, Query::Update, &mut host).1).collect();
    assert_eq!(lines, ["POST /api/v1/charges", "GET /api/v1/charges/ch_2"]);

    // Charge.from_charge_id(id): the id needs no request, and the rest is retrieved once.
    let mut mirror = Mirror::known("ch_2".parse().unwrap());
    assert_eq!(fetch(&mut mirror, Query::Id, &mut host).1.len(), 0);
    assert_eq!(fetch(&mut mirror, Query::Charge, &mut host).1, ["GET /api/v1/charges/ch_2"]);
    assert_eq!(fetch(&mut mirror, Query::Charge, &mut host).1.len(), 0);
    assert_eq!(mirror.charge().unwrap().amount().get(), 4200);

    // An unknown id is requested each time, and each time it is an error.
    let mut mirror = Mirror::known("ch_99".parse().unwrap());
    for _ in 0..2 {
        let (result, sent) = fetch(&mut mirror, Query::Charge, &mut host);
        assert_eq!((result.unwrap_err().kind(), sent.len()), (&ErrorKind::NotFound, 1));
    }
}

#[test]
fn charge_in_doubt_is_found_and_not_created_again() {
    let mut host = Host::new();
    host.posts = [Fault::ReplyLost].into();
    host.lists = [Fault::Before(500)].into();
    let mut mirror = draft();
    let (result, _) = fetch_new(&mut mirror, Query::Id, &mut host);
    assert_eq!((result.unwrap_err().kind(), mirror.state()), (&ErrorKind::OutcomeUnknown, State::InDoubt));
    let mut mirror = restored(&mirror);
    assert_eq!(fetch(&mut mirror, Query::Paid, &mut host).0.unwrap(), Change::Learned);
    assert_eq!((mirror.id().unwrap().as_str(), host.sent("POST")), ("ch_1", 1));

    // A create that never arrived stays in doubt until it is abandoned.
    let mut host = Host::new();
    host.posts = [Fault::RequestLost].into();
    let mut mirror = draft();
    for _ in 0..3 {
        let (result, _) = fetch_new(&mut mirror, Query::Id, &mut host);
        assert_eq!((result.unwrap_err().kind(), host.sent("POST")), (&ErrorKind::OutcomeUnknown, 1));
    }
    mirror.abandon(OrderKey::from_entropy(8), start());
    assert_eq!(fetch(&mut mirror, Query::Id, &mut host).0.unwrap(), Change::Learned);
    assert_eq!((host.rows.len(), host.sent("POST")), (1, 2));
}

#[test]
fn rejected_create_returns_to_the_draft_state() {
    let mut host = Host::new();
    host.posts = [Fault::Before(401)].into();
    let mut mirror = draft();
    let (result, _) = fetch_new(&mut mirror, Query::Id, &mut host);
    assert_eq!((result.unwrap_err().kind(), mirror.state()), (&ErrorKind::Unauthorized, State::Draft));
    assert_eq!(fetch_new(&mut mirror, Query::Id, &mut host).1, ["POST /api/v1/charges"]);
}

#[test]
fn restored_draft_searches_the_list_before_it_creates() {
    // The draft is saved before the create is sent and arrives. Then the shop crashes.
    let mut host = Host::new();
    let mut mirror = draft();
    let saved = serde_json::to_string(&mirror).unwrap();
    fetch(&mut mirror, Query::Id, &mut host).0.unwrap();
    let mut mirror: Mirror = serde_json::from_str(&saved).unwrap();
    assert_eq!(fetch(&mut mirror, Query::Id, &mut host).0.unwrap(), Change::Learned);
    assert_eq!((mirror.id().unwrap().as_str(), host.sent("POST")), ("ch_1", 1));
}

#[test]
fn dropped_fetch_leaves_the_mirror_in_doubt() {
    let machines = machines();
    let mut mirror = draft();
    let now = Virtual::new().now;
    // A machine that was not polled has sent no request.
    drop(mirror.fetch(Query::Id, &machines));
    assert_eq!(mirror.state(), State::Draft);
    let mut machine = mirror.fetch(Query::Id, &machines);
    assert!(matches!(machine.poll(now), Step::Send(_)));
    drop(machine);
    assert_eq!(mirror.state(), State::InDoubt);
    // The response was handled, but the machine was dropped before the next poll.
    let mut mirror = draft();
    let mut machine = mirror.fetch(Query::Id, &machines);
    assert!(matches!(machine.poll(now), Step::Send(_)));
    machine.handle(ok(&charge_json(&[])), now);
    drop(machine);
    assert_eq!(mirror.state(), State::InDoubt);
}

#[test]
fn fetch_ignores_responses_after_its_end() {
    let machines = machines();
    let mut mirror = known();
    let mut machine = mirror.fetch(Query::Paid, &machines);
    let mut world = Virtual::new();
    world.run(&mut machine, |_, _| ok(&charge_json(&[]))).unwrap();
    machine.handle(ok(&serde_json::to_value(paid_charge()).unwrap()), world.now);
    let Step::Done(Err(error)) = machine.poll(world.now) else { panic!() };
    assert_eq!(error.kind(), &ErrorKind::AlreadyFinished);
    drop(machine);
    assert_eq!(mirror.state(), State::Pending, "an unexpected response was used");
}

#[test]
fn different_charge_is_rejected_and_not_stored() {
    let machines = machines();
    let mut mirror = pending();
    let other = charge_json(&[("payment_hash", json!("cd".repeat(32))), ("paid", json!(true))]);
    let error = Virtual::new().run(&mut mirror.fetch(Query::Paid, &machines), |_, _| ok(&other)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Mismatch(mismatch) if mismatch.field() == "payment_hash"));
    assert_eq!(mirror.state(), State::Pending);
}
