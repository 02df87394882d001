//! [`Plan`]: an ordered list of rules, built in Rust or read from JSON.

use std::fmt;

use serde::{Deserialize, Serialize};
use strike_core::http::Method;

use super::error::PlanError;
use super::fault::{Fault, Kind};
use super::on::{Match, Pattern, When};
use super::shape;

/// An ordered list of fault rules. The [module](super) documentation says which rule applies.
///
/// ```
/// use strike_core::http::StatusCode;
/// use strike_sandbox::faults::{After, Fault, Match, Plan};
///
/// let plan = Plan::new()
///     .on(Match::create().nth(2), Fault::cut(After::BodyBytes(10)))
///     .on(Match::any().chance(0.05), Fault::status(StatusCode::SERVICE_UNAVAILABLE));
/// assert_eq!(Plan::from_json(&plan.to_json())?, plan);
/// # Ok::<(), strike_sandbox::faults::PlanError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with the field `faults`")]
#[must_use]
pub struct Plan {
    #[serde(rename = "faults")]
    rules: Vec<Rule>,
}

/// One rule of a plan. `Display` writes it as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a rule: an object with the field `fault`")]
pub struct Rule {
    #[serde(
        default,
        serialize_with = "shape::write_method",
        deserialize_with = "shape::method",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) method: Option<Method>,
    #[serde(default)]
    pub(super) path: Pattern,
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub(super) when: When,
    pub(super) fault: Kind,
    #[serde(default, deserialize_with = "shape::flag", skip_serializing_if = "Option::is_none")]
    pub(super) processed: Option<bool>,
}

impl Plan {
    /// Returns a plan without rules.
    pub const fn new() -> Self {
        Self { rules: Vec::new() }
    }

    /// Adds a rule at the end.
    pub fn on(mut self, on: Match, fault: Fault) -> Self {
        let Match { method, path, when } = on;
        let Fault { kind, processed } = fault;
        self.rules.push(Rule { method, path, when, fault: kind, processed });
        self
    }

    /// Reads a plan from JSON: an object with the one field `faults`, a list of rules.
    ///
    /// ```
    /// use strike_sandbox::faults::{Fault, Match, Plan};
    ///
    /// let plan = r#"{"faults": [
    ///     {"method": "POST", "path": "/api/v1/charges", "when": {"first": 1}, "fault": "close"}
    /// ]}"#;
    /// assert_eq!(Plan::from_json(plan)?, Plan::new().on(Match::create().first(1), Fault::close()));
    ///
    /// let wrong = Plan::from_json(r#"{"faults": [{"fault": {"drip": {"every_ms": "50"}}}]}"#).unwrap_err();
    /// assert_eq!(wrong.field(), "faults[0].fault.drip.every_ms");
    /// # Ok::<(), strike_sandbox::faults::PlanError>(())
    /// ```
    ///
    /// # Errors
    /// Returns a [`PlanError`](super::PlanError) with field, line and column if a field is unknown,
    /// missing, repeated, of the wrong type or out of range.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        // Editors of Windows put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut json = serde_json::Deserializer::from_str(text);
        let plan = serde_path_to_error::deserialize(&mut json).map_err(PlanError::of)?;
        json.end().map_err(PlanError::behind)?;
        Ok(plan)
    }

    /// Returns the plan as JSON that [`from_json`](Self::from_json) can read.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts, numbers and lists of them: nothing that JSON cannot hold.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Returns the rules in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(super) fn into_rules(self) -> Vec<Rule> {
        self.rules
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}
