//! Creates a charge.

use super::{Operation, RetrySafety, sealed};
use crate::errors::{Error, Mismatch};
use crate::invoice::{self, InvoiceDescription};
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
            Ok(()) => Ok(charge),
            Err(mismatch) => Err(endpoint.mismatch(self.describe(), mismatch).with_charge(charge)),
        }
    }

    /// Returns an error if the invoice of the new charge has already expired.
    fn reject_expired(
        &self,
        endpoint: &Endpoint,
        charge: Charge,
        response: &HttpResponse,
        now: Now,
    ) -> Result<Charge, Error> {
        let Ok(invoice) = charge.invoice() else { return Ok(charge) };
        let date = server_clock::date(response.headers());
        let server_time = server_clock::server_time(date, now);
        if !endpoint.checks_invoices() || invoice.expires_at() > server_time {
            return Ok(charge);
        }
        let mismatch = invoice::expired(invoice.expires_at(), server_time);
        Err(endpoint.mismatch(self.describe(), mismatch).with_charge(charge))
    }

    /// Returns true if the charge has no description, but its invoice has the hash of the order's.
    fn describes_by_hash(&self, charge: &Charge) -> bool {
        let invoice = charge.invoice().ok().filter(|_| charge.description().is_empty());
        let hash = hmac_sha256::Hash::hash(self.0.description().as_bytes());
        invoice.is_some_and(|invoice| *invoice.description() == InvoiceDescription::Hash(hash))
    }

    fn compare(&self, endpoint: &Endpoint, charge: &Charge) -> Result<(), Mismatch> {
        let order = &self.0;
        Mismatch::unless_equal("amount", order.amount().get(), charge.amount)?;
        Mismatch::unless_equal("amount_satoshi", order.amount().get(), charge.amount_satoshi.get())?;
        Mismatch::unless_equal("currency", Currency::Btc, charge.currency())?;
        if !self.describes_by_hash(charge) {
            Mismatch::unless_equal("description", order.description(), charge.description())?;
        }
        let echo = charge.raw_customer_id().filter(|id| !id.is_empty());
        Mismatch::unless_equal("customer_id", order.get_customer_id(), echo)?;
        if endpoint.checks_invoices() {
            invoice::compare(charge, endpoint.network())?;
        }
        Ok(())
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
        endpoint.request(dialect.create(&self.0, endpoint.options()))
    }

    fn parse(&self, endpoint: &Endpoint, response: &HttpResponse, now: Now) -> Result<Charge, Error> {
        let charge = response::created(endpoint, &self.describe(), response, &self.0, now);
        let charge = charge.map_err(Error::of_no_charge)?;
        self.accept(endpoint, charge)
            .and_then(|charge| self.reject_expired(endpoint, charge, response, now))
            .map_err(|error| error.with_status(response.status().as_u16()))
    }

    fn describe(&self) -> String {
        format!("{} of {}", Self::NAME, self.0.amount())
    }
}
