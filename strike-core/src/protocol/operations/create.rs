//! Creates a charge.

use super::{Operation, RetrySafety, sealed};
use crate::errors::{Error, Mismatch};
use crate::invoice::{self, Invoice, InvoiceDescription};
use crate::protocol::{Endpoint, response, server_clock};
use crate::transport::{HttpRequest, HttpResponse};
use crate::values::{Charge, Currency, NewCharge, Now};

/// Creates a charge.
///
/// The response must match the order, or the result is a [`Mismatch`](crate::ErrorKind::Mismatch).
/// The error holds the charge. Three things are checked:
///
/// - The charge has the amount, currency, description and `customer_id` of the order.
/// - The invoice matches the charge, unless the endpoint does [not check
///   invoices](crate::EndpointBuilder::check_invoices).
/// - The invoice has not expired by the server's clock: the `Date` of the response, or the local
///   clock minus [`CLOCK_MARGIN`](crate::CLOCK_MARGIN).
#[derive(Debug, Clone)]
pub struct Create(NewCharge);

impl Create {
    /// Returns the operation that creates this charge.
    #[must_use]
    pub const fn new(order: NewCharge) -> Self {
        Self(order)
    }

    /// Returns the charge if it matches the order. It does not check whether the invoice has
    /// expired.
    pub(crate) fn accept(&self, endpoint: &Endpoint, charge: Charge) -> Result<Charge, Error> {
        match self.compare(endpoint, &charge) {
            Ok(_) => Ok(charge),
            Err(mismatch) => Err(endpoint.mismatch(self.describe(), mismatch).with_charge(charge)),
        }
    }

    /// Returns a mismatch if the invoice of the new charge has already expired.
    fn reject_expired(invoice: &Invoice, response: &HttpResponse, now: Now) -> Result<(), Mismatch> {
        let server_time = server_clock::server_time(server_clock::date(response.headers()), now);
        if invoice.expires_at() > server_time {
            return Ok(());
        }
        Err(invoice::expired(invoice.expires_at(), server_time))
    }

    /// Returns true if the charge has no description, but its invoice has the hash of the order's.
    fn describes_by_hash(&self, charge: &Charge) -> bool {
        let hash = || hmac_sha256::Hash::hash(self.0.description().as_bytes());
        charge.description().is_empty()
            && charge.invoice().is_ok_and(|it| *it.description() == InvoiceDescription::Hash(hash()))
    }

    /// Compares a charge with the order. Returns its invoice, unless the endpoint does not check invoices.
    fn compare(&self, endpoint: &Endpoint, charge: &Charge) -> Result<Option<Invoice>, Mismatch> {
        let order = &self.0;
        Mismatch::unless_equal("amount", order.amount().get(), charge.amount)?;
        Mismatch::unless_equal("amount_satoshi", order.amount().get(), charge.amount_satoshi.get())?;
        Mismatch::unless_equal("currency", Currency::Btc, charge.currency())?;
        if !self.describes_by_hash(charge) {
            Mismatch::unless_equal("description", order.description(), charge.description())?;
        }
        let echo = charge.raw_customer_id().filter(|id| !id.is_empty());
        Mismatch::unless_equal("customer_id", order.get_customer_id(), echo)?;
        endpoint.checks_invoices().then(|| invoice::compare(charge, endpoint.network())).transpose()
    }
}

impl sealed::Sealed for Create {}

impl Operation for Create {
    type Output = Charge;

    const NAME: &'static str = "create charge";
    const REPLAY: RetrySafety = RetrySafety::OnlyIfUnsent;

    fn request(&self, endpoint: &Endpoint) -> Result<HttpRequest, Error> {
        let dialect = endpoint.dialect();
        self.0
            .check(endpoint.max_amount())
            .and_then(|()| dialect.check(&self.0, endpoint.options()))
            .map_err(|input| Error::from(input).with_operation(self.describe()))?;
        Ok(endpoint.create_request(dialect.create(&self.0, endpoint.options())))
    }

    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, now: Now) -> Result<Charge, Error> {
        let charge = response::created(endpoint, &|| self.describe(), response, &self.0, now);
        let charge = charge.map_err(Error::of_no_charge)?;
        let checked = self.compare(endpoint, &charge).and_then(|invoice| match invoice {
            Some(invoice) => Self::reject_expired(&invoice, response, now),
            None => Ok(()),
        });
        match checked {
            Ok(()) => Ok(charge),
            Err(mismatch) => {
                let error = endpoint.mismatch(self.describe(), mismatch).with_charge(charge);
                Err(error.with_status(response.status().as_u16()))
            }
        }
    }

    fn describe(&self) -> String {
        format!("{} of {}", Self::NAME, self.0.amount())
    }
}
