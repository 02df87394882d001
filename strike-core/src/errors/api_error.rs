//! The server's own error message.

/// The server's own words about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub(crate) code: i64,
    pub(crate) message: String,
}

impl ApiError {
    /// The code in the body, equal to the HTTP status wherever the service was recorded.
    #[must_use]
    pub const fn code(&self) -> i64 {
        self.code
    }

    /// The message, without the key should the server have repeated it. Not a contract: never parse it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}
