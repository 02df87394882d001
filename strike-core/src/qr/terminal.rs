//! Renders a QR code as text for a terminal.

use super::{QUIET_ZONE, QrCode};

/// Black on white in every terminal: themes do not change colours 16 and 231 of the 256.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// Draws half blocks: a character is one module wide and two modules high.
pub(super) fn render(code: &QrCode) -> String {
    let size = code.width() + 2 * QUIET_ZONE;
    // Left of the code and above it, the subtraction gives `None`: the border is light.
    let is_dark = |x: usize, y: usize| {
        let (x, y) = (x.checked_sub(QUIET_ZONE), y.checked_sub(QUIET_ZONE));
        x.zip(y).is_some_and(|(x, y)| code.is_dark(x, y))
    };
    let mut text = String::new();
    for y in (0..size).step_by(2) {
        text.push_str(BLACK_ON_WHITE);
        text.extend((0..size).map(|x| match (is_dark(x, y), is_dark(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        }));
        text.push_str(RESET);
        text.push('\n');
    }
    text
}
