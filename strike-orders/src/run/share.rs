//! Which share of the pending charges an instance watches.

use crate::store::Fleet;

/// The most charges that change hands in one step.
pub(super) const BATCH: i64 = 1_000;

/// How many charges an instance takes or gives back in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) take: i64,
    pub(super) give_back: i64,
}

/// Returns what an instance that holds `held` charges does next.
///
/// An instance takes what is free, unless it holds a quarter more than its equal share. Then it
/// gives back what it holds beyond that share.
pub(super) fn share(fleet: Fleet, held: i64, max_held: i64) -> Share {
    let take = (max_held - held).clamp(0, BATCH);
    if fleet.with_room < 2 {
        return Share { take, give_back: 0 };
    }
    let equal = fleet.held / fleet.with_room + 1;
    let most = equal + equal / 4 + 10;
    if held > most {
        Share { take: 0, give_back: (held - equal).min(BATCH) }
    } else {
        Share { take, give_back: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_instance_takes_everything_up_to_its_limit() {
        let alone = Fleet { with_room: 1, held: 900 };
        assert_eq!(share(alone, 900, 10_000), Share { take: 1_000, give_back: 0 });
        assert_eq!(share(alone, 900, 950), Share { take: 50, give_back: 0 });
        assert_eq!(share(Fleet { with_room: 0, held: 0 }, 950, 950), Share { take: 0, give_back: 0 });
    }

    #[test]
    fn an_instance_gives_back_what_exceeds_its_equal_share() {
        let fleet = Fleet { with_room: 2, held: 1_000 };
        assert_eq!(share(fleet, 1_000, 10_000), Share { take: 0, give_back: 499 });
        assert_eq!(share(fleet, 0, 10_000), Share { take: 1_000, give_back: 0 });
        assert_eq!(share(fleet, 550, 10_000), Share { take: 1_000, give_back: 0 });
    }
}
