//! Each flaw breaks its rule, and no other.

use std::thread;

use strike_sandbox::conformance::Rule::{self, *};
use strike_sandbox::conformance::{self};

use crate::flaw::Flaw::{self, *};
use crate::naive;

/// Most of a check is waiting, so that those of one rule can run side by side.
fn break_only(rule: Rule, flaws: &[Flaw]) {
    thread::scope(|scope| {
        for &flaw in flaws {
            scope.spawn(move || {
                let report = conformance::check(naive::transport(Some(flaw))).unwrap();
                let broken: Vec<_> = report.broken().into_iter().collect();
                let told = report.into_result().map_or_else(|found| found.to_string(), |()| String::new());
                assert_eq!(broken, [rule], "{flaw:?}: {told}");
                assert!(told.contains(&format!("{rule:?}: {rule}\n  BROKEN")), "{told}");
            });
        }
    });
}

#[test]
fn requests() {
    break_only(
        ExactRequest,
        &[ReplacesTheUserAgent, LosesAuthorization, DropsTheQuery, TidiesThePath, LosesTheBody, Caches],
    );
}

#[test]
fn additions() {
    break_only(NothingAdded, &[AddsAHeader, AsksForGzip, KeepsCookies]);
}

#[test]
fn redirects() {
    break_only(NoRedirect, &[FollowsRedirects, FollowsRedirectsOfOneHost, HidesRedirects]);
}

#[test]
fn retries() {
    break_only(
        NoRetry,
        &[RetriesWhenClosed, RetriesOnAKeptConnection, RetriesWhenUnavailable, RetriesUntilInTime],
    );
}

#[test]
fn statuses() {
    break_only(
        EveryStatus,
        &[FailsOnClientErrors, HidesServerErrors, LosesBodiesOfErrors, LosesRepeatedHeaders],
    );
}

#[test]
fn half_answers() {
    break_only(WholeAnswer, &[HandsOverCutBodies, HandsOverStalledBodies, BelievesAnything]);
}

#[test]
fn compression() {
    break_only(NoInflation, &[Inflates]);
}

#[test]
fn timeouts() {
    break_only(Timeout, &[HasNoTimeout, TimesEachRead, GivesUpHalfway]);
}

#[test]
fn limits() {
    break_only(
        BodyLimit,
        &[HasNoLimit, StopsAtTheLimit, ReadsOnBeyondTheLimit, RefusesLargeBodies, HasALimitOfItsOwn],
    );
}

#[test]
fn delivery() {
    break_only(TrueUnsent, &[SaysUnsentWhenClosed, SaysUnsentOfTimeouts]);
    break_only(KnownUnsent, &[NeverSaysUnsent]);
}

#[test]
fn secrets() {
    break_only(Secrecy, &[ShowsHeaders, ShowsTheKeyInBytes, ShowsTheHost]);
}

#[test]
fn panics() {
    break_only(NoPanic, &[PanicsWhenRefused, PanicsOnForever, PanicsWithoutALimit]);
}
