//! The text of a credential, which is never shown.

use std::fmt;

use crate::values::InvalidInput;

/// The text of an API key or a password. `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// Accepts 1 to 512 visible ASCII characters, except those that `forbidden` lists. The error
    /// does not contain the text.
    pub(super) fn new(
        field: &'static str,
        text: String,
        forbidden: &[char],
        rule: &'static str,
    ) -> Result<Self, InvalidInput> {
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if (1..=512).contains(&text.len()) && is_visible && !text.contains(forbidden) {
            Ok(Self(text))
        } else {
            Err(InvalidInput::new(field, rule))
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("redacted")
    }
}
