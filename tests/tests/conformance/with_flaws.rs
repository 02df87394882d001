//! Each flaw breaks its rule and no other.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use strike_conformance::Rule::{self, *};
use strike_core::{Delivery, TransportError, TransportErrorKind};

use crate::flaw::Flaw::{self, *};
use crate::simple_transport;

const TABLE: &[(Rule, &[Flaw])] = &[
    // These two take longest, so they start first.
    (Timeout, &[HasNoTimeout, HasATimeoutForEachRead, TimesOutTooEarly]),
    (BodyLimit, &[HasNoLimit, StopsAtTheLimit, ReadsPastTheLimit, RefusesLargeBodies, HasItsOwnLimit]),
    (
        ExactRequest,
        &[ReplacesTheUserAgent, DropsAuthorization, DropsTheQuery, NormalizesThePath, DropsTheBody, Caches],
    ),
    (NoAddedHeaders, &[AddsAHeader, AsksForGzip, SendsCookies]),
    (NoRedirect, &[FollowsRedirects, FollowsRedirectsToTheSameHost, ReportsRedirectsAsOk]),
    (NoRetry, &[RetriesAfterAClose, RetriesOnAKeptConnection, RetriesAfterA503, RetriesAfterATimeout]),
    (EveryStatus, &[FailsOnClientErrors, ReportsServerErrorsAsOk, DropsBodiesOfErrors, DropsRepeatedHeaders]),
    (CompleteResponse, &[ReturnsTruncatedBodies, ReturnsStalledBodies, AcceptsAnythingAsHttp]),
    (MatchingResponse, &[ReusesUnreadConnections, ReusesConnectionsAfterATimeout]),
    (NewConnection, &[IgnoresNewConnection]),
    (NoDecompression, &[Decompresses]),
    (NoFalseUnsent, &[SaysUnsentAfterAClose, SaysUnsentAfterAReset, SaysUnsentAfterATimeout]),
    (RefusedIsUnsent, &[NeverSaysUnsent]),
    (NoSecretsInErrors, &[RevealsHeaders, RevealsTheKeyAsBytes, RevealsTheHost]),
    (NoPanic, &[PanicsWhenRefused, PanicsOnTheLongestTimeout, PanicsOnTheLargestLimit]),
];

/// A check spends most of its time waiting, so many run at once.
const THREADS: usize = 12;

/// Checks a transport with this flaw. Returns a message if the check does not report this rule alone.
fn unexpected_report(rule: Rule, flaw: Flaw) -> Option<String> {
    let report = strike_conformance::check(simple_transport::transport(Some(flaw))).unwrap();
    let broken: Vec<_> = report.broken_rules().into_iter().collect();
    let Err(violations) = report.into_result() else {
        return Some(format!("{flaw:?} should break {rule:?}, but breaks no rule\n"));
    };
    let text = violations.to_string();
    let named = text.contains(&format!("\n{rule:?}: {rule}\n  BROKEN"));
    (broken != [rule] || !named).then(|| format!("{flaw:?} should break {rule:?} alone: {text}"))
}

/// Such a transport keeps the rules about what is sent, and breaks the others.
#[test]
fn a_transport_that_sends_nothing_breaks_rules() {
    let transport = |_| Err(TransportError::new(TransportErrorKind::ConnectionRefused, Delivery::Unsent));
    let report = strike_conformance::check(transport).unwrap();
    let expected = [
        ExactRequest,
        NoRedirect,
        EveryStatus,
        MatchingResponse,
        NoDecompression,
        Timeout,
        BodyLimit,
        NewConnection,
    ];
    assert_eq!(report.broken_rules(), BTreeSet::from(expected), "{report}");
}

#[test]
fn each_flaw_breaks_its_rule_and_no_other() {
    for rule in Rule::ALL {
        assert!(TABLE.iter().any(|(broken, _)| broken == rule), "{rule:?} has no flaw in the table");
    }
    let flaws = TABLE.iter().flat_map(|&(rule, flaws)| flaws.iter().map(move |&flaw| (rule, flaw)));
    let queue = Mutex::new(flaws);
    let messages = Mutex::new(Vec::new());
    let next = || queue.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((rule, flaw)) = next() {
                    let message = unexpected_report(rule, flaw);
                    messages.lock().unwrap().extend(message);
                }
            });
        }
    });
    let messages = messages.into_inner().unwrap();
    assert!(messages.is_empty(), "{}", messages.concat());
}
