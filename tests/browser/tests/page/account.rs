//! The network and the API key on the page.

use strike_core::Network;
use strike_sandbox::Sandbox;

use super::{Browser, root};
use crate::support::browser::CONTROL;

#[tokio::test]
async fn the_network_and_the_api_key_are_shown_and_the_key_is_copied() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox =
        Sandbox::builder().network(Network::Signet).api_key("sk_demo").start().expect("a free port");
    browser.go_live(&root(&sandbox)).await;
    browser.until_text("#network", "signet").await;
    browser.until_text("#api-key", "sk_demo").await;
    browser.until_text("#base-url", sandbox.base_url()).await;
    browser.click("#copy-key").await;
    browser.until_text("#status", "API key copied").await;
    browser.write("#description", &format!("{CONTROL}v")).await;
    assert_eq!(browser.value("#description").await, "sk_demo");
}

#[tokio::test]
async fn the_key_is_loaded_again_after_the_server_was_replaced() {
    let Some(browser) = Browser::open().await else { return };
    let first = Sandbox::builder().api_key("sk_first").start().expect("a free port");
    let address = first.address();
    browser.go_live(&root(&first)).await;
    browser.until_text("#api-key", "sk_first").await;
    drop(first);
    browser.until_text("#link", "Not live").await;
    let _second = Sandbox::builder().listen(address).api_key("sk_second").start().expect("the port is free");
    browser.until_text("#api-key", "sk_second").await;
}

/// Any name below `localhost` leads to this machine, as a name of a stranger can.
#[tokio::test]
async fn the_key_is_hidden_from_a_page_with_another_host_name() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = Sandbox::builder().api_key("sk_demo").start().expect("a free port");
    let port = sandbox.address().port();
    browser.go(&format!("http://rebound.localhost:{port}/")).await;
    browser.until_text("#network", "testnet").await;
    browser.until("document.querySelector('#api-key-hidden').checkVisibility()").await;
    let text = browser.run("return document.body.innerText").await;
    assert!(!text.as_str().unwrap().contains("sk_demo"), "{text}");
}
