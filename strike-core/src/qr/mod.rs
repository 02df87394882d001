//! QR codes of payment requests: as a matrix, an SVG image, and text for a terminal.

mod svg;
mod terminal;

use std::fmt;

use qrcode::{Color, EcLevel, QrCode as Encoded};

use crate::invoice::{CheckedInvoice, bare};
use crate::values::InvalidInput;

/// The width of the light border that scanners need, in modules.
const QUIET_ZONE: usize = 4;

/// A QR code of a payment request, which a payer scans with a wallet.
///
/// Get it from [`CheckedInvoice::qr_code`]. A code consists of square modules, dark or light. The
/// renderings are black on white in light and dark themes, with the border of four modules that
/// scanners need.
///
/// ```
/// use strike_core::{Charge, Expectation, Network, UnixMillis};
///
/// // A charge that a shop stored. The invoice is an example from the BOLT11 specification.
/// let charge: Charge = serde_json::from_str(r#"{
///     "id": "ch_1", "object": "charge", "amount": 250000, "currency": "btc", "amount_satoshi": 250000,
///     "payment_hash": "0001020304050607080900010203040506070809000102030405060708090102",
///     "payment_request": "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpuaztrnwngzn3kdzw5hydlzf03qdgm2hdq27cqv3agm2awhz5se903vruatfhq77w3ls4evs3ch9zw97j25emudupq63nyw24cg27h2rspfj9srp",
///     "description": "1 cup coffee", "paid": false, "created": 1496314658000, "updated": 1496314658000}"#)?;
/// let now = UnixMillis::from_secs(1_496_314_660);
/// let invoice = charge.check(&Expectation::new(Network::Bitcoin), now)?;
///
/// let code = invoice.qr_code()?;
/// let svg = code.to_svg("QR code of the invoice: 250,000 satoshis");
/// assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
/// for line in code.to_terminal().lines() {
///     println!("{line}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct QrCode {
    width: usize,
    /// Row by row, true for a dark module.
    modules: Vec<bool>,
}

impl QrCode {
    /// The most characters that a payment request may have to fit into a QR code.
    pub const MAX_PAYMENT_REQUEST: usize = 4286;

    /// Encodes a payment request that you have checked before, such as one that you have stored.
    /// This function does not check it. To check it, use
    /// [`Charge::check`](crate::Charge::check) and [`CheckedInvoice::qr_code`].
    ///
    /// The code contains `LIGHTNING:` and the payment request in upper case, as in
    /// [`CheckedInvoice::to_qr_text`]. Surrounding white space and a `lightning:` prefix are
    /// ignored.
    ///
    /// ```
    /// use strike_core::QrCode;
    ///
    /// let code = QrCode::unchecked("lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqs")?;
    /// assert_eq!(code, QrCode::unchecked("lightning:LNBC2500U1PVJLUEZPP5QQQSYQCYQ5RQWZQFQQQSYQCYQ5RQWZQFQQQS")?);
    /// # Ok::<(), strike_core::InvalidInput>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`InvalidInput`] if the payment request is longer than
    /// [`MAX_PAYMENT_REQUEST`](Self::MAX_PAYMENT_REQUEST). If it contains characters that no
    /// invoice contains, fewer of them fit.
    pub fn unchecked(payment_request: &str) -> Result<Self, InvalidInput> {
        let payment_request = bare(payment_request);
        let text = format!("LIGHTNING:{}", payment_request.to_ascii_uppercase());
        let encoded = encode(text.as_bytes()).ok_or_else(|| {
            let rule = format!("at most {} characters long for a QR code", Self::MAX_PAYMENT_REQUEST);
            InvalidInput::new("payment_request", rule)
                .found(format_args!("{} characters long", payment_request.chars().count()))
        })?;
        let (width, colors) = (encoded.width(), encoded.into_colors());
        Ok(Self { width, modules: colors.into_iter().map(|color| color == Color::Dark).collect() })
    }

    /// Returns the number of modules in each row and column, without the light border.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Returns true if the module at column `x` of row `y` is dark. The first row is the top one.
    /// Outside of the code it returns false.
    ///
    /// If you draw the modules yourself, draw a light border of four modules around them.
    #[must_use]
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        let is_inside = x < self.width && y < self.width;
        is_inside && self.modules.get(y * self.width + x).copied().unwrap_or(false)
    }

    /// Renders the code as an SVG image, for a page or a file.
    ///
    /// The label is the name of the image for screen readers, as plain text. The image takes the
    /// size that the page gives it. It contains no scripts and no styles, so any content security
    /// policy allows it.
    #[must_use]
    pub fn to_svg(&self, label: &str) -> String {
        svg::render(self, label)
    }

    /// Renders the code as lines of text, for a terminal that shows Unicode and 256 colours.
    ///
    /// A line shows two rows of modules and ends with a line feed. The usual invoice takes about
    /// 60 columns and 30 lines.
    #[must_use]
    pub fn to_terminal(&self) -> String {
        terminal::render(self)
    }
}

impl fmt::Debug for QrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QrCode").field("width", &self.width).finish_non_exhaustive()
    }
}

impl CheckedInvoice {
    /// Returns a QR code of [`to_qr_text`](Self::to_qr_text).
    ///
    /// # Errors
    /// Returns [`InvalidInput`] if the invoice is longer than
    /// [`QrCode::MAX_PAYMENT_REQUEST`]. The usual invoice has about 300 characters. The longest
    /// description, of 639 bytes, adds 1023.
    pub fn qr_code(&self) -> Result<QrCode, InvalidInput> {
        QrCode::unchecked(self.payment_request())
    }
}

/// Encodes the text into the smallest code, since large modules are easier to scan from a screen.
/// Of the levels of error correction that fit into this size, it takes the highest.
///
/// Returns `None` if the text is too long.
fn encode(text: &[u8]) -> Option<Encoded> {
    let smallest = Encoded::with_error_correction_level(text, EcLevel::L).ok()?;
    [EcLevel::H, EcLevel::Q, EcLevel::M]
        .into_iter()
        .find_map(|level| Encoded::with_version(text, smallest.version(), level).ok())
        .or(Some(smallest))
}
