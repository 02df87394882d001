//! `GET /payments/incoming` and `GET /payments/incoming/{paymentHash}`.

use std::cmp::Reverse;

use data_encoding::HEXLOWER;
use strike_core::UnixMillis;

use super::parameters::{Parameters, parse_hash};
use super::payment_json::IncomingPayment;
use super::reply::{Failure, Reply};
use super::routes::Call;
use crate::ledger::Charge;
use crate::service::Service;

const DEFAULT_LIMIT: i64 = 20;

pub(super) fn get(service: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    let hash = HEXLOWER.encode(&parse_hash("paymentHash", call.id)?);
    let charge = service.charge(&hash).ok_or_else(Failure::no_such_payment)?;
    Ok(Reply::json(&IncomingPayment::new(charge, call.now)))
}

/// Lists payments, newest first: paid ones by the time of payment, or with `all` also unpaid ones
/// by the time of creation.
pub(super) fn list(service: &mut Service, call: &Call<'_>) -> Result<Reply, Failure> {
    let query = Parameters::of_query(call.http);
    let from = query.integer("from")?.unwrap_or(0);
    let to = query.integer("to")?.unwrap_or_else(|| millis(call.now));
    // As in SQL, a negative limit means no limit.
    let limit = usize::try_from(query.integer("limit")?.unwrap_or(DEFAULT_LIMIT)).unwrap_or(usize::MAX);
    let offset = usize::try_from(query.integer("offset")?.unwrap_or(0)).unwrap_or(0);
    let external_id = query.text("externalId");
    let has_id = |charge: &&Charge| external_id.is_none() || charge.customer_id.as_deref() == external_id;
    let charges = service.newest_first().filter(has_id);
    let within = |moment: UnixMillis| (from..=to).contains(&millis(moment));
    let page: Vec<_> = if query.flag("all") {
        let created = charges.filter(|charge| within(charge.created));
        created.skip(offset).take(limit).map(|charge| IncomingPayment::new(charge, call.now)).collect()
    } else {
        let mut paid: Vec<_> = charges.filter(|charge| charge.paid && within(charge.updated)).collect();
        paid.sort_by_key(|charge| Reverse(charge.updated));
        let page = paid.into_iter().skip(offset).take(limit);
        page.map(|charge| IncomingPayment::new(charge, call.now)).collect()
    };
    Ok(Reply::json(&page))
}

fn millis(moment: UnixMillis) -> i64 {
    i64::try_from(moment.as_millis()).unwrap_or(i64::MAX)
}
