//! Explores creating a charge once.

use strike_core::{CreateOnce, Made, Once};

use super::{DEEP, Rules, USUAL, key, order, policy, shared_endpoint};
use crate::play::explore;

fn explore_once(name: &str, depth: usize, once: Once, rules: Rules) {
    explore(name, depth, rules, |play| {
        // A recovery starts after a create that may have arrived.
        play.creates = u32::from(name.contains("recover"));
        play.run(&mut CreateOnce::new(order(), once, &shared_endpoint(), policy(), 1), |made| {
            matches!(made, Made::Paid(_))
        });
    });
}

#[test]
fn create_once_with_named_key_keeps_the_machine_contract() {
    explore_once("create once, named", 4, Once::with_key(key()), USUAL);
    explore_once("create once, named, deep", 7, Once::with_key(key()), DEEP);
}

#[test]
fn create_once_with_fresh_key_keeps_the_machine_contract() {
    explore_once("create once, fresh", 4, Once::fresh(key()), USUAL);
    explore_once("create once, fresh, deep", 7, Once::fresh(key()), DEEP);
}

#[test]
fn create_once_recovery_keeps_the_machine_contract() {
    explore_once("create once, recover", 4, Once::recover(key()), USUAL);
    explore_once("create once, recover, deep", 7, Once::recover(key()), DEEP);
}

#[test]
fn create_once_with_repost_keeps_the_machine_contract() {
    explore_once("create once, repost", 4, Once::fresh(key()).repost(true), Rules { repost: true, ..USUAL });
    explore_once(
        "create once, repost, deep",
        8,
        Once::fresh(key()).repost(true),
        Rules { repost: true, ..DEEP },
    );
    explore_once(
        "recover, repost, deep",
        8,
        Once::recover(key()).repost(true),
        Rules { repost: true, ..DEEP },
    );
}
