//! Layout and accessibility of the shop: phones, contrast of both themes, names and live regions.

use serde_json::{Value, json};

use super::{Browser, RunningSandbox, Shop, order, pay, setup, until_paid};
use crate::program::Setup;

const PASSWORD: &str = "correct horse battery";

fn shop() -> (RunningSandbox, Setup, Shop) {
    let (sandbox, setup) = setup();
    let setup = setup.variable("COFFEE_ADMIN_PASSWORD", PASSWORD);
    let shop = setup.start();
    (sandbox, setup, shop)
}

/// Opens the admin page. The password is part of the URL.
async fn go_to_admin(browser: &Browser, shop: &Shop) {
    let password = PASSWORD.replace(' ', "%20");
    browser.go(&format!("http://barista:{password}@{}/admin", shop.address())).await;
    browser.until_text("h1", "Admin").await;
}

async fn assert_not_wider_than_the_screen(browser: &Browser) {
    let widths = "return [document.documentElement.scrollWidth, innerWidth]";
    assert_eq!(browser.run(widths).await, json!([360, 360]), "{}", browser.url().await);
}

#[tokio::test]
async fn on_a_phone_no_page_of_the_shop_is_wider_than_the_screen() {
    let Some(browser) = Browser::phone().await else { return };
    let (sandbox, _setup, shop) = shop();
    browser.go(&shop.url).await;
    assert_not_wider_than_the_screen(&browser).await;
    order(&browser, &shop).await;
    assert_not_wider_than_the_screen(&browser).await;
    let request = sandbox.list_all()[0].payment_request().to_uppercase();
    assert_eq!(browser.scan(".code svg").await, format!("LIGHTNING:{request}"), "readable at this size");
    pay(&sandbox);
    until_paid(&browser).await;
    assert_not_wider_than_the_screen(&browser).await;
    go_to_admin(&browser, &shop).await;
    assert_not_wider_than_the_screen(&browser).await;
    browser.go(&format!("{}/nothing", shop.url)).await;
    assert_not_wider_than_the_screen(&browser).await;
}

/// Returns the relative luminance of a CSS colour such as `rgb(1, 2, 3)`.
fn luminance(colour: &Value) -> f64 {
    let inside = colour.as_str().unwrap().trim_start_matches("rgb(").trim_end_matches(')');
    let parts: Vec<f64> = inside.split(',').map(|part| part.trim().parse::<f64>().unwrap() / 255.0).collect();
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(parts[0]) + 0.7152 * linear(parts[1]) + 0.0722 * linear(parts[2])
}

/// Checks the contrast of every text on the page with its background.
async fn assert_contrast(browser: &Browser) {
    let texts = "return [...document.querySelectorAll('body *')]
        .filter((it) => it.checkVisibility() && !it.closest('svg'))
        .filter((it) => [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) || it.value)
        .map((it) => {
            let box = it;
            while (box.parentElement && getComputedStyle(box).backgroundColor === 'rgba(0, 0, 0, 0)') box = box.parentElement;
            return [it.outerHTML.slice(0, 60), getComputedStyle(it).color, getComputedStyle(box).backgroundColor];
        })";
    let texts = browser.run(texts).await;
    assert!(texts.as_array().unwrap().len() >= 3, "{texts}");
    for text in texts.as_array().unwrap() {
        let (a, b) = (luminance(&text[1]), luminance(&text[2]));
        let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
        assert!(contrast >= 4.5, "the contrast is {contrast:.2}: {text}");
    }
}

#[tokio::test]
async fn both_themes_of_the_shop_have_enough_contrast_and_a_readable_code() {
    let mut backgrounds = Vec::new();
    for arguments in [&[][..], &["--force-dark-mode"]] {
        let Some(browser) = Browser::with(arguments, json!({})).await else { return };
        let (sandbox, _setup, shop) = shop();
        browser.go(&shop.url).await;
        assert_contrast(&browser).await;
        order(&browser, &shop).await;
        assert_contrast(&browser).await;
        let background = browser.run("return getComputedStyle(document.body).backgroundColor").await;
        backgrounds.push(luminance(&background));
        let request = sandbox.list_all()[0].payment_request().to_uppercase();
        assert_eq!(browser.scan(".code svg").await, format!("LIGHTNING:{request}"), "{arguments:?}");
        pay(&sandbox);
        until_paid(&browser).await;
        assert_contrast(&browser).await;
        go_to_admin(&browser, &shop).await;
        assert_contrast(&browser).await;
    }
    assert!(backgrounds[0] > 0.8 && backgrounds[1] < 0.1, "one is light and one is dark: {backgrounds:?}");
}

/// Checks that every control and image has a name, and that there is one heading and one main part.
async fn assert_names(browser: &Browser) {
    let unnamed = r#"[...document.querySelectorAll('a, button, input:not([type=hidden]), textarea, svg, [role=region]')]
        .filter((it) => it.checkVisibility())
        .filter((it) => !(it.ariaLabel || it.textContent.trim() && it.matches('a, button') || it.labels?.length))
        .map((it) => it.outerHTML.slice(0, 80))"#;
    assert_eq!(browser.run(&format!("return {unnamed}")).await, json!([]));
    let landmarks = "['header', 'main', 'h1'].map((it) => document.querySelectorAll(`body ${it}`).length)";
    assert_eq!(browser.run(&format!("return {landmarks}")).await, json!([1, 1, 1]));
    assert_eq!(
        browser.run("return [document.documentElement.lang, document.title !== '']").await,
        json!(["en", true])
    );
}

#[tokio::test]
async fn screen_readers_get_names_and_hear_of_the_payment() {
    let Some(browser) = Browser::open().await else { return };
    let (sandbox, _setup, shop) = shop();
    browser.go(&shop.url).await;
    assert_names(&browser).await;
    order(&browser, &shop).await;
    assert_names(&browser).await;
    let label = browser.run("return document.querySelector('.code svg').ariaLabel").await;
    assert_eq!(label, "QR code of the invoice: 3,600 sat");
    // They announce a change only if the element stays.
    browser.run("window.live = document.querySelector('[role=status]')").await;
    pay(&sandbox);
    until_paid(&browser).await;
    assert_eq!(
        browser.run("return [live.isConnected, live.textContent, live.role]").await,
        json!([true, "Paid", "status"])
    );
    assert_names(&browser).await;
    go_to_admin(&browser, &shop).await;
    assert_names(&browser).await;
}

#[tokio::test]
async fn no_page_of_the_shop_violates_its_content_security_policy() {
    let Some(browser) = Browser::open().await else { return };
    let (sandbox, _setup, shop) = shop();
    browser.go(&shop.url).await;
    order(&browser, &shop).await;
    browser.click("#copy").await;
    pay(&sandbox);
    until_paid(&browser).await;
    go_to_admin(&browser, &shop).await;
    assert_eq!(browser.log().await, [""; 0]);
    // The log would contain it: this inline style is refused.
    browser.run("document.body.setAttribute('style', 'color: red')").await;
    browser.run("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')").await;
    let log = browser.log().await;
    assert!(log.iter().any(|message| message.contains("Content Security Policy")), "{log:?}");
}
