//! Takes the screenshot of the page for the README.

use std::fs;
use std::io::Cursor;
use std::time::Duration;

use strike_core::UnixMillis;
use strike_sandbox::Sandbox;

use super::{Browser, create, id, root};

/// The background colour of the page, `--paper` in `style.css`.
const BACKGROUND: [u8; 3] = [0xf3, 0xf4, 0xf0];

/// Writes `docs/images/sandbox-page.png`. Run it after a change of the page:
/// `cargo test -p strike-browser-tests -- --ignored screenshot`.
#[tokio::test]
#[ignore = "writes a file in docs/"]
async fn screenshot_for_the_readme() {
    let Some(browser) = Browser::viewport(1280, 800, &["--hide-scrollbars"]).await else { return };
    let start = UnixMillis::from_secs(1_767_225_600);
    let builder = Sandbox::builder().api_key("sk_demo").seed(7).clock_at(start);
    let sandbox = builder.listen(([127, 0, 0, 1], 8420).into()).start().expect("port 8420 is free");
    let mut open = None;
    for (minutes, amount, description, expiry) in [
        (0, 4200, "Flat white", 3600),
        (18, 15_000, "Order 1039: T-shirt, size M", 3600),
        (9, 900, "Order 1040: stickers", 60),
        (7, 250_000, "Order 1041: two tickets", 3600),
        (4, 4200, "Flat white", 3600),
        (3, 21_000, "Order 1042: mug and beans", 3600),
        (1, 8400, "Order 1043: cake", 3600),
    ] {
        sandbox.advance(Duration::from_secs(60 * minutes));
        let charge = create(&sandbox, amount, description, expiry);
        match amount {
            21_000 => open = Some(id(&charge)),
            4200 | 15_000 | 250_000 => drop(sandbox.pay(&id(&charge)).expect("a pending charge")),
            _ => {}
        }
    }
    sandbox.advance(Duration::from_secs(20));
    let open = open.expect("an open charge");
    browser.go_live(&format!("{}#{open}", root(&sandbox))).await;
    browser.until_text("#invoice-title", "21,000\u{a0}sat").await;
    browser
        .until("document.querySelector('#qr').complete && document.querySelector('#qr').naturalWidth > 0")
        .await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/images");
    fs::create_dir_all(folder).expect("a folder");
    let png = compressed(&browser.screenshot().await);
    fs::write(format!("{folder}/sandbox-page.png"), png).expect("a file");
}

/// Encodes a PNG again with the best compression, since the browser's is fast and large.
fn compressed(png: &[u8]) -> Vec<u8> {
    let mut decoder = png::Decoder::new(Cursor::new(png));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("a frame");
    assert_eq!(info.color_type, png::ColorType::Rgba);
    // The browser leaves single pixels transparent, where the page's background belongs.
    let over_background =
        |pixel: &[u8]| if pixel[3] == 255 { [pixel[0], pixel[1], pixel[2]] } else { BACKGROUND };
    let pixels: Vec<u8> = pixels.chunks_exact(4).flat_map(over_background).collect();
    let mut compressed = Vec::new();
    let mut encoder = png::Encoder::new(&mut compressed, info.width, info.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&pixels).expect("the pixels");
    drop(writer);
    compressed
}
