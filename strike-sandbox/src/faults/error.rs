//! The error for an invalid fault plan.

use serde_path_to_error::Segment;

/// An invalid fault plan. The message names the field, the problem, the line and the column.
#[derive(Debug, thiserror::Error)]
#[error("{}{source}", prefix(.field))]
pub struct PlanError {
    field: String,
    source: serde_json::Error,
}

fn prefix(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("{field}: ") }
}

impl PlanError {
    pub(super) fn of(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        // The path ends at the last known field. Line and column lead to the rest, such as broken
        // JSON.
        let known = |segment: &&Segment| !matches!(segment, Segment::Unknown);
        let mut field = String::new();
        for segment in error.path().iter().take_while(known) {
            let dot = if field.is_empty() || matches!(segment, Segment::Seq { .. }) { "" } else { "." };
            field.push_str(dot);
            field.push_str(&segment.to_string());
        }
        Self { field, source: error.into_inner() }
    }

    /// Creates the error for text after the end of the plan.
    pub(super) const fn trailing(source: serde_json::Error) -> Self {
        Self { field: String::new(), source }
    }

    /// Returns the path of the field, such as `faults[0].when.first`.
    ///
    /// It is empty if the error is about the whole plan.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Returns the line of the error. The first line is 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.source.line()
    }

    /// Returns the column of the error. The first column is 1.
    ///
    /// The error is at this column or just before it.
    #[must_use]
    pub fn column(&self) -> usize {
        self.source.column()
    }
}
