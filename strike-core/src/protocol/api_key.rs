//! The `ApiKey` type: the API key of an account.

use std::fmt;
use std::str::FromStr;

use http::HeaderValue;

use crate::values::InvalidInput;

/// The API key of an account. `Debug` does not show it, and there is no way to read it back.
///
/// ```
/// use strike_core::ApiKey;
///
/// let key = ApiKey::new("sk_demo")?;
/// assert_eq!(format!("{key:?}"), "ApiKey(redacted)");
/// assert!(ApiKey::new("sk_demo:password").is_err());
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// Creates a key after checking its characters.
    ///
    /// # Errors
    /// Returns [`InvalidInput`] unless `key` has 1 to 512 visible ASCII characters and no colon.
    /// The key is sent as the user name of Basic authentication, which cannot contain a colon.
    /// Spaces and line breaks are usually copying mistakes. The error does not contain the key.
    pub fn new(key: impl Into<String>) -> Result<Self, InvalidInput> {
        let key = key.into();
        if (1..=512).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
            Ok(Self(key))
        } else {
            Err(InvalidInput::new("api key", "1 to 512 visible ASCII characters without a colon"))
        }
    }

    /// Returns the `Authorization` header: Basic authentication with the key as user name and an
    /// empty password.
    pub(super) fn authorization(&self) -> Result<HeaderValue, InvalidInput> {
        let credentials = data_encoding::BASE64.encode(format!("{}:", self.0).as_bytes());
        let mut value = HeaderValue::try_from(format!("Basic {credentials}"))
            .map_err(|_| InvalidInput::new("api key", "usable in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
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
