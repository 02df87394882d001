//! The public methods that set, add and clear faults.

use super::live::RuleStats;
use super::plan::Plan;
use crate::builder::SandboxBuilder;
use crate::sandbox::Sandbox;

impl SandboxBuilder {
    /// Sets the initial faults. The default is none. A second call replaces the first plan.
    pub fn faults(mut self, plan: Plan) -> Self {
        self.faults = plan;
        self
    }
}

impl Sandbox {
    /// Adds the rules of a plan at the end. Their counts start at 0.
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

    /// Removes all rules. A fault that is already in progress continues.
    pub fn clear_faults(&self) {
        self.service().faults_mut().clear();
    }

    /// Returns the active rules in order, with their counts.
    #[must_use]
    pub fn faults(&self) -> Vec<RuleStats> {
        self.service().faults().rules().to_vec()
    }
}
