//! Holds an invoice against its charge and the order, and hands out what passed.

use super::expectation::Expectation;
#[cfg(feature = "signature")]
use super::payee::PayeeKey;
use super::read::{Invoice, InvoiceDescription};
#[cfg(feature = "signature")]
use super::signature;
use super::wallet::WalletObjection;
use crate::errors::Mismatch;
use crate::redaction::text;
use crate::values::{Charge, Network, Satoshi, UnixMillis};

impl Charge {
    /// Holds the charge and its invoice against an order, before a payer sees either.
    ///
    /// | field of the mismatch | must be |
    /// | --- | --- |
    /// | `amount`, `description` | the order's, if the expectation names them |
    /// | `amount_satoshi` | the order's, and equal to `amount` in any case |
    /// | `payment_request` | a BOLT11 invoice |
    /// | `invoice.network` | the expectation's |
    /// | `invoice.amount (millisatoshi)` | the order's amount, or else the charge's |
    /// | `invoice.payment_hash` | the charge's |
    /// | `invoice.description` | the order's, or else the charge's |
    /// | `invoice.description_hash` | the SHA-256 of that description, or of the text that the expectation names |
    /// | `invoice.expires_at` | later than `now` |
    /// | `invoice.wallet` | payable by wallets of today, if the expectation [demands](Expectation::for_todays_wallets) it |
    /// | `invoice.signature` | valid: by the invoice's own payee field if it has one, else by any key |
    /// | `invoice.payee` | the payee that the expectation names |
    ///
    /// The hash, the signature and the payee are checked under the feature `signature` alone. With it, an invoice is
    /// also refused (as `invoice.signature`) that has more than the 7089 characters of the largest QR code, or that is
    /// not in the form which BOLT11 asks of writers: numbers without leading zeros, gaps filled with zeros. The
    /// signature of such a one cannot be judged here.
    ///
    /// **What a signature is worth.** Usually an invoice does not say who signed it: the key is computed from
    /// signature and content, and nearly any change of the content leads to some other key. So unless the expectation
    /// names the payee, the signature proves nothing about where the invoice comes from, nor that nobody changed
    /// it; it only tells which node would be paid. An invoice with a payee field proves that the holder of
    /// that key signed it, whoever that is.
    ///
    /// **Which `now` to pass.** The server's clock made the expiry, so pass the server's time where you know it, such as the
    /// `Date` of its last response. Else pass your own clock's time less [`CLOCK_MARGIN`](crate::CLOCK_MARGIN), since your
    /// clock may be ahead. No margin is applied here: an invoice that expires at `now` is refused. The clients' `check`
    /// does this for you.
    ///
    /// Whether the charge is the one that was asked for (its id), and whether it is paid, is not looked at here.
    ///
    /// ```
    /// use strike_core::{Charge, Expectation, Network, NewCharge, UnixMillis};
    ///
    /// // As a shop kept it; the invoice is an example of the BOLT11 specification.
    /// let charge: Charge = serde_json::from_str(r#"{
    ///     "id": "ch_1", "object": "charge", "amount": 250000, "currency": "btc", "amount_satoshi": 250000,
    ///     "payment_hash": "0001020304050607080900010203040506070809000102030405060708090102",
    ///     "payment_request": "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpuaztrnwngzn3kdzw5hydlzf03qdgm2hdq27cqv3agm2awhz5se903vruatfhq77w3ls4evs3ch9zw97j25emudupq63nyw24cg27h2rspfj9srp",
    ///     "description": "1 cup coffee", "paid": false, "created": 1496314658000, "updated": 1496314658000}"#)?;
    ///
    /// let order = NewCharge::satoshis(250_000, "1 cup coffee");
    /// let now = UnixMillis::from_secs(1_496_314_660);
    /// let invoice = charge.check(&Expectation::of(&order, Network::Bitcoin), now)?;
    /// assert!(invoice.to_uri().starts_with("lightning:lnbc2500u1"));
    ///
    /// let other = NewCharge::satoshis(250_000, "2 cups coffee");
    /// let mismatch = charge.check(&Expectation::of(&other, Network::Bitcoin), now).unwrap_err();
    /// assert_eq!(mismatch.field(), "description");
    ///
    /// // The invoice can be paid for a minute.
    /// let later = UnixMillis::from_secs(1_496_314_718);
    /// let mismatch = charge.check(&Expectation::of(&order, Network::Bitcoin), later).unwrap_err();
    /// assert_eq!(mismatch.field(), "invoice.expires_at");
    /// assert_eq!(mismatch.expected(), "later than 2017-06-01T10:58:38Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Mismatch`] names the first field that differs. It repeats the host's words, cut to 200 characters.
    pub fn check(&self, expected: &Expectation, now: UnixMillis) -> Result<CheckedInvoice, Mismatch> {
        // The host's words could be endless.
        self.check_at_length(expected, now).map_err(|mismatch| {
            Mismatch::new(mismatch.field(), mismatch.expected(), text::shorten(mismatch.found()))
        })
    }

    fn check_at_length(&self, expected: &Expectation, now: UnixMillis) -> Result<CheckedInvoice, Mismatch> {
        if let Some(amount) = expected.amount {
            Mismatch::unless_equal("amount", amount.get(), self.amount)?;
            Mismatch::unless_equal("amount_satoshi", amount.get(), self.amount_satoshi.get())?;
        }
        if let Some(description) = &expected.description {
            Mismatch::unless_equal("description", description.as_str(), self.description())?;
        }
        let invoice = agree(self, expected)?;
        if invoice.expires_at() <= now {
            return Err(expired(invoice.expires_at(), now));
        }
        if let Some(objection) = invoice.wallet_objections().first().filter(|_| expected.todays_wallets) {
            return Err(Mismatch::new("invoice.wallet", "payable by wallets of today", objection));
        }
        Ok(CheckedInvoice {
            text: self.payment_request().to_string(),
            amount: self.amount(),
            #[cfg(feature = "signature")]
            payee: signature::check(self, &invoice, expected)?,
            invoice,
        })
    }
}

/// Holds a charge's invoice against the charge and its network: the light check.
pub(crate) fn compare(charge: &Charge, network: Network) -> Result<Invoice, Mismatch> {
    agree(charge, &Expectation::new(network))
}

/// An invoice that has expired by that moment.
pub(crate) fn expired(expires_at: UnixMillis, moment: UnixMillis) -> Mismatch {
    Mismatch::new(Mismatch::EXPIRES_AT, format!("later than {moment}"), expires_at)
}

/// The one light comparison. What the order says was compared with the charge already, so the charge speaks for both.
fn agree(charge: &Charge, expected: &Expectation) -> Result<Invoice, Mismatch> {
    let invoice = charge.invoice().map_err(|error| {
        Mismatch::new("payment_request", "a BOLT11 invoice", format!("unreadable: {error}"))
    })?;
    Mismatch::unless_equal("invoice.network", expected.network, invoice.network())?;
    agree_on_amount(charge, &invoice)?;
    Mismatch::unless_equal("invoice.payment_hash", charge.payment_hash(), invoice.payment_hash())?;
    match invoice.description() {
        InvoiceDescription::Text(text) => {
            Mismatch::unless_equal("invoice.description", charge.description(), text.as_str())?;
        }
        InvoiceDescription::Absent => {
            Mismatch::unless_equal("invoice.description", charge.description(), "")?
        }
        // The text behind a hash is not in the invoice: it stays unchecked here.
        InvoiceDescription::Hash(_) => {}
    }
    Ok(invoice)
}

/// Both amounts of the charge and that of its invoice must be one. An invoice without an amount has none that could be equal.
fn agree_on_amount(charge: &Charge, invoice: &Invoice) -> Result<(), Mismatch> {
    const FIELD: &str = "invoice.amount (millisatoshi)";
    Mismatch::unless_equal("amount_satoshi", charge.amount, charge.amount_satoshi.get())?;
    match (charge.amount().millisatoshi(), invoice.amount_millisatoshi()) {
        (Some(expected), Some(found)) => Mismatch::unless_equal(FIELD, expected, found),
        (expected, found) => {
            let written = |amount: Option<u64>| amount.map_or("none".into(), |amount| amount.to_string());
            Err(Mismatch::new(FIELD, written(expected), written(found)))
        }
    }
}

/// An invoice that says what its charge and the order say: what a payer may be shown.
///
/// [`Charge::check`](crate::Charge::check) makes it, and nothing else does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedInvoice {
    text: String,
    amount: Satoshi,
    invoice: Invoice,
    #[cfg(feature = "signature")]
    payee: PayeeKey,
}

impl CheckedInvoice {
    /// The invoice as the host wrote it, for a wallet to take in, without white space or `lightning:` around it.
    #[must_use]
    pub fn payment_request(&self) -> &str {
        &self.text
    }

    /// A link that opens the payer's wallet: `lightning:lnbc...`, in lower case.
    #[must_use]
    pub fn to_uri(&self) -> String {
        format!("lightning:{}", self.text.to_ascii_lowercase())
    }

    /// The text of a QR code: the same link in upper case, which a code's alphanumeric mode holds in fewer dots.
    #[must_use]
    pub fn to_qr_text(&self) -> String {
        self.to_uri().to_ascii_uppercase()
    }

    /// The moment from which wallets refuse to pay it, by the host's clock. It may have passed.
    #[must_use]
    pub fn expires_at(&self) -> UnixMillis {
        self.invoice.expires_at()
    }

    /// The amount, in satoshi.
    #[must_use]
    pub const fn amount(&self) -> Satoshi {
        self.amount
    }

    /// Whether the payer will see the description that was expected. It is `false` for the hash of one, which takes
    /// the feature `signature` to check; the hash is in [`Invoice::description`].
    #[must_use]
    pub const fn description_checked(&self) -> bool {
        cfg!(feature = "signature") || !matches!(self.invoice.description(), InvoiceDescription::Hash(_))
    }

    /// Returns why a Lightning wallet of today would refuse to pay it: see [`Invoice::wallet_objections`].
    ///
    /// [`Expectation::for_todays_wallets`] makes these a mismatch.
    #[must_use]
    pub fn wallet_objections(&self) -> &[WalletObjection] {
        self.invoice.wallet_objections()
    }

    /// The node that signed it and would be paid. Only [`Expectation::payee`] makes it the right one.
    #[cfg(feature = "signature")]
    #[must_use]
    pub const fn payee(&self) -> &PayeeKey {
        &self.payee
    }

    /// Everything else that it says.
    #[must_use]
    pub const fn invoice(&self) -> &Invoice {
        &self.invoice
    }
}
