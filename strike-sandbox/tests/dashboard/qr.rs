//! QR codes, decoded by a different library than the one that encodes them.

use rqrr::PreparedImage;
use strike_core::http::Method;
use strike_sandbox::Sandbox;

use crate::support::{FORM, create, error, id, request_without_key, sandbox, text};

/// Pixels per module of the code. The decoder needs several to detect the code.
const PIXELS: usize = 4;

/// Decodes the code in an image of `width` × `height` modules.
fn scan(width: usize, height: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
    let grey = |x: usize, y: usize| if is_dark(x / PIXELS, y / PIXELS) { 0 } else { 255 };
    let mut image = PreparedImage::prepare_from_greyscale(width * PIXELS, height * PIXELS, grey);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "the {width} x {height} image must contain one code");
    grids.first().expect("one QR code").decode().expect("a readable QR code").1
}

/// Renders the SVG (a light background and a path of dark rectangles) and decodes it.
fn scan_svg(svg: &str) -> String {
    let attribute = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!(" {name}=\"")).expect(name);
        rest.split('"').next().expect(name).to_owned()
    };
    let width: usize = attribute(svg, "width").parse().expect("a number");
    let path = svg.split("<path").nth(1).expect("a path");
    assert_eq!((attribute(svg, "fill"), attribute(path, "fill")), ("#fff".to_owned(), "#000".to_owned()));
    let mut dark = vec![vec![false; width]; width];
    for square in attribute(path, "d").split('M').skip(1) {
        let numbers: Vec<usize> =
            square.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
        let [left, top, across, down, ..] = *numbers else { panic!("{square}") };
        for row in &mut dark[top..top + down] {
            row[left..left + across].fill(true);
        }
    }
    // Each module is `PIXELS` units wide in the SVG.
    let size = width / PIXELS;
    scan(size, size, |x, y| dark[y * PIXELS][x * PIXELS])
}

/// Decodes the text as a terminal shows it, with black half blocks on white.
fn scan_text(text: &str) -> String {
    let lines: Vec<Vec<char>> = text
        .lines()
        .map(|line| {
            let line = line
                .strip_prefix("\u{1b}[38;5;16;48;5;231m")
                .expect("the escape sequence for black on white");
            line.strip_suffix("\u{1b}[0m").expect("the escape sequence that resets colors").chars().collect()
        })
        .collect();
    let width = lines.first().expect("a line of output").len();
    assert!(lines.iter().all(|line| line.len() == width), "all lines have the same width");
    let quiet = |line: &Vec<char>| line.iter().all(|c| *c == ' ');
    assert!(
        lines[..2].iter().chain(&lines[lines.len() - 2..]).all(quiet),
        "there is a quiet zone above and below"
    );
    scan(width, 2 * lines.len(), |x, y| match lines[y / 2][x] {
        '█' => true,
        '▀' => y % 2 == 0,
        '▄' => y % 2 == 1,
        _ => false,
    })
}

fn get(sandbox: &Sandbox, path: &str, content_type: &str) -> String {
    let response = sandbox.respond(&request_without_key(Method::GET, path));
    assert_eq!(
        (response.status().as_u16(), response.headers()["content-type"].as_bytes()),
        (200, content_type.as_bytes())
    );
    let head = sandbox.respond(&request_without_key(Method::HEAD, path));
    assert_eq!((head.headers(), head.body().len()), (response.headers(), 0));
    text(&response).to_owned()
}

#[test]
fn qr_codes_in_svg_and_text_decode_to_the_payment_request() {
    let sandbox = sandbox();
    // The descriptions cover the shortest and the longest possible invoices.
    for description in ["", "services+rendered", &"W".repeat(256), &"%E2%82%BF".repeat(213)] {
        let charge =
            create(&sandbox, FORM, &format!("amount=4294967&currency=btc&description={description}"));
        let expected = charge["payment_request"].as_str().expect("text").to_uppercase();
        let path = format!("/sandbox/charges/{}/qr", id(&charge));
        assert_eq!(scan_svg(&get(&sandbox, &format!("{path}.svg"), "image/svg+xml")), expected);
        assert_eq!(scan_text(&get(&sandbox, &format!("{path}.txt"), "text/plain; charset=utf-8")), expected);
    }
}

#[test]
fn qr_code_routes_reject_unknown_charges_and_other_methods() {
    let sandbox = sandbox();
    let charge = create(&sandbox, FORM, "amount=1&currency=btc&description=x");
    for (method, path, status) in [
        (Method::GET, "/sandbox/charges/ch_none/qr.svg".to_owned(), 404),
        (Method::GET, "/sandbox/charges/%3Csvg%3E/qr.txt".to_owned(), 404),
        (Method::GET, format!("/sandbox/charges/{}/qr.png", id(&charge)), 404),
        (Method::POST, format!("/sandbox/charges/{}/qr.svg", id(&charge)), 405),
        (Method::DELETE, format!("/sandbox/charges/{}/qr.txt", id(&charge)), 405),
    ] {
        assert_eq!(error(&sandbox.respond(&request_without_key(method, &path))).0, status, "{path}");
    }
}
