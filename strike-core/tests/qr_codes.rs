//! Tests of QR codes. A library that does not encode them decodes each rendering.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use lightning_invoice::Currency;
use proptest::prelude::*;
use rqrr::{Grid, SimpleGrid};
use serde_json::json;
use strike_core::{CheckedInvoice, Expectation, Network, QrCode, UnixMillis};
use support::charge;
use support::invoices::written;

/// The width of the light border, in modules.
const BORDER: usize = 4;

/// Decodes a code without its border.
fn scan(width: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
    Grid::new(SimpleGrid::from_func(width, is_dark)).decode().expect("a readable code").1
}

/// Decodes a square image. Its outermost modules must be light.
fn scan_image(image: &[Vec<bool>]) -> String {
    let size = image.len();
    assert!(image.iter().all(|row| row.len() == size), "the image is a square");
    let inner = BORDER..size - BORDER;
    for (y, row) in image.iter().enumerate() {
        for (x, dark) in row.iter().enumerate() {
            assert!(!dark || inner.contains(&x) && inner.contains(&y), "the border is dark at {x} {y}");
        }
    }
    scan(size - 2 * BORDER, |x, y| image[y + BORDER][x + BORDER])
}

/// Draws the paths of an SVG. Supports the commands `M`, `h`, `v`, `H` and `z`, for rectangles.
fn draw_svg(svg: &str) -> Vec<Vec<bool>> {
    let attribute = |text: &str, name: &str| -> String {
        let (_, rest) = text.split_once(&format!(" {name}=\"")).expect(name);
        rest.split('"').next().unwrap().to_owned()
    };
    let view_box = attribute(svg, "viewBox");
    let size: usize = view_box.strip_prefix("0 0 ").unwrap().split(' ').next().unwrap().parse().unwrap();
    assert_eq!(view_box, format!("0 0 {size} {size}"));
    let mut image = vec![vec![true; size]; size];
    for path in svg.split("<path").skip(1) {
        let dark = match attribute(path, "fill").as_str() {
            "#000" => true,
            "#fff" => false,
            other => panic!("the colour is {other}"),
        };
        for rectangle in attribute(path, "d").split('M').skip(1) {
            let (start, rest) = rectangle.split_once('h').expect("a rectangle");
            let (across, rest) = rest.split_once('v').expect("a rectangle");
            let number = |text: &str| text.trim_end_matches('z').parse::<usize>().expect(rectangle);
            let (left, top) = start.split_once(' ').expect("a rectangle");
            let (left, top, across) = (number(left), number(top), number(across));
            // Back to the left edge: by the width, or to a column.
            let (down, back_is_right) = match rest.split_once("h-") {
                Some((down, back)) => (number(down), number(back) == across),
                None => {
                    let (down, back) = rest.split_once('H').expect("a rectangle");
                    (number(down), number(back) == left)
                }
            };
            assert!(back_is_right, "the path is a rectangle: {rectangle}");
            for row in &mut image[top..top + down] {
                row[left..left + across].fill(dark);
            }
        }
    }
    image
}

/// Draws the text as a terminal shows it, with black half blocks on white.
fn draw_text(text: &str) -> Vec<Vec<bool>> {
    let mut image = Vec::new();
    for line in text.strip_suffix('\n').expect("a line feed at the end").split('\n') {
        let line = line.strip_prefix("\u{1b}[38;5;16;48;5;231m").expect("black on white");
        let line = line.strip_suffix("\u{1b}[0m").expect("a reset");
        assert!(line.chars().all(|half| "█▀▄ ".contains(half)), "{line}");
        image.push(line.chars().map(|half| matches!(half, '█' | '▀')).collect::<Vec<_>>());
        image.push(line.chars().map(|half| matches!(half, '█' | '▄')).collect());
    }
    // A code has an odd number of rows. The last half line is below the border.
    assert_eq!(image.pop().expect("a row"), vec![false; image[0].len()]);
    image
}

fn assert_scans_as(code: &QrCode, expected: &str) {
    assert_eq!(scan(code.width(), |x, y| code.is_dark(x, y)), expected);
    assert_eq!(scan_image(&draw_svg(&code.to_svg("a label"))), expected);
    assert_eq!(scan_image(&draw_text(&code.to_terminal())), expected);
}

fn checked(description: &str) -> CheckedInvoice {
    let invoice = written(Currency::BitcoinTestnet, 4_200_000, description, None);
    let charge = charge(&[("payment_request", json!(invoice)), ("description", json!(description))]);
    charge.check(&Expectation::new(Network::Testnet), UnixMillis::from_secs(1_700_000_000)).unwrap()
}

#[test]
fn each_rendering_of_a_checked_invoice_scans_as_its_qr_text() {
    for description in ["", "tea", &"₿".repeat(200), &"W".repeat(639)] {
        let invoice = checked(description);
        assert_scans_as(&invoice.qr_code().unwrap(), &invoice.to_qr_text());
    }
}

#[test]
fn usual_qr_code_fits_a_terminal_of_80_columns() {
    let text =
        checked("two cups of coffee, and a slice of the cake of the day").qr_code().unwrap().to_terminal();
    let columns = draw_text(&text)[0].len();
    assert!(columns <= 80, "{columns} columns");
}

#[test]
fn qr_code_has_light_modules_outside_of_its_width() {
    let code = QrCode::unchecked("lntb42u1").unwrap();
    let last = code.width() - 1;
    // The finder patterns are in three of the corners.
    assert!(code.is_dark(0, 0) && code.is_dark(last, 0) && code.is_dark(0, last));
    for (x, y) in [(code.width(), 0), (0, code.width()), (usize::MAX, 0), (0, usize::MAX)] {
        assert!(!code.is_dark(x, y), "{x} {y}");
    }
}

#[test]
fn longest_payment_request_fits_and_one_more_character_does_not() {
    let longest = format!("lnbc{}", "q".repeat(QrCode::MAX_PAYMENT_REQUEST - 4));
    let code = QrCode::unchecked(&longest).unwrap();
    assert_eq!(code.width(), 177);
    assert_scans_as(&code, &format!("LIGHTNING:{}", longest.to_uppercase()));
    let error = QrCode::unchecked(&format!("lightning:{longest}q")).unwrap_err();
    assert_eq!(error.field(), "payment_request");
    assert_eq!(
        error.to_string(),
        "payment_request must be at most 4286 characters long for a QR code, but is 4287 characters long"
    );
}

#[test]
fn error_correction_is_the_highest_that_does_not_enlarge_the_code() {
    // A code of 21 x 21 modules holds 25, 20, 16 or 10 characters, by the level. The format of a code
    // numbers the levels L, M, Q and H as 1, 0, 3 and 2.
    for (length, level) in [(25, 1), (20, 0), (16, 3), (10, 2)] {
        let code = QrCode::unchecked(&"Q".repeat(length - "LIGHTNING:".len())).unwrap();
        assert_eq!(code.width(), 21, "{length}");
        let grid = Grid::new(SimpleGrid::from_func(21, |x, y| code.is_dark(x, y)));
        assert_eq!(grid.decode().unwrap().0.ecc_level, level, "{length}");
    }
}

#[test]
fn svg_label_cannot_leave_its_attribute() {
    let code = QrCode::unchecked("lntb42u1").unwrap();
    let svg = code.to_svg("\"><script>alert('tea' & \u{0}'cake')</script>\n");
    let label = "aria-label=\"&quot;&gt;&lt;script&gt;alert('tea' &amp; \u{fffd}'cake')&lt;/script&gt; \"";
    assert!(svg.contains(label), "{svg}");
    assert_eq!(svg.matches('<').count(), 4, "svg, path, path and the end: {svg}");
    assert!(!svg.contains("style") && svg.contains("role=\"img\""));
}

#[test]
fn debug_output_of_a_qr_code_is_short() {
    assert_eq!(format!("{:?}", QrCode::unchecked("lntb42u1").unwrap()), "QrCode { width: 21, .. }");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_payment_request_scans_as_itself(text in "ln(bc|tb|bcrt)[0-9]{0,8}[munp]?1[ac-hj-np-z02-9]{100,1500}") {
        assert_scans_as(&QrCode::unchecked(&text).unwrap(), &format!("LIGHTNING:{}", text.to_uppercase()));
    }
}
