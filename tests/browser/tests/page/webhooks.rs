//! Deliveries on the page: one that failed is sent again.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use strike_sandbox::{Sandbox, Webhook};

use super::{Browser, id, make, root};

/// A shop that refuses the first webhook and takes the next.
fn moody_shop() -> SocketAddr {
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
async fn a_delivery_that_failed_is_shown_and_sent_again() {
    let Some(browser) = Browser::open().await else { return };
    let webhook = Webhook::to(&format!("http://{}/hook", moody_shop())).expect("an address");
    let sandbox = Sandbox::builder().webhook(webhook).start().expect("a free port");
    let charge = make(&sandbox, 1, "told", 3600);
    browser.go_live(&root(&sandbox)).await;
    assert!(
        !browser.find("#deliveries-section").await.is_displayed().await.unwrap(),
        "not before there is one"
    );
    sandbox.pay(&id(&charge)).expect("it is pending");
    browser.until_text("#deliveries .state", "Failed").await;
    browser.until("document.querySelector('#deliveries .outcome').textContent.includes('500')").await;
    browser.click("#deliveries .again").await;
    browser.until_text("#deliveries .state", "Delivered").await;
    browser.until("document.querySelector('#deliveries .outcome').textContent.includes('2 attempts')").await;
}
