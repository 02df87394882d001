//! What the caller said that breaks a rule: refused before anything is sent.

use std::borrow::Cow;

/// Input that breaks a rule, and which rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be {rule}{}", .found.as_deref().map(|found| format!(", but is {found}")).unwrap_or_default())]
pub struct InvalidInput {
    field: &'static str,
    rule: Cow<'static, str>,
    found: Option<String>,
}

impl InvalidInput {
    /// Says that this input is wrong, and what it must be, in words that follow "must be".
    ///
    /// For adapters and custom transports, whose options can be wrong too. Neither may hold a secret.
    #[must_use]
    pub fn new(field: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { field, rule: rule.into(), found: None }
    }

    /// Adds what was found, which must not be a secret.
    pub(crate) fn found(mut self, found: impl ToString) -> Self {
        self.found = Some(found.to_string());
        self
    }

    /// The name of the input that is wrong.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// What it must be, limits included, in words that follow "must be".
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }
}
