//! Emits `tracing` spans and events, without keys, invoices or text of the server.

pub use tracing;

use crate::transport::{AttemptOutcome, AttemptReport};

/// Returns the span of one call of a client.
#[must_use]
pub fn span(call: &'static str) -> tracing::Span {
    tracing::debug_span!(target: "strike", "call", call)
}

/// Emits the event of one attempt, inside the span of its call.
pub fn event(report: &AttemptReport) {
    let AttemptReport { operation, attempt, outcome, latency } = *report;
    let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    match outcome {
        AttemptOutcome::Status(status) => {
            tracing::debug!(target: "strike", operation, attempt, status, latency_ms, "response");
        }
        AttemptOutcome::NoResponse(kind, delivery) => {
            let error = kind.as_str();
            tracing::debug!(target: "strike", operation, attempt, error, ?delivery, latency_ms, "no response");
        }
    }
}
