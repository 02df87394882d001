//! Order and pay: by mouse, by keyboard, in two tabs, and without scripts.

use serde_json::json;

use super::{Browser, Setup, order, pay, setup, shop_program, until_paid};
use crate::support::browser::{CONTROL, ENTER};

#[tokio::test]
async fn coffee_is_ordered_scanned_and_paid_without_a_reload() {
    let Some(browser) = Browser::open().await else { return };
    let (sandbox, setup) = setup();
    let shop = setup.start();
    order(&browser, &shop).await;
    browser.until_text("h1", "Pot of tea: 3,600 sat").await;
    let charges = sandbox.list_all();
    assert_eq!((charges.len(), charges[0].amount().get(), charges[0].description()), (1, 3600, "Pot of tea"));
    // A wallet's camera would see this image.
    let request = charges[0].payment_request();
    assert_eq!(browser.scan(".code svg").await, format!("LIGHTNING:{}", request.to_uppercase()));
    let link = browser.find("a.primary").await.attr("href").await.unwrap();
    assert_eq!(link.as_deref(), Some(&*format!("lightning:{request}")));
    assert_eq!(browser.value("#request").await, request);

    pay(&sandbox);
    until_paid(&browser).await;
    assert_eq!(browser.run("return document.querySelectorAll('.code, #copy, a.primary').length").await, 0);
    assert_eq!(browser.log().await, [""; 0]);
}

#[tokio::test]
async fn coffee_is_paid_at_the_sandbox_of_the_shop_through_its_link() {
    let Some(browser) = Browser::open().await else { return };
    let shop = Setup::new(shop_program()).start();
    order(&browser, &shop).await;
    browser.click("aside a").await;
    browser.switch_to(1).await;
    browser.until_text("#invoice-title", "3,600\u{a0}sat").await;
    browser.click("#pay").await;
    browser.until_text("#invoice-state", "Paid").await;
    browser.switch_to(0).await;
    until_paid(&browser).await;
}

#[tokio::test]
async fn countdown_runs_and_the_invoice_is_copied() {
    let Some(browser) = Browser::open().await else { return };
    let (sandbox, setup) = setup();
    let shop = setup.variable("COFFEE_INVOICE_SECONDS", "300").start();
    order(&browser, &shop).await;
    browser.until("/^4 min 5\\d s$/.test(document.querySelector('#left').textContent)").await;
    browser.run("window.before = document.querySelector('#left').textContent").await;
    browser.until("document.querySelector('#left').textContent !== window.before").await;

    browser.click("#copy").await;
    browser.until_text("#copied", "Copied").await;
    // Paste it somewhere.
    browser.run("document.querySelector('main').append(document.createElement('input'))").await;
    browser.write("input", &format!("{CONTROL}v")).await;
    assert_eq!(browser.value("input").await, sandbox.list_all()[0].payment_request());
}

#[tokio::test]
async fn everything_in_the_shop_works_by_keyboard() {
    let Some(browser) = Browser::open().await else { return };
    let (sandbox, setup) = setup();
    let shop = setup.start();
    browser.go(&shop.url).await;
    browser.tab_to("[value=flat-white]").await;
    let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle").await;
    assert_eq!(outline, "solid", "the focus is visible");
    browser.press(ENTER).await;
    browser.until_text("#status", "Waiting for your payment").await;
    browser.run("window.isSameDocument = true").await;
    browser.tab_to("a.primary").await;
    browser.tab_to("#request").await;
    browser.tab_to("#copy").await;
    browser.press(ENTER).await;
    browser.until_text("#copied", "Copied").await;
    // The focused button goes away with the invoice, so the heading gets the focus.
    pay(&sandbox);
    until_paid(&browser).await;
    assert!(browser.has_focus("h1").await);
    browser.tab_to("main a").await;
    browser.press(ENTER).await;
    browser.until_text("h1", "Menu").await;
}

#[tokio::test]
async fn reload_and_a_second_tab_show_the_same_order() {
    let Some(browser) = Browser::open().await else { return };
    let (sandbox, setup) = setup();
    let shop = setup.start();
    order(&browser, &shop).await;
    let url = browser.url().await;
    browser.reload().await;
    browser.until_text("#status", "Waiting for your payment").await;
    browser.run("window.isSameDocument = true").await;
    browser.open_tab().await;
    browser.go(&url).await;
    browser.until_text("#status", "Waiting for your payment").await;
    browser.run("window.isSameDocument = true").await;
    assert_eq!(sandbox.charges(), 1);

    pay(&sandbox);
    until_paid(&browser).await;
    browser.switch_to(0).await;
    until_paid(&browser).await;
}

#[tokio::test]
async fn double_click_and_a_form_sent_from_two_tabs_make_one_order() {
    let Some(browser) = Browser::open().await else { return };
    let (sandbox, setup) = setup();
    let shop = setup.start();
    browser.go(&shop.url).await;
    // The form opens two tabs, as with Ctrl-clicks, and is then sent in this one, twice.
    browser
        .run(
            "const form = document.querySelector('form');
             const tea = document.querySelector('[value=tea]');
             form.target = '_blank';
             form.requestSubmit(tea);
             form.requestSubmit(tea);
             form.target = '';
             tea.click();
             tea.click();",
        )
        .await;
    browser.until_text("#status", "Waiting for your payment").await;
    let url = browser.url().await;
    browser.switch_to(1).await;
    browser.until_text("#status", "Waiting for your payment").await;
    assert_eq!(browser.url().await, url);
    assert_eq!(sandbox.charges(), 1);
    // The menu is not stored, so another visit makes another order.
    browser.switch_to(0).await;
    order(&browser, &shop).await;
    assert_eq!(sandbox.charges(), 2);
}

#[tokio::test]
async fn without_scripts_the_page_reloads_itself_until_it_is_paid() {
    let Some(browser) = Browser::without_scripts().await else { return };
    let (sandbox, setup) = setup();
    let shop = setup.start();
    browser.go(&shop.url).await;
    browser.click("[value=tea]").await;
    browser.until_text("#status", "Waiting for your payment").await;
    assert!(!browser.find("#copy").await.is_displayed().await.unwrap(), "copying needs a script");
    let request = sandbox.list_all()[0].payment_request().to_uppercase();
    assert_eq!(browser.scan(".code svg").await, format!("LIGHTNING:{request}"));
    pay(&sandbox);
    browser.until_text("#status", "Paid").await;
    assert_eq!(browser.run("return document.querySelectorAll('meta[http-equiv]').length").await, json!(0));
}
