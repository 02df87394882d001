//! What can be said about looks without eyes: width, contrast of the two themes, names for those who listen.

use serde_json::{Value, json};

use super::{Browser, make, root, start};

#[tokio::test]
async fn on_a_phone_nothing_hangs_over_the_side() {
    let Some(browser) = Browser::phone().await else { return };
    let sandbox = start();
    for description in ["W".repeat(256), "\u{fdfd}".repeat(200), "a b ".repeat(64), String::new()] {
        make(&sandbox, 4_294_967, &description, 3600);
    }
    browser.go_live(&root(&sandbox)).await;
    assert_eq!(browser.run("return innerWidth").await, 360);
    for row in 1..=4 {
        browser.click(&format!("#charges li:nth-child({row}) .show")).await;
        browser.until("document.querySelector('#invoice').checkVisibility()").await;
        let over = "[...document.querySelectorAll('main, main *')].filter((it) => it.checkVisibility() && it.getBoundingClientRect().right > innerWidth).map((it) => it.outerHTML.slice(0, 80))";
        assert_eq!(browser.run("return document.documentElement.scrollWidth").await, 360);
        // Inside a box that cuts, the wide sign of U+FDFD may be wider than the box.
        let over = browser.run(&format!("return {over}")).await;
        assert_eq!(over, json!([]));
    }
    browser.until("document.querySelector('#qr').complete").await;
    let request = sandbox.list_all()[3].payment_request().to_uppercase();
    assert_eq!(browser.scan("#qr").await, request, "the code can be read at this size");
}

/// The relative luminance of a CSS colour such as `rgb(1, 2, 3)`.
fn luminance(colour: &Value) -> f64 {
    let colour = colour.as_str().unwrap();
    let inside = colour.trim_start_matches("rgb(").trim_end_matches(')');
    let parts: Vec<f64> = inside.split(',').map(|part| part.trim().parse::<f64>().unwrap() / 255.0).collect();
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(parts[0]) + 0.7152 * linear(parts[1]) + 0.0722 * linear(parts[2])
}

#[tokio::test]
async fn both_themes_can_be_read() {
    let mut papers = Vec::new();
    for arguments in [&[][..], &["--force-dark-mode"]] {
        let Some(browser) = Browser::with(arguments, json!({})).await else { return };
        let sandbox = start();
        make(&sandbox, 1, "to read", 3600);
        browser.go_live(&root(&sandbox)).await;
        browser.click("#charges .show").await;
        browser.until("document.querySelector('#invoice').checkVisibility()").await;
        papers.push(luminance(&browser.run("return getComputedStyle(document.body).backgroundColor").await));
        for css in [
            "body",
            "label",
            "#new button",
            "#pay",
            "#copy",
            "#invoice-state",
            "#charges .when",
            "#link",
            "dt",
            ".row .pay",
        ] {
            // The colour behind a text is that of the nearest box that has one.
            let colours = format!(
                "let box = document.querySelector('{css}');
                 const text = getComputedStyle(box).color;
                 while (getComputedStyle(box).backgroundColor === 'rgba(0, 0, 0, 0)') box = box.parentElement;
                 return [text, getComputedStyle(box).backgroundColor];"
            );
            let colours = browser.run(&colours).await;
            let (a, b) = (luminance(&colours[0]), luminance(&colours[1]));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(contrast >= 4.5, "{css} has a contrast of {contrast:.2}: {colours} {arguments:?}");
        }
    }
    assert!(papers[0] > 0.8 && papers[1] < 0.1, "one is light and one is dark: {papers:?}");
}

#[tokio::test]
async fn everything_has_a_name_for_those_who_listen() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    make(&sandbox, 1, "", 3600);
    browser.go_live(&root(&sandbox)).await;
    browser.click("#charges .show").await;
    browser.until("document.querySelector('#invoice').checkVisibility()").await;
    let nameless = r#"[...document.querySelectorAll('button, input, select, textarea, img, section, nav')]
        .filter((it) => it.checkVisibility() && !it.matches('img[alt=""]'))
        .filter((it) => !(it.ariaLabel || it.textContent.trim() && it.matches('button') || it.labels?.length || it.alt
            || document.getElementById(it.getAttribute('aria-labelledby'))?.textContent.trim()))
        .map((it) => it.outerHTML)"#;
    assert_eq!(browser.run(&format!("return {nameless}")).await, json!([]));
    let landmarks = "['header', 'main', 'h1'].map((it) => document.querySelectorAll(`body ${it}`).length)";
    assert_eq!(browser.run(&format!("return {landmarks}")).await, json!([1, 1, 1]));
    let live = "['#status', '#notice', '#new-problem', '#invoice-problem'].map((it) => document.querySelector(it).role)";
    assert_eq!(browser.run(&format!("return {live}")).await, json!(["status", "alert", "alert", "alert"]));
}
