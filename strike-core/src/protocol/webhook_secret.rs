//! The `WebhookSecret` type: the key that signs phoenixd's webhooks.

use std::str::FromStr;

use crate::protocol::secret::Secret;
use crate::values::InvalidInput;

/// The key that signs phoenixd's webhooks: `webhook-secret` of `phoenix.conf`.
///
/// The key is the text as it is written there. It is not decoded, although it looks like hex.
/// `Debug` does not show it, and there is no way to read it back.
///
/// ```
/// use strike_core::WebhookSecret;
///
/// let secret = WebhookSecret::new("5f".repeat(32))?;
/// assert_eq!(format!("{secret:?}"), "WebhookSecret(redacted)");
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct WebhookSecret(Secret);

impl WebhookSecret {
    /// Creates a secret after checking its characters.
    ///
    /// # Errors
    /// Returns [`InvalidInput`] unless it has 1 to 512 visible ASCII characters and no `=`.
    /// phoenixd cuts a secret in `phoenix.conf` at an `=`. The error does not contain the secret.
    pub fn new(secret: impl Into<String>) -> Result<Self, InvalidInput> {
        let rule = "1 to 512 visible ASCII characters without `=`";
        Secret::new("webhook secret", secret.into(), &['='], rule).map(Self)
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns true if this is the HMAC-SHA256 of the bytes. It takes the same time for every
    /// signature.
    pub(super) fn signs(&self, bytes: &[u8], signature: &[u8; 32]) -> bool {
        hmac_sha256::HMAC::verify(bytes, self.0.as_str(), signature)
    }
}

impl FromStr for WebhookSecret {
    type Err = InvalidInput;

    fn from_str(secret: &str) -> Result<Self, InvalidInput> {
        Self::new(secret)
    }
}

impl TryFrom<String> for WebhookSecret {
    type Error = InvalidInput;

    fn try_from(secret: String) -> Result<Self, InvalidInput> {
        Self::new(secret)
    }
}
