//! Metrics, through the facade `metrics`. Without a recorder they cost nothing.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use strike_async::{AttemptOutcome, AttemptReport, Observer, TransportErrorKind};

use crate::event::EndKind;

pub(crate) fn invoice_created() {
    counter!("strike_orders_invoices_total").increment(1);
}

pub(crate) fn ended(kind: EndKind) {
    counter!("strike_orders_ends_total", "kind" => kind.as_str()).increment(1);
}

pub(crate) fn handler_failed() {
    counter!("strike_orders_handler_failures_total").increment(1);
}

pub(crate) fn watch_failed() {
    counter!("strike_orders_watch_failures_total").increment(1);
}

/// Reports how many charges this instance watches, the age of the oldest pending order of all
/// instances, and how long ago this instance renewed its lease.
pub(crate) fn ticked(held: i64, oldest: Duration, lease_age: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and the number is small")]
    gauge!("strike_orders_pending").set(held as f64);
    gauge!("strike_orders_oldest_pending_seconds").set(oldest.as_secs_f64());
    gauge!("strike_orders_lease_age_seconds").set(lease_age.as_secs_f64());
}

/// Counts the requests to the host, as `strike_requests_total` with `operation` and `outcome`, and
/// their duration, as `strike_request_seconds`.
///
/// ```
/// use strike_orders::RequestMetrics;
/// use strike_orders::strike_async::{Client, Endpoint, Error};
///
/// fn client(endpoint: Endpoint) -> Result<Client, Error> {
///     Client::builder(endpoint).observer(RequestMetrics).build()
/// }
/// # let _ = client;
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
pub struct RequestMetrics;

impl Observer for RequestMetrics {
    fn attempt(&self, report: &AttemptReport) {
        let outcome = outcome(&report.outcome);
        counter!("strike_requests_total", "operation" => report.operation, "outcome" => outcome).increment(1);
        histogram!("strike_request_seconds", "operation" => report.operation)
            .record(report.latency.as_secs_f64());
    }
}

/// Returns the class of a status, or why there was no response. The values of a label must be few.
const fn outcome(outcome: &AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Status(200..=299) => "2xx",
        AttemptOutcome::Status(300..=399) => "3xx",
        AttemptOutcome::Status(400..=499) => "4xx",
        AttemptOutcome::Status(_) => "5xx",
        AttemptOutcome::NoResponse(TransportErrorKind::Timeout, _) => "timeout",
        _ => "no_response",
    }
}
