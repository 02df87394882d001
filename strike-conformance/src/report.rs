//! The result of a check: for each scenario what was observed and what was expected, grouped by rule.

use std::collections::BTreeSet;
use std::fmt;

use super::Rule;

/// One observation, and whether it keeps its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that was checked.
    pub rule: Rule,
    /// What the transport was asked to do, and what the server did.
    pub scenario: String,
    /// What was observed.
    pub observed: String,
    /// What the rule requires.
    pub expected: String,
    /// True if the rule was kept.
    pub passed: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, observed, expected, passed, .. } = self;
        match passed {
            true => write!(f, "ok      {scenario}: {observed}"),
            false => write!(
                f,
                "BROKEN  {scenario}\n          observed: {observed}\n          expected: {expected}"
            ),
        }
    }
}

/// All findings of a check. Its `Display` prints every one, kept or broken, grouped by rule.
#[derive(Debug, Clone)]
#[must_use = "call `into_result` to fail on broken rules"]
pub struct Report(Vec<Finding>);

impl Report {
    pub(crate) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.rule);
        Self(findings)
    }

    /// Returns every finding, in the order of [`Rule::ALL`].
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }

    /// Returns the rules that were broken at least once. The set is empty if the transport keeps every rule.
    #[must_use]
    pub fn broken_rules(&self) -> BTreeSet<Rule> {
        self.0.iter().filter(|finding| !finding.passed).map(|finding| finding.rule).collect()
    }

    /// Returns an error if a rule was broken, for use with `?` or `unwrap` in a test.
    ///
    /// # Errors
    /// If a rule was broken. The error has every finding that breaks a rule.
    pub fn into_result(self) -> Result<(), Violations> {
        let broken: Vec<_> = self.0.into_iter().filter(|finding| !finding.passed).collect();
        if broken.is_empty() { Ok(()) } else { Err(Violations(broken)) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, &self.0)
    }
}

/// The findings that break a rule.
///
/// `Debug` prints the same readable list as `Display`, because `unwrap` shows `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Violations(Vec<Finding>);

impl Violations {
    /// Returns each finding that breaks a rule, in the order of [`Rule::ALL`].
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the transport breaks rules:\n")?;
        list(f, &self.0)
    }
}

impl fmt::Debug for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violations {}

/// Prints the findings, each below the name of its rule.
fn list(f: &mut fmt::Formatter<'_>, findings: &[Finding]) -> fmt::Result {
    for &rule in Rule::ALL {
        let mut of_rule = findings.iter().filter(|finding| finding.rule == rule).peekable();
        if of_rule.peek().is_some() {
            writeln!(f, "{rule:?}: {rule}")?;
        }
        of_rule.try_for_each(|finding| writeln!(f, "  {finding}"))?;
    }
    Ok(())
}
