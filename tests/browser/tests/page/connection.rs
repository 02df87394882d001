//! A server that goes and comes back, while someone looks at its page.

use strike_sandbox::Sandbox;

use super::{Browser, make, root, start};

#[tokio::test]
async fn a_server_that_goes_is_missed_and_one_that_comes_back_is_followed() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    let address = sandbox.address();
    for _ in 0..20 {
        make(&sandbox, 1, "of the first", 3600);
    }
    browser.go_live(&root(&sandbox)).await;
    browser.until_text("#charges .what", "of the first").await;
    browser.run("scrollTo(0, document.body.scrollHeight)").await;
    drop(sandbox);
    browser.until_text("#notice", "The sandbox does not answer. Is it still running? Trying again.").await;
    browser.until_text("#link", "Not live").await;
    let top = browser.run("return document.querySelector('#notice').getBoundingClientRect().top").await;
    assert!(top.as_f64() >= Some(0.0), "it is seen however far down the page is scrolled: {top}");
    // What a person does meanwhile is answered, too.
    browser.run("scrollTo(0, 0)").await;
    browser.click("#charges .pay").await;
    browser.until_text("#charges .problem", "The sandbox does not answer. Is it still running?").await;

    let sandbox = Sandbox::builder().listen(address).start().expect("the port is free again");
    browser.until_text("#link", "Live").await;
    browser.until("!document.querySelector('#notice').checkVisibility()").await;
    // A new one has none of the old charges, and what happens in it is followed.
    browser.until("document.querySelectorAll('#charges li').length === 0").await;
    make(&sandbox, 2, "of the second", 3600);
    browser.until_text("#charges .what", "of the second").await;
}

#[tokio::test]
async fn the_charge_that_is_shown_is_in_the_address_and_gone_with_its_sandbox() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    let charge = make(&sandbox, 1, "named", 3600);
    for n in 2..40 {
        make(&sandbox, n, "later", 3600);
    }
    // It is on no page that is shown, and is shown all the same.
    let id = charge["id"].as_str().unwrap();
    browser.go_live(&format!("{}#{id}", root(&sandbox))).await;
    browser.until_text("#invoice-description", "named").await;
    sandbox.reset().unwrap();
    browser.until("!document.querySelector('#invoice').checkVisibility()").await;
    browser.until_text("#status", "The sandbox no longer has the charge that was shown").await;
    assert_eq!(browser.run("return location.hash").await, "");
}
