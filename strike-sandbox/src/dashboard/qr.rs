//! Payment requests as QR codes: an SVG image for the page, and text for a terminal.

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};
use strike_core::http::StatusCode;

use crate::response::ErrorResponse;

/// Black on white in every terminal: themes do not change colours 16 and 231 of the 256.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// Encodes a payment request in upper case, which takes 5.5 bits per character instead of 8. BOLT11 allows both cases.
///
/// The lowest error correction gives the largest modules, which are easier to scan from a screen. A code holds up to
/// 4296 characters, several times the longest invoice of a charge.
pub(super) fn code(payment_request: &str) -> Result<QrCode, ErrorResponse> {
    QrCode::with_error_correction_level(payment_request.to_ascii_uppercase(), EcLevel::L).map_err(|error| {
        let length = payment_request.len();
        let message =
            format!("the payment request has {length} characters, but a QR code holds at most 4296: {error}");
        ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    })
}

/// Renders the code black on white, with the quiet zone of four modules that scanners need.
pub(super) fn svg(code: &QrCode) -> String {
    code.render::<svg::Color<'_>>().build()
}

/// Renders the code as half blocks, two modules per character, with the quiet zone.
pub(super) fn text(code: &QrCode) -> String {
    let blocks = code.render::<unicode::Dense1x2>().build();
    let mut text = String::with_capacity(2 * blocks.len());
    for line in blocks.lines() {
        text.push_str(BLACK_ON_WHITE);
        text.push_str(line);
        text.push_str(RESET);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_request_of_more_than_4296_characters_is_rejected() {
        let longest = format!("lnbc{}", "q".repeat(4292));
        let code = code(&longest).expect("a code");
        assert_eq!(code.width(), 177);
        let refusal = super::code(&format!("{longest}q")).map(|_| ()).expect_err("too long");
        assert_eq!(refusal.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refusal.to_json().contains("4297 characters"), "{}", refusal.to_json());
    }
}
