//! Renders a QR code as an SVG image.

use std::fmt::Write;

use super::{QUIET_ZONE, QrCode};

/// Draws a white square and one path. A unit of the image is a module.
pub(super) fn render(code: &QrCode, label: &str) -> String {
    let size = code.width() + 2 * QUIET_ZONE;
    let label = escape(label);
    let path = path(code);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" aria-label="{label}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>"##
    )
}

/// Returns the dark modules as rectangles that are one module high.
fn path(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.width() {
        let mut x = 0;
        while x < code.width() {
            let length = (x..code.width()).take_while(|x| code.is_dark(*x, y)).count();
            if length > 0 {
                let (left, top) = (x + QUIET_ZONE, y + QUIET_ZONE);
                // Writing to a string does not fail.
                let _ = write!(path, "M{left} {top}h{length}v1h-{length}z");
            }
            x += length.max(1);
        }
    }
    path
}

/// Escapes text for an attribute of an XML or HTML document. Characters that XML forbids become
/// U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            other => escaped.push(other),
        }
    }
    escaped
}
