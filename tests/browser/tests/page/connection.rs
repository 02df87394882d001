//! The page while its server stops and starts again.

use strike_sandbox::Sandbox;

use super::{Browser, create, root, start};

#[tokio::test]
async fn the_page_reports_a_stopped_server_and_reconnects() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    let address = sandbox.address();
    for _ in 0..20 {
        create(&sandbox, 1, "of the first", 3600);
    }
    browser.go_live(&root(&sandbox)).await;
    browser.until_text("#charges .what", "of the first").await;
    browser.run("scrollTo(0, document.body.scrollHeight)").await;
    drop(sandbox);
    browser.until_text("#notice", "No response from the sandbox. Is it still running? Retrying.").await;
    browser.until_text("#link", "Not live").await;
    let top = browser.run("return document.querySelector('#notice').getBoundingClientRect().top").await;
    assert!(top.as_f64() >= Some(0.0), "visible even if the page is scrolled down: {top}");
    // Actions also report the problem.
    browser.run("scrollTo(0, 0)").await;
    browser.click("#charges .pay").await;
    browser.until_text("#charges .problem", "No response from the sandbox. Is it still running?").await;

    let sandbox = Sandbox::builder().listen(address).start().expect("the port is free again");
    browser.until_text("#link", "Live").await;
    browser.until("!document.querySelector('#notice').checkVisibility()").await;
    // The new sandbox has none of the old charges.
    browser.until("document.querySelectorAll('#charges li').length === 0").await;
    create(&sandbox, 2, "of the second", 3600);
    browser.until_text("#charges .what", "of the second").await;
}

#[tokio::test]
async fn the_open_charge_is_in_the_address_and_closes_after_a_reset() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    let charge = create(&sandbox, 1, "named", 3600);
    for n in 2..40 {
        create(&sandbox, n, "later", 3600);
    }
    // The charge is not on the visible page of the list.
    let id = charge["id"].as_str().unwrap();
    browser.go_live(&format!("{}#{id}", root(&sandbox))).await;
    browser.until_text("#invoice-description", "named").await;
    sandbox.reset().unwrap();
    browser.until("!document.querySelector('#invoice').checkVisibility()").await;
    browser.until_text("#status", "The open charge no longer exists").await;
    assert_eq!(browser.run("return location.hash").await, "");
}
