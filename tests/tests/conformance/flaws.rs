//! Each flaw breaks its rule, and no other.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use strike_conformance::Rule::{self, *};
use strike_core::{Delivery, TransportError, TransportErrorKind};

use crate::flaw::Flaw::{self, *};
use crate::naive;

const TABLE: &[(Rule, &[Flaw])] = &[
    (Timeout, &[HasNoTimeout, TimesEachRead, GivesUpHalfway]),
    (
        ExactRequest,
        &[ReplacesTheUserAgent, LosesAuthorization, DropsTheQuery, TidiesThePath, LosesTheBody, Caches],
    ),
    (NothingAdded, &[AddsAHeader, AsksForGzip, KeepsCookies]),
    (NoRedirect, &[FollowsRedirects, FollowsRedirectsOfOneHost, HidesRedirects]),
    (NoRetry, &[RetriesWhenClosed, RetriesOnAKeptConnection, RetriesWhenUnavailable, RetriesUntilInTime]),
    (EveryStatus, &[FailsOnClientErrors, HidesServerErrors, LosesBodiesOfErrors, LosesRepeatedHeaders]),
    (WholeAnswer, &[HandsOverCutBodies, HandsOverStalledBodies, BelievesAnything]),
    (OwnAnswer, &[ReusesUnreadConnections, ReusesConnectionsThatTimedOut]),
    (NewConnection, &[ReusesConnectionsAlways]),
    (NoInflation, &[Inflates]),
    (BodyLimit, &[HasNoLimit, StopsAtTheLimit, ReadsOnBeyondTheLimit, RefusesLargeBodies, HasALimitOfItsOwn]),
    (TrueUnsent, &[SaysUnsentWhenClosed, SaysUnsentWhenReset, SaysUnsentOfTimeouts]),
    (KnownUnsent, &[NeverSaysUnsent]),
    (Secrecy, &[ShowsHeaders, ShowsTheKeyInBytes, ShowsTheHost]),
    (NoPanic, &[PanicsWhenRefused, PanicsOnForever, PanicsWithoutALimit]),
];

/// A check spends its time waiting, so several run side by side.
const LANES: usize = 12;

/// What is wrong with the check of a transport with that flaw, if anything.
fn complaint(rule: Rule, flaw: Flaw) -> Option<String> {
    let report = strike_conformance::check(naive::transport(Some(flaw))).unwrap();
    let broken: Vec<_> = report.broken().into_iter().collect();
    let Err(violations) = report.into_result() else {
        return Some(format!("{flaw:?} goes unnoticed, and should break {rule:?}\n"));
    };
    let told = violations.to_string();
    let named = told.contains(&format!("\n{rule:?}: {rule}\n  BROKEN"));
    (broken != [rule] || !named).then(|| format!("{flaw:?} should break {rule:?} alone: {told}"))
}

/// Who sends nothing breaks no promise about what is sent, and the others all the same.
#[test]
fn doing_nothing_is_not_enough() {
    let nothing = |_| Err(TransportError::new(TransportErrorKind::ConnectionRefused, Delivery::Unsent));
    let report = strike_conformance::check(nothing).unwrap();
    let owed =
        [ExactRequest, NoRedirect, EveryStatus, OwnAnswer, NoInflation, Timeout, BodyLimit, NewConnection];
    assert_eq!(report.broken(), BTreeSet::from(owed), "{report}");
}

#[test]
fn each_flaw_breaks_its_rule_and_no_other() {
    for rule in Rule::ALL {
        assert!(TABLE.iter().any(|(tabled, _)| tabled == rule), "{rule:?} is broken by no flaw");
    }
    let flaws = TABLE.iter().flat_map(|&(rule, flaws)| flaws.iter().map(move |&flaw| (rule, flaw)));
    let queue = Mutex::new(flaws);
    let complaints = Mutex::new(Vec::new());
    let next = || queue.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                while let Some((rule, flaw)) = next() {
                    let complaint = complaint(rule, flaw);
                    complaints.lock().unwrap().extend(complaint);
                }
            });
        }
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(complaints.is_empty(), "{}", complaints.concat());
}
