//! The `InvalidInput` type: the error for input that breaks a rule. Such input is never sent.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// The error for input that breaks a rule. It names the field and the rule.
///
/// ```
/// use strike_core::InvalidInput;
///
/// let error = InvalidInput::new("proxy", "a URL such as `http://host:3128`");
/// assert_eq!(error.field(), "proxy");
/// assert_eq!(error.to_string(), "proxy must be a URL such as `http://host:3128`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidInput {
    field: &'static str,
    rule: Cow<'static, str>,
    found: Option<String>,
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.field, self.rule)?;
        self.found.iter().try_for_each(|found| write!(f, ", but is {found}"))
    }
}

impl Error for InvalidInput {}

impl InvalidInput {
    /// Creates an error for this field. The text of `rule` follows "must be" in the message.
    ///
    /// Custom transports can use it for their own options. Do not put a secret into `field` or
    /// `rule`.
    #[must_use]
    pub fn new(field: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { field, rule: rule.into(), found: None }
    }

    /// Adds the rejected value to the message. It must not be a secret.
    pub(crate) fn found(mut self, found: impl ToString) -> Self {
        self.found = Some(found.to_string());
        self
    }

    /// Returns the name of the invalid field.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// Returns the rule, with its limits. The text follows "must be" in the message.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }
}
