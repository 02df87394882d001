//! What LNbits needs from the service below it: an exchange that creates a charge, and the charges.

use std::borrow::Cow;

use data_encoding::{BASE64, HEXLOWER};
use strike_core::http::{HeaderValue, header};
use strike_core::{Charge, Exchange, Reply, UnixMillis};
use strike_sandbox::{ChargeState, Sandbox};

/// A charge of the service below.
#[derive(Debug, Clone)]
pub struct Record {
    /// The payment hash, as 64 lower-case hex digits.
    pub hash: String,
    /// The amount in satoshi.
    pub amount: u64,
    /// The description.
    pub description: String,
    /// The whole `customer_id`.
    pub customer_id: Option<String>,
    /// The invoice.
    pub payment_request: String,
    /// Whether the node has received the payment.
    pub paid: bool,
    /// The time of creation.
    pub created: UnixMillis,
    /// The time of the payment, or of creation.
    pub updated: UnixMillis,
    /// The end of the invoice.
    pub expires: UnixMillis,
}

/// A service that speaks the Strike API, and plays the node below LNbits.
pub trait Ledger {
    /// Makes an exchange of the Strike API. Faults of the service apply.
    ///
    /// # Errors
    /// Returns the error of a fault.
    fn exchange(&mut self, exchange: Exchange) -> Reply;

    /// Returns all charges, oldest first.
    fn records(&self) -> Cow<'_, [Record]>;

    /// Returns the time.
    fn now(&self) -> UnixMillis;
}

impl Ledger for Sandbox {
    fn exchange(&mut self, mut exchange: Exchange) -> Reply {
        let credentials = format!("Basic {}", BASE64.encode(format!("{}:", self.api_key()).as_bytes()));
        if let Ok(value) = HeaderValue::try_from(credentials) {
            exchange.request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        self.reply(exchange)
    }

    fn records(&self) -> Cow<'_, [Record]> {
        let record = |charge: &strike_sandbox::ChargeRecord| Record {
            hash: HEXLOWER.encode(charge.payment_hash().as_bytes()),
            amount: charge.amount().get(),
            description: charge.description().to_owned(),
            customer_id: charge.customer_id().map(str::to_owned),
            payment_request: charge.payment_request().to_owned(),
            paid: charge.state() == ChargeState::Paid,
            created: charge.created(),
            updated: charge.updated(),
            expires: charge.expires(),
        };
        Cow::Owned(self.list_all().iter().rev().map(record).collect())
    }

    fn now(&self) -> UnixMillis {
        Self::now(self)
    }
}

impl Record {
    /// Returns the record of a new charge.
    #[must_use]
    pub fn of(charge: &Charge) -> Self {
        let created = charge.created();
        Self {
            hash: HEXLOWER.encode(charge.payment_hash().as_bytes()),
            amount: charge.amount().get(),
            description: charge.description().to_owned(),
            customer_id: charge.raw_customer_id().map(str::to_owned),
            payment_request: charge.payment_request().to_owned(),
            paid: charge.is_paid(),
            created,
            updated: charge.updated(),
            expires: charge.invoice().map_or(created, |invoice| invoice.expires_at()),
        }
    }
}
