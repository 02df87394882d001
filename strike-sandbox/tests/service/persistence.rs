//! Data files: a sandbox that is reopened has the same charges, keys and time.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use strike_core::{Network, UnixMillis};
use strike_sandbox::{PayError, Sandbox};
use tempfile::TempDir;

use crate::support::{FORM, NOW, any_charge, builder, get, id, json, post, text};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn open(file: &Path) -> Sandbox {
    builder().data(file).open().expect("the data file opens")
}

fn list(sandbox: &Sandbox) -> String {
    text(&get(sandbox, "charges?size=1000")).to_owned()
}

#[derive(Clone, Debug)]
enum Action {
    Create { description: String, customer_id: Option<String>, expiry: Option<u64> },
    Pay(usize),
    Advance(u64),
}

fn any_action() -> impl Strategy<Value = Action> {
    let text = |max_length: usize| {
        proptest::collection::vec(any::<char>(), 0..max_length).prop_map(String::from_iter)
    };
    prop_oneof![
        4 => (text(8), proptest::option::of(text(4)), proptest::option::of(1..5000_u64)).prop_map(
            |(description, customer_id, expiry)| Action::Create { description, customer_id, expiry }
        ),
        2 => (0..6_usize).prop_map(Action::Pay),
        1 => (0..4_000_000_u64).prop_map(Action::Advance),
    ]
}

/// Performs an action and returns what a client sees.
fn act(sandbox: &Sandbox, action: &Action) -> String {
    match action {
        Action::Create { description, customer_id, expiry } => {
            let mut body = form_urlencoded::Serializer::new("amount=42&currency=btc".to_owned());
            body.append_pair("description", description);
            if let Some(customer_id) = customer_id {
                body.append_pair("customer_id", customer_id);
            }
            if let Some(expiry) = expiry {
                body.append_pair("expiry_sec", &expiry.to_string());
            }
            text(&post(sandbox, FORM, &body.finish())).to_owned()
        }
        Action::Pay(row) => {
            let page = json(&get(sandbox, &format!("charges?page={row}&size=1")));
            match page.as_array().and_then(|rows| rows.first()) {
                Some(charge) => format!("{:?}", sandbox.pay(&id(charge))),
                None => String::new(),
            }
        }
        Action::Advance(millis) => {
            sandbox.advance(Duration::from_millis(*millis));
            sandbox.now().as_millis().to_string()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Restarting at any point changes no response, including later ids, invoices and times.
    #[test]
    fn restarts_do_not_change_any_response(steps in proptest::collection::vec((any_action(), any::<bool>()), 1..14)) {
        let folder = folder();
        let file = folder.path().join("shop.sqlite");
        let in_memory = builder().build();
        let mut sandbox = open(&file);
        for (action, restart) in steps {
            if restart {
                drop(sandbox);
                sandbox = open(&file);
            }
            prop_assert_eq!(act(&sandbox, &action), act(&in_memory, &action), "{:?}", action);
        }
        drop(sandbox);
        prop_assert_eq!(list(&open(&file)), list(&in_memory));
    }
}

#[test]
fn api_key_and_node_key_survive_a_restart() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let with_stored_keys = || Sandbox::builder().network(Network::Regtest).data(&file);
    let first = with_stored_keys().open().expect("the data file opens");
    let (key, payee) = (first.api_key().to_owned(), first.payee().to_owned());
    drop(first);

    let second = with_stored_keys().open().expect("the data file opens");
    assert_eq!((second.api_key(), second.payee()), (&*key, &*payee));
    drop(second);
    // An explicit API key replaces the stored one. A seed has no effect on an existing file.
    let builder = Sandbox::builder().network(Network::Regtest).api_key("sk_new").seed(1);
    assert_eq!(builder.data(&file).open().expect("the data file opens").payee(), payee);
    assert_eq!(with_stored_keys().open().expect("the data file opens").api_key(), "sk_new");
}

#[test]
fn clock_offset_survives_a_restart_and_time_never_goes_back() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let system = || Sandbox::builder().api_key("sk_demo").data(&file).open().expect("the data file opens");
    let (before, charge) = {
        let sandbox = system();
        let charge = any_charge(&sandbox);
        let hour = Duration::from_secs(3600);
        let moved = sandbox.now().saturating_add(hour);
        sandbox.advance(hour);
        (moved, charge)
    };
    let sandbox = system();
    assert!(sandbox.now() >= before);
    assert_eq!(sandbox.pay(&charge), Err(PayError::Expired));
    drop(sandbox);

    let sandbox = Sandbox::builder().clock_at(NOW).data(&file).open().expect("the data file opens");
    assert!(sandbox.now() >= before, "a manual clock starts after the last change");
    drop(sandbox);
    let later = before.saturating_add(Duration::from_secs(86_400));
    let sandbox = Sandbox::builder().clock_at(later).data(&file).open().expect("the data file opens");
    assert_eq!(sandbox.now(), later);
    drop(sandbox);
    // No change was made at the manual time, so it was not stored.
    assert!(system().now() < later);
}

#[test]
fn latest_timestamp_survives_a_restart() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let end = {
        let sandbox = open(&file);
        sandbox.advance(Duration::MAX);
        sandbox.now()
    };
    assert_eq!(open(&file).now(), end);
    let system = Sandbox::builder().data(&file).open().expect("the data file opens");
    assert!(end > UnixMillis::from_secs(30_000_000_000) && system.now() == end);
}

#[test]
fn file_is_closed_when_the_last_clone_is_dropped() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let sandbox = open(&file);
    let clone = sandbox.clone();
    drop(sandbox);
    any_charge(&clone);
    assert!(builder().data(&file).open().is_err());
    drop(clone);
    assert_eq!(open(&file).charges(), 1);
}

#[test]
fn creates_of_many_threads_are_all_stored() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let sandbox = open(&file);
    let create = || (0..5).map(|_| any_charge(&sandbox)).collect::<Vec<_>>();
    let mut acknowledged: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(create)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    drop(sandbox);
    let mut stored: Vec<_> = open(&file).list_all().iter().map(|charge| charge.id().clone()).collect();
    acknowledged.sort();
    stored.sort();
    assert_eq!(stored, acknowledged);
}
