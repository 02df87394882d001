//! The `Password` type: the limited password of a phoenixd node.

use std::str::FromStr;

use crate::protocol::secret::Secret;
use crate::values::InvalidInput;

/// The password of a phoenixd node. Use `http-password-limited-access` of `phoenix.conf`.
///
/// `Debug` does not show it, and there is no way to read it back.
///
/// ```
/// use strike_core::Password;
///
/// let password = Password::new("ab".repeat(32))?;
/// assert_eq!(format!("{password:?}"), "Password(redacted)");
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Password(Secret);

impl Password {
    /// Creates a password after checking its characters.
    ///
    /// # Errors
    /// Returns [`InvalidInput`] unless it has 1 to 512 visible ASCII characters and no `=`.
    /// phoenixd cuts a password in `phoenix.conf` at an `=`. Its generated passwords are 64 hex
    /// digits. The error does not contain the password.
    pub fn new(password: impl Into<String>) -> Result<Self, InvalidInput> {
        let rule = "1 to 512 visible ASCII characters without `=`";
        Secret::new("password", password.into(), &['='], rule).map(Self)
    }

    pub(super) fn into_secret(self) -> Secret {
        self.0
    }
}

impl FromStr for Password {
    type Err = InvalidInput;

    fn from_str(password: &str) -> Result<Self, InvalidInput> {
        Self::new(password)
    }
}

impl TryFrom<String> for Password {
    type Error = InvalidInput;

    fn try_from(password: String) -> Result<Self, InvalidInput> {
        Self::new(password)
    }
}
