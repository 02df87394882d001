//! Charges on the page: create, open, copy, pay and expire them, by mouse and by keyboard.

use std::time::Duration;

use serde_json::json;
use strike_core::UnixMillis;
use strike_sandbox::{ChargeState, Sandbox};

use super::{Browser, create, id, root, start};
use crate::support::browser::{CONTROL, ENTER, ESCAPE};

#[tokio::test]
async fn a_charge_is_created_scanned_and_paid() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    browser.go_live(&root(&sandbox)).await;
    browser
        .until_text(
            "#none",
            &format!("No charges yet. Create one here, or with the API at {}.", sandbox.base_url()),
        )
        .await;

    browser.create("4200", "Flat white").await;
    browser.until_text("#invoice-title", "4,200\u{a0}sat").await;
    browser.until_text("#charges .state", "Pending").await;
    let charges = sandbox.list_all();
    assert_eq!(charges.len(), 1);
    assert_eq!((charges[0].amount().get(), charges[0].description()), (4200, "Flat white"));

    // A wallet's camera would see this image.
    browser.until("document.querySelector('#qr').complete").await;
    let request = charges[0].payment_request();
    assert_eq!(browser.scan("#qr").await, format!("LIGHTNING:{}", request.to_uppercase()));
    assert_eq!(browser.value("#request").await, request);
    let alt = browser.find("#qr").await.attr("alt").await.unwrap();
    assert_eq!(alt.as_deref(), Some("QR code of the payment request for 4,200\u{a0}sat"));

    browser.click("#pay").await;
    browser.until_text("#status", "Charge paid: 4,200\u{a0}sat").await;
    browser.until_text("#invoice-state", "Paid").await;
    browser.until_text("#charges .state", "Paid").await;
    browser.until("!document.querySelector('#qr').checkVisibility()").await;
    assert_eq!(sandbox.list_all()[0].state(), ChargeState::Paid);
}

#[tokio::test]
async fn changes_appear_without_a_reload_and_keep_the_focus() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    let first = create(&sandbox, 1000, "the first", 3600);
    browser.go_live(&root(&sandbox)).await;
    browser.run("window.sameDocument = true").await;
    browser.run("document.querySelector('.show').focus()").await;

    let second = create(&sandbox, 2000, "the second", 3600);
    browser.until_text("#charges li:nth-child(1) .what", "the second").await;
    browser.until_text("#charges li:nth-child(2) .what", "the first").await;
    assert!(browser.has_focus("#charges li:nth-child(2) .show").await, "the focus stays with the first");

    sandbox.pay(&id(&second)).expect("a pending charge");
    browser.until_text("#status", "Charge paid: 2,000\u{a0}sat").await;
    browser.until_text("#charges li:nth-child(1) .state", "Paid").await;
    assert!(browser.has_focus("#charges li:nth-child(2) .show").await, "the focus stays with the first");

    // The focused button is hidden, so its row gets the focus.
    browser.run("document.querySelector('#charges li:nth-child(2) .pay').focus()").await;
    sandbox.pay(&id(&first)).expect("a pending charge");
    browser.until_text("#charges li:nth-child(2) .state", "Paid").await;
    assert!(browser.has_focus("#charges li:nth-child(2) .show").await, "the row has the focus");
    assert_eq!(browser.run("return window.sameDocument").await, true);
}

#[tokio::test]
async fn everything_works_by_keyboard() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    browser.go_live(&root(&sandbox)).await;
    browser.tab_to("#amount").await;
    browser.press("21").await;
    browser.tab_to("#description").await;
    browser.press("by keyboard").await;
    browser.press(ENTER).await;
    browser.until_text("#invoice-state", "Pending").await;
    browser.tab_to("#pay").await;
    let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle").await;
    assert_eq!(outline, "solid", "the focus is visible");
    browser.press(ENTER).await;
    browser.until_text("#invoice-state", "Paid").await;
    assert!(browser.has_focus("#invoice-title").await, "the paid charge has the focus");
    // Close the charge, open it from its row, and close it there.
    browser.tab_to("#close").await;
    browser.press(ENTER).await;
    assert!(browser.has_focus("#charges .show").await);
    browser.press(ENTER).await;
    assert!(browser.has_focus("#invoice-title").await);
    browser.tab_to("#charges .show").await;
    browser.press(ENTER).await;
    browser.until("!document.querySelector('#invoice').checkVisibility()").await;
    assert!(browser.has_focus("#charges .show").await);
}

#[tokio::test]
async fn a_row_shows_that_it_opens_and_closes_a_charge() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    create(&sandbox, 1, "first", 3600);
    create(&sandbox, 2, "second", 3600);
    browser.go_live(&root(&sandbox)).await;
    browser.until_text("#charges .what", "second").await;
    let expanded = "return [...document.querySelectorAll('#charges .show')].map((row) => row.getAttribute('aria-expanded'))";
    assert_eq!(browser.run(expanded).await, json!(["false", "false"]));
    assert_eq!(browser.edges("#charges .show[aria-controls='invoice'] .chevron").await.len(), 2, "visible");
    let rotation =
        "return getComputedStyle(document.querySelector('#charges li:nth-child(2) .chevron')).rotate";
    let closed = browser.run(rotation).await;

    browser.click("#charges li:nth-child(2) .show").await;
    browser.until_text("#invoice-description", "first").await;
    assert_eq!(browser.run(expanded).await, json!(["false", "true"]));
    assert_ne!(browser.run(rotation).await, closed, "the chevron turns");
    browser.click("#charges li:nth-child(1) .show").await;
    browser.until_text("#invoice-description", "second").await;
    assert_eq!(browser.run(expanded).await, json!(["true", "false"]));
    browser.click("#charges li:nth-child(1) .show").await;
    browser.until("!document.querySelector('#invoice').checkVisibility()").await;
    assert_eq!(browser.run(expanded).await, json!(["false", "false"]));
}

#[tokio::test]
async fn the_payment_request_is_copied() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    let charge = create(&sandbox, 5, "to copy", 3600);
    browser.go_live(&root(&sandbox)).await;
    browser.click("#charges .show").await;
    browser.click("#copy").await;
    browser.until_text("#copy", "Copied").await;
    browser.until_text("#status", "Payment request copied").await;
    browser.write("#description", &format!("{CONTROL}v")).await;
    assert_eq!(browser.value("#description").await, charge["payment_request"].as_str().unwrap());
}

#[tokio::test]
async fn an_expired_charge_is_shown_without_a_reload() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    create(&sandbox, 7, "soon over", 2);
    browser.go_live(&root(&sandbox)).await;
    browser.click("#charges .show").await;
    // The sandbox sends no event when a charge expires.
    browser.until_text("#charges .state", "Expired").await;
    browser.until_text("#stamp", "EXPIRED").await;
    assert!(!browser.find("#pay").await.is_displayed().await.unwrap());
}

#[tokio::test]
async fn rejected_actions_show_an_error_message() {
    let Some(browser) = Browser::open().await else { return };
    let noon = UnixMillis::from_secs(1_700_000_000);
    let sandbox = Sandbox::builder().clock_at(noon).start().expect("a free port");
    browser.go_live(&root(&sandbox)).await;
    browser.create("4.2", "").await;
    browser.until_text("#new-problem", "The amount must be a whole number of satoshis, such as 4200.").await;
    assert_eq!(sandbox.charges(), 0);
    browser.run("document.querySelector('#amount').value = ''").await;
    browser.create("99999999", "").await;
    browser.until("document.querySelector('#new-problem').textContent.includes('4294967')").await;
    assert_eq!(sandbox.charges(), 0);

    let charge = create(&sandbox, 7, "too late", 60);
    browser.until_text("#charges .what", "too late").await;
    // The charge expires just before the click, so the page does not know it yet.
    let path = format!("/sandbox/charges/{}/expire", id(&charge));
    browser
        .run(&format!(
            "const request = new XMLHttpRequest();
             request.open('POST', '{path}', false);
             request.send();
             document.querySelector('#charges .pay').click();"
        ))
        .await;
    browser.until("document.querySelector('#charges .problem').textContent.includes('expired')").await;
    browser.until_text("#charges .state", "Expired").await;
}

#[tokio::test]
async fn the_clock_is_advanced_and_a_charge_is_expired_by_hand() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    create(&sandbox, 1, "an hour", 3600);
    create(&sandbox, 2, "by hand", 7200);
    browser.go_live(&root(&sandbox)).await;
    browser.click("#charges li:nth-child(1) .show").await;
    browser.click("#expire").await;
    browser.until_text("#charges li:nth-child(1) .state", "Expired").await;
    browser.until_text("#charges li:nth-child(2) .state", "Pending").await;

    let before = sandbox.now();
    browser.click("#clock summary").await;
    browser.click("[data-advance='3600000']").await;
    browser.until_text("#charges li:nth-child(2) .state", "Expired").await;
    assert!(sandbox.now().saturating_since(before) >= Duration::from_secs(3600));
    browser.press(ESCAPE).await;
    assert!(browser.has_focus("#clock summary").await);
    assert!(!browser.find("[data-advance]").await.is_displayed().await.unwrap(), "the drawer is closed");
}

#[tokio::test]
async fn only_the_visible_page_of_charges_is_loaded() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    for n in 1..=2010 {
        create(&sandbox, n, "one of many", 3600);
    }
    browser.go_live(&root(&sandbox)).await;
    browser.until_text("#count", "1\u{2013}25 of 2,010").await;
    browser.until_text("#charges li:nth-child(1) .amount", "2,010\u{a0}sat").await;
    browser.click("#older").await;
    browser.until_text("#count", "26\u{2013}50 of 2,010").await;
    browser.until_text("#charges li:nth-child(1) .amount", "1,985\u{a0}sat").await;
    assert!(browser.has_focus("#older").await);
    browser.click("#newer").await;
    browser.until_text("#count", "1\u{2013}25 of 2,010").await;
    let urls = "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.includes('/charges?'))";
    let urls = browser.run(&format!("return {urls}")).await;
    let urls: Vec<_> = urls.as_array().unwrap().iter().map(|url| url.as_str().unwrap()).collect();
    assert!(urls.len() >= 3 && urls.iter().all(|url| url.ends_with("&size=25")), "{urls:?}");
}
