//! The `ApiKey` type: the API key of an account, or the invoice key of an LNbits wallet.

use std::str::FromStr;

use crate::protocol::secret::Secret;
use crate::values::InvalidInput;

/// The API key of an account, or the invoice key of an LNbits wallet.
///
/// `Debug` does not show it, and there is no way to read it back.
///
/// ```
/// use strike_core::ApiKey;
///
/// let key = ApiKey::new("sk_demo")?;
/// assert_eq!(format!("{key:?}"), "ApiKey(redacted)");
/// assert!(ApiKey::new("sk_demo:password").is_err());
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// Creates a key after checking its characters.
    ///
    /// # Errors
    /// Returns [`InvalidInput`] unless `key` has 1 to 512 visible ASCII characters and no colon.
    /// The Strike API takes it as the user name of Basic authentication, which cannot contain a
    /// colon. Spaces and line breaks are usually copying mistakes. The error does not contain the
    /// key.
    pub fn new(key: impl Into<String>) -> Result<Self, InvalidInput> {
        let rule = "1 to 512 visible ASCII characters without a colon";
        Secret::new("api key", key.into(), &[':'], rule).map(Self)
    }

    pub(super) fn into_secret(self) -> Secret {
        self.0
    }
}

impl FromStr for ApiKey {
    type Err = InvalidInput;

    fn from_str(key: &str) -> Result<Self, InvalidInput> {
        Self::new(key)
    }
}

impl TryFrom<String> for ApiKey {
    type Error = InvalidInput;

    fn try_from(key: String) -> Result<Self, InvalidInput> {
        Self::new(key)
    }
}
