//! Explores creating a charge once.

use super::{DEEP, Rules, USUAL, at, key, order, policy};
use crate::play::explore;
use strike_core::{CreateOnce, Made, Once};

fn once(name: &str, depth: usize, once: Once, rules: Rules) {
    explore(name, depth, rules, |play| {
        // A recovery starts after a create that may have arrived.
        play.acted = u32::from(name.contains("recover"));
        play.run(&mut CreateOnce::new(order(), once, &at(), policy(), 1), |made| {
            matches!(made, Made::Paid(_))
        });
    });
}

#[test]
fn create_once_with_named_key_keeps_the_machine_contract() {
    once("create once, named", 4, Once::with_key(key()), USUAL);
    once("create once, named, deep", 7, Once::with_key(key()), DEEP);
}

#[test]
fn create_once_with_fresh_key_keeps_the_machine_contract() {
    once("create once, fresh", 4, Once::fresh(key()), USUAL);
    once("create once, fresh, deep", 7, Once::fresh(key()), DEEP);
}

#[test]
fn create_once_recovery_keeps_the_machine_contract() {
    once("create once, recover", 4, Once::recover(key()), USUAL);
    once("create once, recover, deep", 7, Once::recover(key()), DEEP);
}

#[test]
fn create_once_with_repost_keeps_the_machine_contract() {
    once("create once, may post again", 4, Once::fresh(key()).repost(true), Rules { repost: true, ..USUAL });
    once(
        "create once, may post again, deep",
        8,
        Once::fresh(key()).repost(true),
        Rules { repost: true, ..DEEP },
    );
    once(
        "recover, may post again, deep",
        8,
        Once::recover(key()).repost(true),
        Rules { repost: true, ..DEEP },
    );
}
