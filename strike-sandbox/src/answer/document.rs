//! The body of a good answer, and what kind of text it is.

pub(crate) struct Document {
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// Almost everything that the service says is JSON.
impl From<String> for Document {
    fn from(body: String) -> Self {
        Self { content_type: "application/json", body }
    }
}
