//! The dialect of the Strike API.

use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use serde::Deserialize;

use super::{BadRow, Dialect, FORM, FindBy, ListedRow, Options, Properties, ServerError, Unreadable};
use crate::errors::Mismatch;
use crate::protocol::charge_json::ChargeJson;
use crate::protocol::json::{Object, array, object};
use crate::protocol::number::Exact;
use crate::protocol::plain_charge::PlainCharge;
use crate::protocol::plain_json::PlainJson;
use crate::redaction::text;
use crate::values::{Charge, ChargeId, InvalidInput, Network, NewCharge, Now, Origin};
use crate::webhook::{self, InvalidWebhook};

/// The API of ACINQ's closed service, and of servers that are compatible with it.
#[derive(Debug)]
pub(crate) struct Strike;

type WireCharge = ChargeJson<Exact<u64>>;

impl Dialect for Strike {
    fn properties(&self) -> Properties {
        Properties {
            finds_by: FindBy::Nothing,
            expiry_hides_payments: false,
            empty_pages_at_end: 1,
            shows_preimages: false,
            has_base_path: true,
        }
    }

    fn credential(&self, secret: &str) -> (HeaderName, String) {
        let credentials = data_encoding::BASE64.encode(format!("{secret}:").as_bytes());
        (header::AUTHORIZATION, format!("Basic {credentials}"))
    }

    fn check_setup(&self, _network: Network, options: &Options) -> Result<(), InvalidInput> {
        match options.webhook_url {
            Some(_) => Err(InvalidInput::new("webhook_url", "unset: it is a setting of the account")),
            None => Ok(()),
        }
    }

    fn check(&self, _order: &NewCharge, _options: &Options) -> Result<(), InvalidInput> {
        Ok(())
    }

    fn create_target(&self) -> (&'static str, &'static str) {
        ("/charges", FORM)
    }

    fn create(&self, order: &NewCharge, _options: &Options) -> String {
        order.form()
    }

    fn get(&self, base: &str, id: &ChargeId) -> Option<String> {
        Some([base, "/charges/", id.as_str()].concat())
    }

    fn list(&self, base: &str, page: u32, size: u32) -> String {
        let (mut page_text, mut size_text) = (itoa::Buffer::new(), itoa::Buffer::new());
        [base, "/charges?page=", page_text.format(page), "&size=", size_text.format(size)].concat()
    }

    fn created(&self, _order: &NewCharge, body: &str, _now: Now) -> Result<Charge, Unreadable> {
        self.charge(body)
    }

    fn charge(&self, body: &str) -> Result<Charge, Unreadable> {
        let plain = PlainCharge::whole(body).and_then(|charge| charge.to_charge(Origin::Unverified));
        plain.map_or_else(|| charge_by_serde(body), Ok)
    }

    fn rows<'a>(&self, body: &'a str) -> Result<Vec<ListedRow<'a>>, Unreadable> {
        plain_rows(body).map_or_else(|| rows_by_serde(body), Ok)
    }

    fn row(&self, row: &str) -> Result<Charge, BadRow> {
        #[derive(Deserialize)]
        struct Id {
            id: ChargeId,
        }
        #[derive(Deserialize)]
        struct Customer {
            #[serde(default)]
            customer_id: Option<String>,
        }
        let reason = match serde_json::from_str::<Object<WireCharge>>(row) {
            Ok(Object(charge)) if charge.is_error() => "it has an error code".to_owned(),
            Ok(Object(charge)) => match read(charge) {
                Ok(charge) => return Ok(charge),
                Err(error) => error.to_string(),
            },
            Err(error) => text::complaint(&error),
        };
        Err(BadRow {
            id: object::<Id>(row).ok().map(|row| row.id),
            customer_id: object::<Customer>(row).ok().map(|row| row.customer_id.unwrap_or_default()),
            reason,
        })
    }

    fn error(&self, status: StatusCode, body: &str) -> Option<ServerError> {
        let (code, message) = error_body(body)?;
        Some(ServerError { meaning: status, code, message })
    }

    fn webhook(
        &self,
        _headers: &HeaderMap,
        body: &[u8],
        _options: &Options,
    ) -> Result<ChargeId, InvalidWebhook> {
        webhook::parse(body).map(|notification| notification.id().clone())
    }

    fn probe(&self, base: &str, step: usize) -> Option<(Method, String)> {
        (step == 0).then(|| (Method::GET, self.list(base, 0, 1)))
    }

    fn judge(
        &self,
        _step: usize,
        _network: Network,
        _status: StatusCode,
        _body: &str,
    ) -> Result<bool, Mismatch> {
        Ok(false)
    }
}

/// Converts a charge. The API has no settlement facts.
fn read(charge: WireCharge) -> Result<Charge, InvalidInput> {
    Ok(Charge { settlement: None, ..charge.try_into()? })
}

/// Reads an error body: its code and its message.
fn error_body(body: &str) -> Option<(i64, String)> {
    #[derive(Deserialize)]
    struct ErrorBody {
        code: Exact<i64>,
        #[serde(default)]
        message: String,
    }
    let body: ErrorBody = object(body).ok()?;
    Some((body.code.0, body.message))
}

/// Reads an error body that some servers send with status 200. Its code is then the status.
fn error_in_success(body: &str) -> Option<ServerError> {
    let (code, message) = error_body(body)?;
    let meaning = StatusCode::from_u16(u16::try_from(code).ok()?).ok()?;
    (300..600).contains(&meaning.as_u16()).then_some(ServerError { meaning, code, message })
}

/// Reads any charge.
fn charge_by_serde(body: &str) -> Result<Charge, Unreadable> {
    match object::<WireCharge>(body) {
        Ok(charge) if charge.is_error() => Err(Unreadable::Because("it has an error code".to_owned())),
        Ok(charge) => Ok(read(charge)?),
        Err(reason) => Err(error_in_success(body).map_or(Unreadable::Because(reason), Unreadable::Error)),
    }
}

/// Splits any list.
fn rows_by_serde<'a>(body: &'a str) -> Result<Vec<ListedRow<'a>>, Unreadable> {
    let rows = array(body)
        .map_err(|reason| error_in_success(body).map_or(Unreadable::Because(reason), Unreadable::Error))?;
    Ok(rows.into_iter().map(ListedRow::unread).collect())
}

/// Splits a list faster, in which serde reads only the rows that are no plain charges. `None` if it is
/// no list.
fn plain_rows(body: &str) -> Option<Vec<ListedRow<'_>>> {
    /// The text of a row is rarely shorter.
    const ROW: usize = 512;
    let mut json = PlainJson::new(body);
    let mut rows = Vec::with_capacity(body.len() / ROW + 1);
    json.punctuation(b'[')?;
    while json.punctuation(b']').is_none() {
        if !rows.is_empty() {
            json.punctuation(b',')?;
        }
        json.skip_space();
        let mut next = json;
        let plain = PlainCharge::read(&mut next);
        if plain.is_none() {
            next = json;
            next.any()?;
        }
        rows.push(ListedRow { text: json.up_to(next)?, plain });
        json = next;
    }
    json.end()?;
    Some(rows)
}

#[cfg(test)]
mod tests;
