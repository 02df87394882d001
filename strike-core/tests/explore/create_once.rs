//! Explores creating a charge once.

use strike_core::{CoreClient, CreateOnceOptions, CreateOutcome};

use super::{DEEP, Rules, USUAL, key, order, policy, shared_endpoint};
use crate::play::explore;

fn explore_once(name: &str, depth: usize, once: CreateOnceOptions, rules: Rules) {
    explore(name, depth, rules, |play| {
        // A recovery starts after a create that may have arrived.
        play.creates = u32::from(name.contains("recover"));
        play.run(&mut CoreClient::new(shared_endpoint(), policy(), 1).create_once(order(), once), |made| {
            matches!(made, CreateOutcome::Paid(_))
        });
    });
}

#[test]
fn create_once_with_named_key_keeps_the_machine_contract() {
    explore_once("create once, named", 4, CreateOnceOptions::with_key(key()), USUAL);
    explore_once("create once, named, deep", 7, CreateOnceOptions::with_key(key()), DEEP);
}

#[test]
fn create_once_with_fresh_key_keeps_the_machine_contract() {
    explore_once("create once, fresh", 4, CreateOnceOptions::fresh(key()), USUAL);
    explore_once("create once, fresh, deep", 7, CreateOnceOptions::fresh(key()), DEEP);
}

#[test]
fn create_once_recovery_keeps_the_machine_contract() {
    explore_once("create once, recover", 4, CreateOnceOptions::recover(key()), USUAL);
    explore_once("create once, recover, deep", 7, CreateOnceOptions::recover(key()), DEEP);
}

#[test]
fn create_once_with_repost_keeps_the_machine_contract() {
    explore_once(
        "create once, repost",
        4,
        CreateOnceOptions::fresh(key()).repost(true),
        Rules { repost: true, ..USUAL },
    );
    explore_once(
        "create once, repost, deep",
        8,
        CreateOnceOptions::fresh(key()).repost(true),
        Rules { repost: true, ..DEEP },
    );
    explore_once(
        "recover, repost, deep",
        8,
        CreateOnceOptions::recover(key()).repost(true),
        Rules { repost: true, ..DEEP },
    );
}
