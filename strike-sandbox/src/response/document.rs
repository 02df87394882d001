//! The body of a successful response, with its content type.

pub(crate) struct Document {
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// Uses the content type of JSON.
impl From<String> for Document {
    fn from(body: String) -> Self {
        Self { content_type: "application/json", body }
    }
}
