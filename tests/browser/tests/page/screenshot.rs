//! Takes the screenshot of the page for the README.

use std::fs;
use std::time::Duration;

use strike_core::UnixMillis;
use strike_sandbox::Sandbox;

use super::{Browser, create, id, root};

/// Writes `docs/images/sandbox-page.png`. Run it after a change of the page:
/// `cargo test -p strike-browser-tests -- --ignored screenshot`.
#[tokio::test]
#[ignore = "writes a file in docs/"]
async fn screenshot_for_the_readme() {
    let Some(browser) = Browser::viewport(1280, 800).await else { return };
    let start = UnixMillis::from_secs(1_767_225_600);
    let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).clock_at(start).start().expect("a free port");
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
    fs::write(format!("{folder}/sandbox-page.png"), browser.screenshot().await).expect("a file");
}
