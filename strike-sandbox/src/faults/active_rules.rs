//! The rules in effect: counts requests for each rule and selects the fault for a request.

use std::time::Duration;

use serde::Serialize;
use strike_core::HttpRequest;
use strike_core::http::Method;

use super::fault::Kind;
use super::is_api;
use super::plan::{Plan, Rule};
use crate::entropy::Entropy;

/// A rule, with the number of times it matched and fired.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RuleStats {
    #[serde(flatten)]
    rule: Rule,
    matched: u64,
    fired: u64,
}

impl RuleStats {
    /// Returns the rule.
    #[must_use]
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Returns the number of requests that matched the rule's method and path since it was added.
    #[must_use]
    pub const fn matched(&self) -> u64 {
        self.matched
    }

    /// Returns the number of requests to which the rule applied its fault.
    #[must_use]
    pub const fn fired(&self) -> u64 {
        self.fired
    }
}

/// All rules in effect.
pub(crate) struct ActiveRules {
    /// The plan of the builder, which a reset restores.
    initial: Plan,
    rules: Vec<RuleStats>,
    entropy: Entropy,
}

/// The fault for one request.
pub(crate) struct SelectedFault {
    pub(super) kind: Kind,
    pub(crate) processed: bool,
}

impl ActiveRules {
    pub(crate) fn new(plan: Plan, entropy: Entropy) -> Self {
        let mut active = Self { initial: plan.clone(), rules: Vec::new(), entropy };
        active.add(plan);
        active
    }

    /// Restores the initial plan and uses a new stream of random numbers.
    pub(crate) fn reset(&mut self, entropy: Entropy) {
        *self = Self::new(std::mem::take(&mut self.initial), entropy);
    }

    /// Adds rules after the existing ones.
    pub(crate) fn add(&mut self, plan: Plan) {
        let stats = |rule| RuleStats { rule, matched: 0, fired: 0 };
        self.rules.extend(plan.into_rules().into_iter().map(stats));
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn rules(&self) -> &[RuleStats] {
        &self.rules
    }

    /// Counts a request and returns its fault, if any. Only requests to one of the APIs have faults.
    pub(crate) fn select(&mut self, request: &HttpRequest) -> Option<SelectedFault> {
        if self.rules.is_empty() {
            return None;
        }
        let path: Vec<&str> = request.uri().path().split('/').filter(|segment| !segment.is_empty()).collect();
        if !path.first().is_some_and(|root| is_api(root)) {
            return None;
        }
        let mut selected = None;
        for RuleStats { rule, matched, fired } in &mut self.rules {
            if !rule.matches(request.method(), &path) {
                continue;
            }
            *matched = matched.saturating_add(1);
            // Every rule draws its own number. Otherwise the result of one rule would change the
            // next ones.
            let applies = rule.when.applies(*matched, || self.entropy.fraction());
            if applies && selected.is_none() {
                *fired = fired.saturating_add(1);
                let processed = rule.processed.unwrap_or(rule.fault.is_processed());
                selected = Some(SelectedFault { kind: rule.fault.clone(), processed });
            }
        }
        selected
    }

    pub(super) fn jitter(&mut self, up_to: Duration) -> Duration {
        up_to.mul_f64(self.entropy.fraction())
    }

    /// Returns 256 random bytes from 0x80 to 0xff.
    pub(super) fn garbage(&mut self) -> Vec<u8> {
        (0..8).flat_map(|_| self.entropy.bytes32()).map(|byte| byte | 0x80).collect()
    }
}

impl Rule {
    fn matches(&self, method: &Method, path: &[&str]) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method) && self.path.matches(path)
    }
}
