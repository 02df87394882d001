//! A plan is an ordered list of rules, written in Rust or JSON.

use std::fmt;

use serde::{Deserialize, Serialize};
use strike_core::http::Method;

use super::error::PlanError;
use super::fault::{Fault, Kind};
use super::json;
use super::request_match::{Match, Pattern, When};

/// An ordered list of rules. The [module](super) explains which rule fires.
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

/// One rule of a plan. `Display` writes its JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a rule: an object with the field `fault`")]
pub struct Rule {
    #[serde(
        default,
        serialize_with = "json::write_method",
        deserialize_with = "json::method",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) method: Option<Method>,
    #[serde(default)]
    pub(super) path: Pattern,
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub(super) when: When,
    pub(super) fault: Kind,
    #[serde(default, deserialize_with = "json::flag", skip_serializing_if = "Option::is_none")]
    pub(super) processed: Option<bool>,
}

impl Plan {
    /// Creates a plan without rules.
    pub const fn new() -> Self {
        Self { rules: Vec::new() }
    }

    /// Adds a rule after the existing ones.
    pub fn on(mut self, requests: Match, fault: Fault) -> Self {
        let Match { method, path, when } = requests;
        let Fault { kind, processed } = fault;
        self.rules.push(Rule { method, path, when, fault: kind, processed });
        self
    }

    /// Parses a plan from JSON: an object with one field `faults`, which is a list of rules.
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
    /// [`PlanError`] if a field is unknown, missing, duplicate, of the wrong type or out of range.
    /// It names the field, the line and the column.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        // Some Windows editors write a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let plan = serde_path_to_error::deserialize(&mut deserializer).map_err(PlanError::of)?;
        deserializer.end().map_err(PlanError::trailing)?;
        Ok(plan)
    }

    /// Returns the plan as JSON that [`from_json`](Self::from_json) can parse.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A plan contains only strings, numbers and lists, so serialization cannot fail.
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
