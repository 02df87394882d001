//! What came of a check: what was done, what was seen and what the rule expects, rule by rule.

use std::collections::BTreeSet;
use std::fmt;

use super::Rule;

/// One look at one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Which rule was looked at.
    pub rule: Rule,
    /// What the transport was given, and what the server did to it.
    pub done: String,
    /// What was seen of it.
    pub seen: String,
    /// What the rule expects.
    pub expected: String,
    /// Whether the rule was kept.
    pub kept: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, seen, expected, kept, .. } = self;
        match kept {
            true => write!(f, "ok      {done}: {seen}"),
            false => write!(f, "BROKEN  {done}\n          seen:     {seen}\n          expected: {expected}"),
        }
    }
}

/// All that was found. Its `Display` is the whole list, broken or not, by rules.
#[derive(Debug, Clone)]
#[must_use = "a report that nobody reads finds nothing"]
pub struct Report(Vec<Finding>);

impl Report {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.rule);
        Self(findings)
    }

    /// Each look that was taken, in the order of the rules.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }

    /// The rules that were broken at least once; none of a transport that keeps them all.
    #[must_use]
    pub fn broken(&self) -> BTreeSet<Rule> {
        self.0.iter().filter(|finding| !finding.kept).map(|finding| finding.rule).collect()
    }

    /// For a test, to `?` or to unwrap.
    ///
    /// # Errors
    /// If a rule was broken: everything that was found to break one.
    pub fn into_result(self) -> Result<(), Violations> {
        let broken: Vec<_> = self.0.into_iter().filter(|finding| !finding.kept).collect();
        if broken.is_empty() { Ok(()) } else { Err(Violations(broken)) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, &self.0)
    }
}

/// What breaks the rules. Both its `Display` and its `Debug` are the readable list, since an unwrapped error shows the
/// latter.
#[derive(Clone, PartialEq, Eq)]
pub struct Violations(Vec<Finding>);

impl Violations {
    /// Each finding that breaks a rule, in the order of the rules.
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

/// Every finding below the name of its rule.
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
