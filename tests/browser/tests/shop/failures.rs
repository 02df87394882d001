//! Invoices that expire, and a shop that is killed.

use strike_sandbox::ChargeState;

use super::{Browser, order, pay, setup, until_paid};

#[tokio::test]
async fn expired_invoice_is_renewed_and_paid() {
    let Some(browser) = Browser::open().await else { return };
    let (sandbox, setup) = setup();
    let shop = setup.variable("COFFEE_INVOICE_SECONDS", "5").start();
    order(&browser, &shop).await;
    // The code goes away when wallets refuse to pay, and the order expires some seconds later.
    browser.until_text("#status", "The invoice has expired").await;
    assert_eq!(browser.run("return document.querySelectorAll('.code').length").await, 0);
    browser.until_text("#status", "The invoice has expired, and was not paid").await;
    assert_eq!(browser.run("return window.isSameDocument").await, true, "without a reload");
    let expired = sandbox.list_all()[0].payment_request().to_owned();

    browser.click("#order button").await;
    browser.until_text("#status", "Waiting for your payment").await;
    browser.run("window.isSameDocument = true").await;
    assert_eq!(sandbox.charges(), 2);
    let request = browser.value("#request").await;
    assert_ne!(request, expired);
    assert_eq!(request, sandbox.list_all()[0].payment_request());
    pay(&sandbox);
    until_paid(&browser).await;
}

#[tokio::test]
async fn page_shows_a_payment_that_arrived_while_the_shop_was_dead() {
    let Some(browser) = Browser::open().await else { return };
    let (sandbox, mut setup) = setup();
    let shop = setup.start();
    order(&browser, &shop).await;
    setup.keep_address_of(&shop);
    shop.kill();
    pay(&sandbox);
    let _shop = setup.start();
    until_paid(&browser).await;
}

#[tokio::test]
async fn page_that_was_opened_before_a_crash_takes_the_order_after_it() {
    let Some(browser) = Browser::open().await else { return };
    let (sandbox, mut setup) = setup();
    let shop = setup.start();
    browser.go(&shop.url).await;
    setup.keep_address_of(&shop);
    shop.kill();
    let _shop = setup.start();
    browser.click("[value=tea]").await;
    browser.until_text("#status", "Waiting for your payment").await;
    browser.run("window.isSameDocument = true").await;
    assert_eq!(sandbox.list_all()[0].state(), ChargeState::Pending);
    pay(&sandbox);
    until_paid(&browser).await;
}
