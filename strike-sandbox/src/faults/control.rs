//! Faults as users of a sandbox hold them: given to the builder, changed while it runs.

use super::live::RuleStats;
use super::plan::Plan;
use crate::builder::SandboxBuilder;
use crate::sandbox::Sandbox;

impl SandboxBuilder {
    /// What goes wrong from the start; nothing unless set. A second plan takes the place of the first.
    pub fn faults(mut self, plan: Plan) -> Self {
        self.faults = plan;
        self
    }
}

impl Sandbox {
    /// Adds a plan's rules behind those that stand; they count from here on.
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

    /// Forgets every rule. An exchange that is being struck is struck to its end.
    pub fn clear_faults(&self) {
        self.service().faults_mut().clear();
    }

    /// The plan as it stands, in order, with how often each rule matched and fired.
    #[must_use]
    pub fn faults(&self) -> Vec<RuleStats> {
        self.service().faults().rules().to_vec()
    }
}
