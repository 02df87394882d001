//! The dialect of LNbits, a wallet server in front of many kinds of Lightning nodes.

use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    BadRow, Dialect, FindBy, ListedRow, Options, Properties, ServerError, Unreadable, is_payment_hash, query,
};
use crate::errors::Mismatch;
use crate::invoice::{self, Invoice};
use crate::protocol::json::{array, object};
use crate::protocol::number::Exact;
use crate::protocol::{ApiKey, Endpoint, EndpointBuilder};
use crate::redaction::text;
use crate::values::{
    Charge, ChargeId, ChargeTexts, Currency, InvalidInput, Network, NewCharge, Now, OrderKey, Origin,
    PaymentHash, Satoshi, Settlement, UnixMillis,
};
use crate::webhook::InvalidWebhook;

/// The lifetime of an invoice if the order sets none, in seconds. It is LNbits' own default.
const DEFAULT_EXPIRY_SEC: u32 = 3600;

/// The path of the payments.
const PAYMENTS: &str = "/api/v1/payments";

impl Endpoint {
    /// Creates an endpoint for [LNbits](https://lnbits.com), with the default rules of
    /// [`EndpointBuilder::lnbits`].
    ///
    /// `url` is the address of the server, without `/api/v1`. Use the wallet's invoice key. It can
    /// create and read invoices. The admin key can also spend the wallet's money.
    ///
    /// ```
    /// use strike_core::{ApiKey, Endpoint, Network};
    ///
    /// let invoice_key = ApiKey::new("0123456789abcdef0123456789abcdef")?;
    /// let endpoint = Endpoint::lnbits("https://wallet.example.com", invoice_key, Network::Bitcoin)?;
    /// assert_eq!(endpoint.base_url(), "https://wallet.example.com/");
    /// # Ok::<(), strike_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`InvalidInput`] for the URLs that [`Endpoint::new`] rejects, and for a URL with a
    /// path.
    pub fn lnbits(url: &str, invoice_key: ApiKey, network: Network) -> Result<Self, InvalidInput> {
        EndpointBuilder::lnbits(url, invoice_key, network).build()
    }
}

impl EndpointBuilder {
    /// Starts building an endpoint for LNbits.
    ///
    /// - `https` is required, unless the host is this machine.
    /// - The amount has no limit of its own. The server sets one, by default 10,000,000 satoshi.
    /// - A description must not be empty, because LNbits would replace it by the name of the site.
    /// - A `customer_id` without an order key must not contain spaces or line breaks.
    pub fn lnbits(url: &str, invoice_key: ApiKey, network: Network) -> Self {
        Self::new(url, &Lnbits, invoice_key.into_secret(), network).max_amount(None)
    }
}

/// LNbits' HTTP API. Facts: a running version 1.6.2, and its source.
#[derive(Debug)]
pub(crate) struct Lnbits;

impl Dialect for Lnbits {
    fn properties(&self) -> Properties {
        Properties {
            finds_by: FindBy::OrderKey,
            // LNbits looks at its clock before it asks the node. The first read after the expiry
            // marks an invoice as failed, even if the node has received the payment.
            expiry_hides_payments: true,
            empty_pages_at_end: 1,
            shows_preimages: true,
            has_base_path: false,
        }
    }

    fn credential(&self, secret: &str) -> (HeaderName, String) {
        (HeaderName::from_static("x-api-key"), secret.to_owned())
    }

    fn check_setup(&self, _network: Network, _options: &Options) -> Result<(), InvalidInput> {
        Ok(())
    }

    fn check(&self, order: &NewCharge, _options: &Options) -> Result<(), InvalidInput> {
        if order.description().is_empty() {
            let rule = "not empty for LNbits, which would show the name of the site instead";
            return Err(InvalidInput::new("description", rule));
        }
        match order.get_customer_id() {
            Some(id) if external_id(id).contains([' ', '\n']) => {
                Err(InvalidInput::new("customer_id", "without spaces and line breaks for LNbits"))
            }
            _ => Ok(()),
        }
    }

    fn create_target(&self) -> (&'static str, &'static str) {
        (PAYMENTS, "application/json")
    }

    fn create(&self, order: &NewCharge, options: &Options) -> String {
        #[derive(Serialize)]
        struct Create<'a> {
            out: bool,
            unit: &'static str,
            amount: u64,
            memo: &'a str,
            expiry: u32,
            #[serde(skip_serializing_if = "Option::is_none")]
            external_id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            extra: Option<Extra<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            webhook: Option<&'a str>,
        }
        #[derive(Serialize)]
        struct Extra<'a> {
            customer_id: &'a str,
        }
        let create = Create {
            out: false,
            unit: "sat",
            amount: order.amount().get(),
            memo: order.description(),
            expiry: order.get_expiry_sec().unwrap_or(DEFAULT_EXPIRY_SEC),
            external_id: order.get_customer_id().map(external_id),
            extra: order.get_customer_id().map(|customer_id| Extra { customer_id }),
            webhook: options.webhook_url.as_deref(),
        };
        // A struct of texts and numbers always serializes.
        serde_json::to_string(&create).unwrap_or_default()
    }

    fn get(&self, base: &str, id: &ChargeId) -> Option<String> {
        is_payment_hash(id).then(|| [base, PAYMENTS, "/", id.as_str()].concat())
    }

    fn list(&self, base: &str, page: u32, size: u32) -> String {
        let offset = (u64::from(page) * u64::from(size)).to_string();
        search(base, &[("limit", &size.to_string()), ("offset", &offset)])
    }

    fn find(&self, base: &str, customer_id: &str, limit: u32) -> Option<String> {
        Some(search(base, &[("limit", &limit.to_string()), ("external_id", external_id(customer_id))]))
    }

    /// A wallet that paid itself has two records with one hash. The get returns the outgoing one,
    /// whatever its state.
    fn needs_second_get(&self, body: &str) -> bool {
        #[derive(Deserialize)]
        struct Payment {
            details: Amount,
        }
        #[derive(Deserialize)]
        struct Amount {
            amount: Exact<i64>,
        }
        object::<Payment>(body).is_ok_and(|payment| payment.details.amount.0 < 0)
    }

    fn get_second(&self, base: &str, id: &ChargeId) -> Option<String> {
        Some(search(base, &[("limit", "10"), ("payment_hash", id.as_str())]))
    }

    fn created(&self, _order: &NewCharge, body: &str, _now: Now) -> Result<Charge, Unreadable> {
        object::<Record>(body)?.into_charge()
    }

    fn charge(&self, body: &str) -> Result<Charge, Unreadable> {
        #[derive(Deserialize)]
        struct Payment<'a> {
            #[serde(default, borrow)]
            details: Option<&'a RawValue>,
            #[serde(default, borrow)]
            data: Option<&'a RawValue>,
            #[serde(default)]
            paid: Option<bool>,
        }
        let payment: Payment<'_> = object(body)?;
        if let Some(details) = payment.details {
            return object::<Record>(details.get())?.into_charge();
        }
        if let Some(rows) = payment.data {
            let rows = array(rows.get())?;
            let incoming = rows.iter().find_map(|row| object::<Record>(row.get()).ok()?.into_charge().ok());
            let missing = || server_error(StatusCode::NOT_FOUND, "there is only an outgoing payment");
            return incoming.ok_or_else(|| Unreadable::Error(missing()));
        }
        // A wrong key gets no error, but a response without details.
        match payment.paid {
            Some(_) => {
                let message = "the response has no details, so the key is not one of this wallet";
                Err(Unreadable::Error(server_error(StatusCode::UNAUTHORIZED, message)))
            }
            None => Err(Unreadable::Because("it has no details".to_owned())),
        }
    }

    fn rows<'a>(&self, body: &'a str) -> Result<Vec<ListedRow<'a>>, Unreadable> {
        #[derive(Deserialize)]
        struct Page<'a> {
            #[serde(borrow)]
            data: &'a RawValue,
        }
        let page: Page<'_> = object(body)?;
        Ok(array(page.data.get())?.into_iter().map(ListedRow::unread).collect())
    }

    fn row(&self, row: &str) -> Result<Charge, BadRow> {
        #[derive(Deserialize)]
        struct Id {
            payment_hash: PaymentHash,
        }
        #[derive(Deserialize)]
        struct Customer {
            #[serde(default)]
            external_id: Option<String>,
            #[serde(default)]
            extra: Option<Box<RawValue>>,
        }
        let charge = object::<Record>(row).map_err(Unreadable::Because).and_then(Record::into_charge);
        charge.map_err(|unreadable| BadRow {
            id: object::<Id>(row).ok().and_then(|row| ChargeId::new(row.payment_hash.to_string()).ok()),
            customer_id: object::<Customer>(row).ok().map(|row| {
                row.extra.as_deref().and_then(customer_id_in).or(row.external_id).unwrap_or_default()
            }),
            reason: unreadable.into_reason(),
        })
    }

    fn error(&self, status: StatusCode, body: &str) -> Option<ServerError> {
        #[derive(Deserialize)]
        struct ErrorBody {
            #[serde(default)]
            detail: Option<serde_json::Value>,
            #[serde(default)]
            error: Option<String>,
            #[serde(default)]
            status: Option<String>,
        }
        if status == StatusCode::TEMPORARY_REDIRECT {
            let message = "it redirects every request until it is installed, and paths that end in a slash";
            return Some(server_error(status, message));
        }
        let body: ErrorBody = object(body).ok()?;
        let message = match body.detail {
            Some(serde_json::Value::String(detail)) => detail,
            // The list of a failed validation.
            Some(detail @ serde_json::Value::Array(_)) => detail.to_string(),
            _ => body.error?,
        };
        let means = match (status.as_u16(), message.as_str(), body.status.as_deref()) {
            (404, "Wallet not found.", _) | (403, ..) => StatusCode::UNAUTHORIZED,
            (404, "Payment does not exist.", _) => StatusCode::NOT_FOUND,
            // Any other path.
            (404, ..) => return None,
            (520, _, Some("failed")) => StatusCode::BAD_REQUEST,
            _ => status,
        };
        Some(server_error(means, &message))
    }

    fn webhook(
        &self,
        _headers: &HeaderMap,
        body: &[u8],
        _options: &Options,
    ) -> Result<ChargeId, InvalidWebhook> {
        #[derive(Deserialize)]
        struct Payment {
            payment_hash: PaymentHash,
        }
        let body = std::str::from_utf8(text::without_bom(body)).map_err(|_| InvalidWebhook::NotAnEvent)?;
        // The body is a JSON text that holds JSON.
        let inner: Option<String> = serde_json::from_str(body).ok();
        let payment: Payment =
            object(inner.as_deref().unwrap_or(body)).map_err(|_| InvalidWebhook::NotAnEvent)?;
        ChargeId::new(payment.payment_hash.to_string()).map_err(|_| InvalidWebhook::BadId)
    }

    fn probe(&self, base: &str, step: usize) -> Option<(Method, String)> {
        (step == 0).then(|| (Method::GET, format!("{base}/api/v1/wallet")))
    }

    /// The wallet's id is shown to the admin key only.
    fn judge(
        &self,
        _step: usize,
        _network: Network,
        status: StatusCode,
        body: &str,
    ) -> Result<bool, Mismatch> {
        #[derive(Deserialize)]
        struct Wallet<'a> {
            #[serde(default, borrow)]
            id: Option<&'a RawValue>,
        }
        match object::<Wallet<'_>>(body) {
            Ok(wallet) if status.is_success() && wallet.id.is_some() => {
                Err(Mismatch::can_spend("the invoice key"))
            }
            Ok(_) if status.is_success() => Ok(true),
            _ => Ok(false),
        }
    }
}

/// A payment of the wallet. Amounts are in millisatoshi. The preimage is not read: unpaid records
/// have one, too.
#[derive(Deserialize)]
struct Record {
    payment_hash: PaymentHash,
    amount: Exact<i64>,
    /// Negative or positive, depending on how LNbits learned of the payment.
    #[serde(default)]
    fee: Option<Exact<i64>>,
    bolt11: String,
    status: String,
    #[serde(default)]
    memo: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    extra: Option<Box<RawValue>>,
}

impl Record {
    fn into_charge(self) -> Result<Charge, Unreadable> {
        let msat = u64::try_from(self.amount.0).map_err(|_| "it is an outgoing payment".to_owned())?;
        if msat == 0 {
            return Err(Unreadable::Because("its invoice has no amount".to_owned()));
        }
        if msat % 1000 != 0 {
            return Err(Unreadable::Because("its amount is not in whole satoshi".to_owned()));
        }
        let amount = Satoshi::new(msat / 1000).within_supply("amount")?;
        let payment_request = invoice::bare(&self.bolt11);
        let created = self
            .created_at
            .as_deref()
            .and_then(time)
            .or_else(|| Invoice::read(payment_request).ok().map(|invoice| invoice.timestamp()));
        let created = created.ok_or_else(|| "its creation time is unreadable".to_owned())?;
        let updated = self.updated_at.as_deref().and_then(time);
        let paid = self.status == "success";
        let fee = self.fee.map_or(0, |fee| fee.0.unsigned_abs());
        let received = self.amount.0.saturating_sub(i64::try_from(fee).unwrap_or(i64::MAX));
        let in_extra = self.extra.as_deref().and_then(customer_id_in);
        Ok(Charge {
            id: ChargeId::new(self.payment_hash.to_string())?,
            amount: amount.get(),
            currency: Currency::Btc,
            amount_satoshi: amount,
            payment_hash: self.payment_hash,
            texts: ChargeTexts::new(
                payment_request,
                &self.memo.unwrap_or_default(),
                in_extra.or(self.external_id).as_deref().filter(|id| !id.is_empty()),
            ),
            paid,
            created,
            updated: updated.filter(|_| paid).unwrap_or(created),
            settlement: paid.then(|| Settlement::new(received, fee, updated)),
            origin: Origin::Unverified,
        })
    }
}

fn customer_id_in(extra: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Extra {
        customer_id: String,
    }
    object::<Extra>(extra.get()).ok().map(|extra| extra.customer_id)
}

/// Returns the text by which a charge is found: the order key if there is one, else the whole
/// `customer_id`.
fn external_id(customer_id: &str) -> &str {
    match OrderKey::read_attempt(customer_id) {
        // One digit for the attempt, then the key, then a full stop.
        Some(_) => customer_id.split_once('.').and_then(|(head, _)| head.get(1..)).unwrap_or(customer_id),
        None => customer_id,
    }
}

/// Returns the path and query of a search for incoming payments, newest first. LNbits asks the node
/// about those that are pending.
fn search(base: &str, filters: &[(&str, &str)]) -> String {
    let fixed = [("recheck_pending", "true"), ("sortby", "time"), ("direction", "desc"), ("amount[gt]", "0")];
    format!("{base}{PAYMENTS}/paginated?{}", query(fixed.iter().chain(filters).copied()))
}

fn server_error(meaning: StatusCode, message: &str) -> ServerError {
    ServerError { meaning, code: i64::from(meaning.as_u16()), message: message.to_owned() }
}

/// Parses `2026-11-26T04:06:58.439543+00:00`. A time without an offset is read as UTC. Other offsets
/// are not read: LNbits writes UTC.
fn time(text: &str) -> Option<UnixMillis> {
    humantime::parse_rfc3339_weak(text).ok().map(UnixMillis::from)
}
