//! Checks a charge and its invoice against the order before a payer sees them.

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
    /// Checks the charge and its invoice against an order. Call it before you show either to a
    /// payer.
    ///
    /// | field of the mismatch | required value |
    /// | --- | --- |
    /// | `amount`, `description` | the order's, if the expectation sets them |
    /// | `amount_satoshi` | the order's; always equal to `amount` |
    /// | `payment_request` | a BOLT11 invoice |
    /// | `invoice.network` | the expectation's |
    /// | `invoice.amount (millisatoshi)` | the order's amount, otherwise the charge's |
    /// | `invoice.payment_hash` | the charge's |
    /// | `invoice.description` | the order's, otherwise the charge's |
    /// | `invoice.description_hash` | the SHA-256 of that description, or of the text in the expectation |
    /// | `invoice.expires_at` | later than `now` |
    /// | `invoice.wallet` | payable by current wallets, if the expectation [requires](Expectation::for_todays_wallets) it |
    /// | `invoice.signature` | valid for the key in the invoice's payee field, or for any key if there is no such field |
    /// | `invoice.payee` | the expectation's payee, if it sets one |
    ///
    /// The description hash, the signature and the payee are checked only with the feature
    /// `signature`. That feature also rejects two kinds of invoice (as `invoice.signature`),
    /// because their signature cannot be verified:
    ///
    /// * invoices longer than 7089 characters, the capacity of the largest QR code;
    /// * invoices that are not in BOLT11's canonical form: numbers without leading zeros, padding
    ///   bits set to zero.
    ///
    /// This method does not check the charge's id, nor whether the charge is paid.
    ///
    /// # What a valid signature proves
    /// Most invoices do not contain the public key of the signer. The key is recovered from the
    /// signature and the content. If the content is changed, another key is usually
    /// recovered, and the signature still counts as valid. So without an expected payee, a valid
    /// signature does not prove who made the invoice. It only shows which node would be paid. An
    /// invoice with a payee field proves that the owner of that key signed it. To detect a forged
    /// invoice, set the expected payee.
    ///
    /// # Which time to pass
    /// The server's clock determines the expiry. Pass the server's time if you have it, for example
    /// the `Date` header of its last response. Otherwise subtract
    /// [`CLOCK_MARGIN`](crate::CLOCK_MARGIN) from your own clock, which may be ahead. This method
    /// applies no margin: it rejects an invoice that expires exactly at `now`. The clients' `check`
    /// methods choose the time for you.
    ///
    /// # Example
    ///
    /// ```
    /// use strike_core::{Charge, Expectation, Network, NewCharge, UnixMillis};
    ///
    /// // A charge that a shop stored. The invoice is an example from the BOLT11 specification.
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
    /// // The invoice expires after a minute.
    /// let later = UnixMillis::from_secs(1_496_314_718);
    /// let mismatch = charge.check(&Expectation::of(&order, Network::Bitcoin), later).unwrap_err();
    /// assert_eq!(mismatch.field(), "invoice.expires_at");
    /// assert_eq!(mismatch.expected(), "later than 2017-06-01T10:58:38Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns a [`Mismatch`] for the first field that differs. Text from the server is truncated
    /// to 200 characters.
    pub fn check(&self, expected: &Expectation, now: UnixMillis) -> Result<CheckedInvoice, Mismatch> {
        // Text from the server can have any length.
        self.check_untruncated(expected, now).map_err(|mismatch| {
            Mismatch::new(mismatch.field(), mismatch.expected(), text::shorten(mismatch.found()))
        })
    }

    fn check_untruncated(&self, expected: &Expectation, now: UnixMillis) -> Result<CheckedInvoice, Mismatch> {
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
            return Err(Mismatch::new("invoice.wallet", "payable by current wallets", objection));
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

/// Checks that a charge's invoice is for this network and agrees with the charge. Does not verify
/// the signature.
pub(crate) fn compare(charge: &Charge, network: Network) -> Result<Invoice, Mismatch> {
    agree(charge, &Expectation::new(network))
}

/// Returns the mismatch of an invoice that has expired at `moment`.
pub(crate) fn expired(expires_at: UnixMillis, moment: UnixMillis) -> Mismatch {
    Mismatch::new(Mismatch::EXPIRES_AT, format!("later than {moment}"), expires_at)
}

/// Compares the invoice with the charge. The caller has already compared the charge with the order.
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
        // The feature `signature` checks the hash.
        InvoiceDescription::Hash(_) => {}
    }
    Ok(invoice)
}

/// Requires that both amounts of the charge and the amount of the invoice are equal. An invoice
/// without an amount fails.
fn agree_on_amount(charge: &Charge, invoice: &Invoice) -> Result<(), Mismatch> {
    const FIELD: &str = "invoice.amount (millisatoshi)";
    Mismatch::unless_equal("amount_satoshi", charge.amount, charge.amount_satoshi.get())?;
    match (charge.amount().millisatoshi(), invoice.amount_millisatoshi()) {
        (Some(expected), Some(found)) => Mismatch::unless_equal(FIELD, expected, found),
        (expected, found) => {
            let shown = |amount: Option<u64>| amount.map_or("none".into(), |amount| amount.to_string());
            Err(Mismatch::new(FIELD, shown(expected), shown(found)))
        }
    }
}

/// An invoice that agrees with its charge and the order, so you can show it to a payer.
///
/// Only [`Charge::check`](crate::Charge::check) and the clients' `check` methods create it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedInvoice {
    text: String,
    amount: Satoshi,
    invoice: Invoice,
    #[cfg(feature = "signature")]
    payee: PayeeKey,
}

impl CheckedInvoice {
    /// Returns the invoice text as the server sent it, without surrounding white space and without
    /// a `lightning:` prefix. Wallets accept it as it is.
    #[must_use]
    pub fn payment_request(&self) -> &str {
        &self.text
    }

    /// Returns a link that opens the payer's wallet: `lightning:lnbc...`, in lower case.
    #[must_use]
    pub fn to_uri(&self) -> String {
        format!("lightning:{}", self.text.to_ascii_lowercase())
    }

    /// Returns the text for a QR code: the link in upper case. QR codes store upper-case text more
    /// compactly.
    #[must_use]
    pub fn to_qr_text(&self) -> String {
        self.to_uri().to_ascii_uppercase()
    }

    /// Returns when the invoice expires, by the server's clock. From then on, wallets refuse to pay
    /// it.
    ///
    /// This time can already be in the past when you read it.
    #[must_use]
    pub fn expires_at(&self) -> UnixMillis {
        self.invoice.expires_at()
    }

    /// Returns the amount in satoshi.
    #[must_use]
    pub const fn amount(&self) -> Satoshi {
        self.amount
    }

    /// Returns true if the description was checked.
    ///
    /// Without the feature `signature` it is false for an invoice that has only the hash of a
    /// description. That hash is in [`Invoice::description`].
    #[must_use]
    pub const fn description_checked(&self) -> bool {
        cfg!(feature = "signature") || !matches!(self.invoice.description(), InvoiceDescription::Hash(_))
    }

    /// Returns the reasons why current Lightning wallets refuse to pay it: see
    /// [`Invoice::wallet_objections`].
    ///
    /// With [`Expectation::for_todays_wallets`], `check` rejects such an invoice.
    #[must_use]
    pub fn wallet_objections(&self) -> &[WalletObjection] {
        self.invoice.wallet_objections()
    }

    /// Returns the key of the node that signed the invoice and would be paid.
    ///
    /// It is the server's node only if you set [`Expectation::payee`]: see [`Charge::check`].
    #[cfg(feature = "signature")]
    #[must_use]
    pub const fn payee(&self) -> &PayeeKey {
        &self.payee
    }

    /// Returns the decoded invoice, with all other fields.
    #[must_use]
    pub const fn invoice(&self) -> &Invoice {
        &self.invoice
    }
}
