//! Webhook deliveries on the page.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use strike_sandbox::{Sandbox, Webhook};

use super::{Browser, create, id, root};

/// Starts a shop that responds 500 to the first webhook and 200 to the second.
fn shop_that_fails_once() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for status in ["500 Internal Server Error", "200 OK"] {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 16384]);
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    address
}

#[tokio::test]
async fn a_failed_delivery_is_shown_and_sent_again() {
    let Some(browser) = Browser::open().await else { return };
    let webhook = Webhook::to(&format!("http://{}/hook", shop_that_fails_once())).expect("an address");
    let sandbox = Sandbox::builder().webhook(webhook).start().expect("a free port");
    let charge = create(&sandbox, 1, "tea", 3600);
    browser.go_live(&root(&sandbox)).await;
    assert!(
        !browser.find("#deliveries-section").await.is_displayed().await.unwrap(),
        "hidden without deliveries"
    );
    sandbox.pay(&id(&charge)).expect("a pending charge");
    browser.until_text("#deliveries .state", "Failed").await;
    browser.until("document.querySelector('#deliveries .outcome').textContent.includes('500')").await;
    browser.click("#deliveries .again").await;
    browser.until_text("#deliveries .state", "Delivered").await;
    browser.until("document.querySelector('#deliveries .outcome').textContent.includes('2 attempts')").await;
}

#[tokio::test]
async fn a_delivery_error_is_shown_in_plain_words() {
    let Some(browser) = Browser::open().await else { return };
    // Nothing listens on the port once the listener is dropped.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let webhook = Webhook::to(&format!("http://{address}/hook")).expect("an address");
    let sandbox = Sandbox::builder().webhook(webhook).start().expect("a free port");
    let charge = create(&sandbox, 1, "tea", 3600);
    sandbox.pay(&id(&charge)).expect("a pending charge");
    browser.go_live(&root(&sandbox)).await;
    browser.until_text("#deliveries .state", "Failed").await;
    let outcome = format!("1 attempt · nothing listens on {address}: connection refused · {}", id(&charge));
    browser.until_text("#deliveries .outcome", &outcome).await;
}
