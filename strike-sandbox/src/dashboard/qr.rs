//! A payment request as a QR code: a picture for the page, and text for a terminal.

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};
use strike_core::http::StatusCode;

use crate::answer::Refusal;

/// Black on white whatever the terminal's colours are: places 16 and 231 of the 256 are those that no theme moves.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const AS_BEFORE: &str = "\x1b[0m";

/// The code of a payment request, in upper case: then a character takes 5.5 bits instead of 8, and BOLT11 reads the same.
///
/// The least error correction has the largest squares, which is what helps on a screen: nothing there smudges. It takes
/// 4296 characters, several times the longest invoice of an ordinary charge.
pub(super) fn code(payment_request: &str) -> Result<QrCode, Refusal> {
    QrCode::with_error_correction_level(payment_request.to_ascii_uppercase(), EcLevel::L).map_err(|error| {
        let length = payment_request.len();
        let message =
            format!("a payment request of {length} characters fits no QR code, which takes 4296: {error}");
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    })
}

/// Black on white, with the quiet zone of four squares that scanners ask for.
pub(super) fn svg(code: &QrCode) -> String {
    code.render::<svg::Color<'_>>().build()
}

/// Half blocks, two squares to a character, with the quiet zone.
pub(super) fn text(code: &QrCode) -> String {
    let blocks = code.render::<unicode::Dense1x2>().build();
    let mut text = String::with_capacity(2 * blocks.len());
    for line in blocks.lines() {
        text.push_str(BLACK_ON_WHITE);
        text.push_str(line);
        text.push_str(AS_BEFORE);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_longer_than_the_largest_qr_code_is_rejected() {
        let longest = format!("lnbc{}", "q".repeat(4292));
        let code = code(&longest).expect("the text fits");
        assert_eq!(code.width(), 177);
        let error = super::code(&format!("{longest}q")).map(|_| ()).expect_err("the text is too long");
        assert_eq!(error.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(error.to_json().contains("4297 characters"), "{}", error.to_json());
    }
}
