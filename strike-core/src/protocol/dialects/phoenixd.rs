//! The dialect of phoenixd, ACINQ's node for receiving payments.

use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use serde::Deserialize;

use super::{
    BadRow, Dialect, FORM, FindBy, ListedRow, Options, Properties, ServerError, Unreadable, is_payment_hash,
    query,
};
use crate::errors::Mismatch;
use crate::invoice::{Invoice, InvoiceDescription};
use crate::protocol::json::{array, object};
use crate::protocol::number::Exact;
use crate::protocol::{Endpoint, EndpointBuilder, Password, WebhookSecret};
use crate::values::{
    Charge, ChargeId, ChargeTexts, Currency, InvalidInput, Network, NewCharge, Now, Origin, PaymentHash,
    Satoshi, Settlement, UnixMillis,
};
use crate::webhook::InvalidWebhook;

/// The longest description, in UTF-16 units.
const MAX_DESCRIPTION: usize = 128;

/// The lifetime of an invoice if the order sets none, in seconds. phoenixd's own default differs
/// between versions, so the client always sends one.
const DEFAULT_EXPIRY_SEC: u32 = 3600;

/// The header with the signature of a webhook.
const SIGNATURE: &str = "x-phoenix-signature";

impl Endpoint {
    /// Creates an endpoint for [phoenixd](https://phoenix.acinq.co/server), with the default rules
    /// of [`EndpointBuilder::phoenixd`].
    ///
    /// Use the limited password, `http-password-limited-access` in `phoenix.conf`. It can create
    /// and read invoices. The other password can also spend the node's money.
    ///
    /// ```
    /// use strike_core::{Endpoint, Network, Password};
    ///
    /// let password = Password::new("ab".repeat(32))?;
    /// let endpoint = Endpoint::phoenixd("http://127.0.0.1:9740", password, Network::Bitcoin)?;
    /// assert_eq!(endpoint.base_url(), "http://127.0.0.1:9740/");
    /// # Ok::<(), strike_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`InvalidInput`] for the URLs that [`Endpoint::new`] rejects, for a URL with a path,
    /// and for a network other than `Bitcoin` and `Testnet`, which phoenixd does not have.
    pub fn phoenixd(url: &str, password: Password, network: Network) -> Result<Self, InvalidInput> {
        EndpointBuilder::phoenixd(url, password, network).build()
    }
}

impl EndpointBuilder {
    /// Starts building an endpoint for phoenixd.
    ///
    /// - `https` is required, unless the host is this machine.
    /// - The amount has no limit of its own. The node's liquidity limits it.
    /// - A description has at most 128 UTF-16 units. See
    ///   [`hash_long_descriptions`](Self::hash_long_descriptions).
    pub fn phoenixd(url: &str, password: Password, network: Network) -> Self {
        Self::new(url, &Phoenixd, password.into_secret(), network).max_amount(None)
    }

    /// Permits descriptions above 128 UTF-16 units for phoenixd, by sending their SHA-256 instead.
    ///
    /// The payer's wallet then shows no description. The charge has an empty one, and the invoice
    /// holds the hash, which is checked. Give the payer the text in another way.
    pub const fn hash_long_descriptions(mut self) -> Self {
        self.options.hash_long_descriptions = true;
        self
    }
}

/// phoenixd's HTTP API. Facts: its source, version 0.8.0.
#[derive(Debug)]
pub(crate) struct Phoenixd;

impl Dialect for Phoenixd {
    fn properties(&self) -> Properties {
        Properties {
            finds_by: FindBy::CustomerId,
            expiry_hides_payments: false,
            // On-chain payments are removed from a page after its rows were counted.
            empty_pages_at_end: 2,
            shows_preimages: true,
            has_base_path: false,
        }
    }

    fn credential(&self, secret: &str) -> (HeaderName, String) {
        let credentials = data_encoding::BASE64.encode(format!(":{secret}").as_bytes());
        (header::AUTHORIZATION, format!("Basic {credentials}"))
    }

    fn check_setup(&self, network: Network, _options: &Options) -> Result<(), InvalidInput> {
        match network {
            Network::Bitcoin | Network::Testnet => Ok(()),
            _ => Err(InvalidInput::new("network", "`bitcoin` or `testnet`: phoenixd has no other")),
        }
    }

    fn check(&self, order: &NewCharge, options: &Options) -> Result<(), InvalidInput> {
        let units = order.description().encode_utf16().count();
        if units > MAX_DESCRIPTION && !options.hash_long_descriptions {
            let rule = "at most 128 UTF-16 units for phoenixd; \
                        `EndpointBuilder::hash_long_descriptions` sends the SHA-256 of a longer one";
            return Err(InvalidInput::new("description", rule).found(units));
        }
        Ok(())
    }

    fn create_target(&self) -> (&'static str, &'static str) {
        ("/createinvoice", FORM)
    }

    fn create(&self, order: &NewCharge, options: &Options) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("amountSat", &order.amount().get().to_string());
        if order.description().encode_utf16().count() > MAX_DESCRIPTION {
            let hash = hmac_sha256::Hash::hash(order.description().as_bytes());
            form.append_pair("descriptionHash", &data_encoding::HEXLOWER.encode(&hash));
        } else {
            form.append_pair("description", order.description());
        }
        form.append_pair("expirySeconds", &order.get_expiry_sec().unwrap_or(DEFAULT_EXPIRY_SEC).to_string());
        if let Some(customer_id) = order.get_customer_id() {
            form.append_pair("externalId", customer_id);
        }
        if let Some(url) = &options.webhook_url {
            form.append_pair("webhookUrl", url);
        }
        form.finish()
    }

    fn get(&self, base: &str, id: &ChargeId) -> Option<String> {
        is_payment_hash(id).then(|| [base, "/payments/incoming/", id.as_str()].concat())
    }

    fn list(&self, base: &str, page: u32, size: u32) -> String {
        let (mut size_text, mut offset_text) = (itoa::Buffer::new(), itoa::Buffer::new());
        let offset = offset_text.format(u64::from(page) * u64::from(size));
        let path = "/payments/incoming?all=true&limit=";
        [base, path, size_text.format(size), "&offset=", offset].concat()
    }

    fn find(&self, base: &str, customer_id: &str, limit: u32) -> Option<String> {
        let limit = limit.to_string();
        let query = query([("all", "true"), ("limit", &limit), ("externalId", customer_id)]);
        Some(format!("{base}/payments/incoming?{query}"))
    }

    fn created(&self, order: &NewCharge, body: &str, now: Now) -> Result<Charge, Unreadable> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Created {
            #[serde(default)]
            amount_sat: Option<Exact<u64>>,
            payment_hash: PaymentHash,
            serialized: String,
        }
        let created: Created = object(body)?;
        let record = IncomingPayment {
            payment_hash: created.payment_hash,
            external_id: order.get_customer_id().map(str::to_owned),
            description: None,
            invoice: Some(created.serialized),
            is_paid: false,
            requested_sat: created.amount_sat,
            received_sat: None,
            fees: None,
            completed_at: None,
            created_at: None,
        };
        // The response has no description and no time. The invoice has both.
        record.into_charge(Some(order), now.unix)
    }

    fn charge(&self, body: &str) -> Result<Charge, Unreadable> {
        object::<IncomingPayment>(body)?.into_charge(None, UnixMillis::from_millis(0))
    }

    fn rows<'a>(&self, body: &'a str) -> Result<Vec<ListedRow<'a>>, Unreadable> {
        Ok(array(body)?.into_iter().map(ListedRow::unread).collect())
    }

    fn row(&self, row: &str) -> Result<Charge, BadRow> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Id {
            payment_hash: PaymentHash,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Customer {
            #[serde(default)]
            external_id: Option<String>,
        }
        self.charge(row).map_err(|unreadable| BadRow {
            id: object::<Id>(row).ok().and_then(|row| ChargeId::new(row.payment_hash.to_string()).ok()),
            customer_id: object::<Customer>(row).ok().map(|row| row.external_id.unwrap_or_default()),
            reason: unreadable.into_reason(),
        })
    }

    fn error(&self, status: StatusCode, body: &str) -> Option<ServerError> {
        // Errors are plain text. A page of a proxy is HTML.
        let message = body.trim();
        let is_text = !message.is_empty() && !message.starts_with(['<', '{', '[']);
        // A wrong URL has another text. That says nothing about the charge.
        let is_about_the_charge =
            status != StatusCode::NOT_FOUND || message.eq_ignore_ascii_case("not found");
        (is_text && is_about_the_charge).then(|| ServerError {
            meaning: status,
            code: i64::from(status.as_u16()),
            message: message.to_owned(),
        })
    }

    fn webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        options: &Options,
    ) -> Result<ChargeId, InvalidWebhook> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Received {
            r#type: String,
            payment_hash: PaymentHash,
        }
        let secret = options.webhook_secret.as_ref().ok_or(InvalidWebhook::NoSecret)?;
        verify(secret, headers, body)?;
        let body = std::str::from_utf8(body).map_err(|_| InvalidWebhook::NotAnEvent)?;
        let event: Received = object(body).map_err(|_| InvalidWebhook::NotAnEvent)?;
        if event.r#type != "payment_received" {
            return Err(InvalidWebhook::NotAnEvent);
        }
        ChargeId::new(event.payment_hash.to_string()).map_err(|_| InvalidWebhook::BadId)
    }

    fn probe(&self, base: &str, step: usize) -> Option<(Method, String)> {
        match step {
            0 => Some((Method::GET, format!("{base}/getinfo"))),
            // Only the full password may pay. Without an invoice, the request cannot pay anything.
            1 => Some((Method::POST, format!("{base}/payinvoice"))),
            _ => None,
        }
    }

    fn judge(&self, step: usize, network: Network, status: StatusCode, body: &str) -> Result<bool, Mismatch> {
        #[derive(Deserialize)]
        struct Info {
            chain: String,
        }
        match (step, status.as_u16()) {
            (0, 200..=299) => {
                let chain = object::<Info>(body).map_or("unknown".to_owned(), |info| info.chain);
                let expected = if network == Network::Bitcoin { "mainnet" } else { "testnet" };
                // The test network is called `testnet3`.
                if chain.starts_with(expected) {
                    return Ok(true);
                }
                Err(Mismatch::new(Mismatch::NETWORK, expected, chain))
            }
            (1, 200..=299 | 400 | 415 | 422) => Err(Mismatch::can_spend("the limited password")),
            (1, 401 | 403 | 404 | 405) => Ok(true),
            _ => Ok(false),
        }
    }
}

impl Phoenixd {}

/// One record of `payments/incoming`. Values without the letters `Sat` are in millisatoshi or
/// milliseconds. The preimage is not read: unpaid records have one, too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IncomingPayment {
    payment_hash: PaymentHash,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    invoice: Option<String>,
    is_paid: bool,
    #[serde(default)]
    requested_sat: Option<Exact<u64>>,
    /// It can be below the requested amount, and below zero, because fees are subtracted.
    #[serde(default)]
    received_sat: Option<Exact<i64>>,
    #[serde(default)]
    fees: Option<Exact<i64>>,
    #[serde(default)]
    completed_at: Option<Exact<u64>>,
    #[serde(default)]
    created_at: Option<Exact<u64>>,
}

impl IncomingPayment {
    /// Converts the record. `order` is that of a create, whose response has only the invoice. `now` is
    /// used if neither has a time.
    fn into_charge(self, order: Option<&NewCharge>, now: UnixMillis) -> Result<Charge, Unreadable> {
        let text = self.invoice.ok_or_else(|| "it has no BOLT11 invoice".to_owned())?;
        let payment_request = crate::invoice::bare(&text);
        // Decoding an invoice takes longer than reading the row. A page has many rows.
        let has_all_fields =
            self.requested_sat.is_some() && self.description.is_some() && self.created_at.is_some();
        let invoice = if has_all_fields { None } else { Invoice::read(payment_request).ok() };
        // Versions before 0.6.1 do not name the requested amount.
        let in_invoice = invoice.as_ref().and_then(Invoice::amount_millisatoshi).map(|msat| msat / 1000);
        let amount = self.requested_sat.map(|amount| amount.0).or(in_invoice);
        let amount = amount.ok_or_else(|| "its invoice has no amount".to_owned())?;
        let amount = Satoshi::new(amount).within_supply("requestedSat")?;
        let description = match (self.description, invoice.as_ref().map(Invoice::description), order) {
            (Some(description), _, _) => description,
            (None, Some(InvoiceDescription::Text(text)), _) => text.clone(),
            (None, Some(_), _) => String::new(),
            (None, None, order) => order.map_or("", NewCharge::description).to_owned(),
        };
        let created = self.created_at.map(|created| UnixMillis::from_millis(created.0));
        let created = created.or(invoice.as_ref().map(Invoice::timestamp)).unwrap_or(now);
        let completed = self.completed_at.map(|completed| UnixMillis::from_millis(completed.0));
        let settlement = self.received_sat.filter(|_| self.is_paid).map(|received| {
            let fee = self.fees.map_or(0, |fees| fees.0.unsigned_abs());
            Settlement::new(received.0.saturating_mul(1000), fee, completed)
        });
        Ok(Charge {
            id: ChargeId::new(self.payment_hash.to_string())?,
            amount: amount.get(),
            currency: Currency::Btc,
            amount_satoshi: amount,
            payment_hash: self.payment_hash,
            texts: ChargeTexts::new(
                payment_request,
                &description,
                self.external_id.as_deref().filter(|id| !id.is_empty()),
            ),
            paid: self.is_paid,
            created,
            updated: completed.filter(|_| self.is_paid).unwrap_or(created),
            settlement,
            origin: Origin::Unverified,
        })
    }
}

/// Verifies the signature of a webhook over the bytes of its body.
fn verify(secret: &WebhookSecret, headers: &HeaderMap, body: &[u8]) -> Result<(), InvalidWebhook> {
    let mut values = headers.get_all(SIGNATURE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(InvalidWebhook::BadSignature);
    };
    let signature = data_encoding::HEXLOWER_PERMISSIVE.decode(value.as_bytes());
    let signature: [u8; 32] =
        signature.ok().and_then(|signature| signature.try_into().ok()).ok_or(InvalidWebhook::BadSignature)?;
    // The comparison takes the same time for every signature.
    if secret.signs(body, &signature) { Ok(()) } else { Err(InvalidWebhook::BadSignature) }
}
