//! The methods of the sandbox and its builder that set, list and clear faults.

use super::active_rules::RuleStats;
use super::plan::Plan;
use crate::builder::SandboxBuilder;
use crate::sandbox::Sandbox;

impl SandboxBuilder {
    /// Sets the faults that the sandbox starts with. Default: none.
    ///
    /// A second call replaces the first plan.
    pub fn faults(mut self, plan: Plan) -> Self {
        self.faults = plan;
        self
    }
}

impl Sandbox {
    /// Adds the rules of a plan after the existing rules.
    ///
    /// The new rules count requests from now on.
    ///
    /// ```
    /// use strike_sandbox::Sandbox;
    /// use strike_sandbox::faults::{Fault, Match, Plan};
    ///
    /// let sandbox = Sandbox::new();
    /// sandbox.add_faults(Plan::new().on(Match::list(), Fault::garbage()));
    /// assert_eq!(sandbox.faults().len(), 1);
    /// sandbox.clear_faults();
    /// assert!(sandbox.faults().is_empty());
    /// ```
    pub fn add_faults(&self, plan: Plan) {
        self.service().faults_mut().add(plan);
    }

    /// Removes all rules. A fault that is already in progress continues to its end.
    pub fn clear_faults(&self) {
        self.service().faults_mut().clear();
    }

    /// Returns the current rules in order, with the number of times each one matched and fired.
    #[must_use]
    pub fn faults(&self) -> Vec<RuleStats> {
        self.service().faults().rules().to_vec()
    }
}
