//! A transport to a server that shows some payments late: only after the invoice has expired.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use strike_async::{AsyncTransport, BoxFuture, Exchange, Invoice, Reply, UnixMillis};

/// How long after its expiry an invoice is shown as unpaid. Longer than the desk's grace period.
pub const LATE: Duration = Duration::from_secs(4);

/// Longer invoices are never late: no test waits until they expire.
const LONGEST: Duration = Duration::from_secs(60);

/// Hides payments in the responses of another transport. Every process hides the same ones.
#[derive(Debug)]
pub struct LateHost<T>(pub T);

impl<T: AsyncTransport> AsyncTransport for LateHost<T> {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        Box::pin(async {
            let mut response = self.0.exchange(exchange).await?;
            if let Ok(mut json) = serde_json::from_slice::<Value>(response.body()) {
                let rows = match &mut json {
                    Value::Array(rows) => rows.as_mut_slice(),
                    row => std::slice::from_mut(row),
                };
                if rows.iter_mut().map(hide).fold(false, |any, is_hidden| any | is_hidden) {
                    *response.body_mut() = json.to_string().into_bytes();
                }
            }
            Ok(response)
        })
    }
}

/// Returns true if the payment of this charge is shown late.
#[must_use]
pub fn is_late(id: &str, payment_request: &str) -> bool {
    let is_chosen = id.bytes().map(u32::from).sum::<u32>() % 2 == 0;
    is_chosen && Invoice::read(payment_request).is_ok_and(|invoice| invoice.expiry() <= LONGEST)
}

/// Turns a paid charge into an unpaid one, if it is still hidden. Returns true if it did.
fn hide(row: &mut Value) -> bool {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let (id, payment_request) = (text("id"), text("payment_request"));
    if row["paid"] != true || !is_late(id, payment_request) {
        return false;
    }
    let Ok(invoice) = Invoice::read(payment_request) else { return false };
    if now() >= invoice.expires_at().saturating_add(LATE) {
        return false;
    }
    row["paid"] = false.into();
    row["updated"] = row["created"].clone();
    true
}

fn now() -> UnixMillis {
    UnixMillis::from_millis(0)
        .saturating_add(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}
