//! Why a plan's JSON was refused, and where.

use serde_path_to_error::Segment;

/// A plan that was refused: what is wrong with it, at which field, line and column.
#[derive(Debug, thiserror::Error)]
#[error("{}{source}", at(.field))]
pub struct PlanError {
    field: String,
    source: serde_json::Error,
}

/// The field as the beginning of a sentence.
fn at(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("{field}: ") }
}

impl PlanError {
    pub(super) fn of(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        // The last field that is known: what is not, such as a place in broken JSON, is told by line and column.
        let known = |segment: &&Segment| !matches!(segment, Segment::Unknown);
        let mut field = String::new();
        for segment in error.path().iter().take_while(known) {
            let dot = if field.is_empty() || matches!(segment, Segment::Seq { .. }) { "" } else { "." };
            field.push_str(dot);
            field.push_str(&segment.to_string());
        }
        Self { field, source: error.into_inner() }
    }

    /// Something follows the plan.
    pub(super) const fn behind(source: serde_json::Error) -> Self {
        Self { field: String::new(), source }
    }

    /// The path of the field, such as `faults[0].when.first`; empty if it is about the whole.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.source.line()
    }

    /// The column, from 1; the fault is there or just before.
    #[must_use]
    pub fn column(&self) -> usize {
        self.source.column()
    }
}
