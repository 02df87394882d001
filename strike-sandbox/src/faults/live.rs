//! The active rules, with counts of how often each matched and applied.

use std::time::Duration;

use serde::Serialize;
use strike_core::HttpRequest;
use strike_core::http::Method;

use super::fault::Kind;
use super::plan::{Plan, Rule};
use crate::entropy::Entropy;

/// A rule with its counts.
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

    /// Returns how many requests matched its method and path since it was added.
    #[must_use]
    pub const fn matched(&self) -> u64 {
        self.matched
    }

    /// Returns how many times its fault was applied.
    #[must_use]
    pub const fn fired(&self) -> u64 {
        self.fired
    }
}

/// The plan as it stands.
pub(crate) struct Faults {
    /// What there was to begin with.
    first: Plan,
    rules: Vec<RuleStats>,
    entropy: Entropy,
}

/// What is to become of a request.
pub(crate) struct Due {
    pub(super) kind: Kind,
    pub(crate) processed: bool,
}

impl Faults {
    pub(crate) fn new(plan: Plan, entropy: Entropy) -> Self {
        let mut faults = Self { first: plan.clone(), rules: Vec::new(), entropy };
        faults.add(plan);
        faults
    }

    /// Goes back to the plan that there was to begin with, and draws from this stream from here on.
    pub(crate) fn reset(&mut self, entropy: Entropy) {
        *self = Self::new(std::mem::take(&mut self.first), entropy);
    }

    /// Adds rules at the end.
    pub(crate) fn add(&mut self, plan: Plan) {
        let counted = |rule| RuleStats { rule, matched: 0, fired: 0 };
        self.rules.extend(plan.into_rules().into_iter().map(counted));
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn rules(&self) -> &[RuleStats] {
        &self.rules
    }

    /// Counts a request, and tells what is to become of it; `None` if nothing goes wrong. Only the API has faults.
    pub(crate) fn due(&mut self, request: &HttpRequest) -> Option<Due> {
        if self.rules.is_empty() {
            return None;
        }
        let path: Vec<&str> = request.uri().path().split('/').filter(|segment| !segment.is_empty()).collect();
        if path.first() != Some(&"api") {
            return None;
        }
        let mut due = None;
        for RuleStats { rule, matched, fired } in &mut self.rules {
            if !rule.is_for(request.method(), &path) {
                continue;
            }
            *matched = matched.saturating_add(1);
            // Each rule draws for itself, so that what one draws does not depend on whether another fired.
            let is_due = rule.when.is_due(*matched, || self.entropy.fraction());
            if is_due && due.is_none() {
                *fired = fired.saturating_add(1);
                let processed = rule.processed.unwrap_or(rule.fault.is_processed());
                due = Some(Due { kind: rule.fault.clone(), processed });
            }
        }
        due
    }

    pub(super) fn jitter(&mut self, up_to: Duration) -> Duration {
        up_to.mul_f64(self.entropy.fraction())
    }

    pub(super) fn noise(&mut self) -> Vec<u8> {
        (0..8).flat_map(|_| self.entropy.bytes32()).map(|byte| byte | 0x80).collect()
    }
}

impl Rule {
    fn is_for(&self, method: &Method, path: &[&str]) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method) && self.path.fits(path)
    }
}
