//! Layout and accessibility: width, alignment, contrast of both themes, and accessible names.

use serde_json::{Value, json};

use strike_sandbox::{Sandbox, Webhook};

use super::{Browser, create, id, root, start};

#[tokio::test]
async fn on_a_phone_the_page_is_not_wider_than_the_screen() {
    let Some(browser) = Browser::phone().await else { return };
    let sandbox = start();
    for description in ["W".repeat(256), "\u{fdfd}".repeat(200), "a b ".repeat(64), String::new()] {
        create(&sandbox, 4_294_967, &description, 3600);
    }
    browser.go_live(&root(&sandbox)).await;
    assert_eq!(browser.run("return innerWidth").await, 360);
    let [(_, copy), (_, form)] = [browser.edges("#copy-key").await[0], browser.edges("#new").await[0]];
    assert!(copy <= form, "the account keeps to the margin of the form: {copy} > {form}");
    for row in 1..=4 {
        browser.click(&format!("#charges li:nth-child({row}) .show")).await;
        browser.until("document.querySelector('#invoice').checkVisibility()").await;
        let over = "[...document.querySelectorAll('body, body *:not(.skip)')].filter((it) => it.checkVisibility() && it.getBoundingClientRect().right > innerWidth).map((it) => it.outerHTML.slice(0, 80))";
        assert_eq!(browser.run("return document.documentElement.scrollWidth").await, 360);
        // A box that clips its content may contain wider text, such as the very wide U+FDFD.
        let over = browser.run(&format!("return {over}")).await;
        assert_eq!(over, json!([]));
    }
    browser.until("document.querySelector('#qr').complete").await;
    let link = format!("LIGHTNING:{}", sandbox.list_all()[3].payment_request().to_uppercase());
    assert_eq!(browser.scan("#qr").await, link, "the code is readable at this size");
}

/// Returns the relative luminance of a CSS colour such as `rgb(1, 2, 3)`.
fn luminance(colour: &Value) -> f64 {
    let colour = colour.as_str().unwrap();
    let inside = colour.trim_start_matches("rgb(").trim_end_matches(')');
    let parts: Vec<f64> = inside.split(',').map(|part| part.trim().parse::<f64>().unwrap() / 255.0).collect();
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(parts[0]) + 0.7152 * linear(parts[1]) + 0.0722 * linear(parts[2])
}

#[tokio::test]
async fn both_themes_have_enough_contrast() {
    let mut backgrounds = Vec::new();
    for arguments in [&[][..], &["--force-dark-mode"]] {
        let Some(browser) = Browser::with(arguments, json!({})).await else { return };
        let sandbox = start();
        create(&sandbox, 1, "tea", 3600);
        browser.go_live(&root(&sandbox)).await;
        browser.click("#charges .show").await;
        browser.until("document.querySelector('#invoice').checkVisibility()").await;
        backgrounds
            .push(luminance(&browser.run("return getComputedStyle(document.body).backgroundColor").await));
        for css in [
            "body",
            "label",
            "#new button",
            "#pay",
            "#copy",
            "#copy-key",
            "#network",
            "#api-key",
            "#invoice-state",
            "#charges .when",
            "#link",
            "dt",
            ".row .pay",
        ] {
            // The background of a text is that of the nearest ancestor with one.
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
    assert!(backgrounds[0] > 0.8 && backgrounds[1] < 0.1, "one is light and one is dark: {backgrounds:?}");
}

#[tokio::test]
async fn every_control_has_an_accessible_name() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    create(&sandbox, 1, "", 3600);
    browser.go_live(&root(&sandbox)).await;
    browser.click("#charges .show").await;
    browser.until("document.querySelector('#invoice').checkVisibility()").await;
    let unnamed = r#"[...document.querySelectorAll('button, input, select, textarea, img, section, nav')]
        .filter((it) => it.checkVisibility() && !it.matches('img[alt=""]'))
        .filter((it) => !(it.ariaLabel || it.textContent.trim() && it.matches('button') || it.labels?.length || it.alt
            || document.getElementById(it.getAttribute('aria-labelledby'))?.textContent.trim()))
        .map((it) => it.outerHTML)"#;
    assert_eq!(browser.run(&format!("return {unnamed}")).await, json!([]));
    let landmarks = "['header', 'main', 'h1'].map((it) => document.querySelectorAll(`body ${it}`).length)";
    assert_eq!(browser.run(&format!("return {landmarks}")).await, json!([1, 1, 1]));
    let live = "['#status', '#notice', '#new-problem', '#invoice-problem', '#account-problem'].map((it) => document.querySelector(it).role)";
    assert_eq!(
        browser.run(&format!("return {live}")).await,
        json!(["status", "alert", "alert", "alert", "alert"])
    );
}

#[tokio::test]
async fn the_pay_button_of_an_open_charge_is_above_the_fold() {
    let Some(browser) = Browser::viewport(1280, 800, &[]).await else { return };
    let sandbox = start();
    for n in 1..=30 {
        create(&sandbox, n, &"a long description ".repeat(13), 3600);
    }
    browser.go_live(&root(&sandbox)).await;
    assert_eq!(browser.run("return [innerWidth, innerHeight]").await, json!([1280, 800]));
    // The first row, and one that is only visible after scrolling.
    for row in [1, 25] {
        browser.click(&format!("#charges li:nth-child({row}) .show")).await;
        browser.until("document.querySelector('#qr').complete").await;
        let bounds = "const { top, bottom } = document.querySelector('#pay').getBoundingClientRect(); return [top, bottom]";
        let bounds: (f64, f64) = serde_json::from_value(browser.run(bounds).await).unwrap();
        assert!(bounds.0 > 0.0 && bounds.1 <= 800.0, "row {row}: {bounds:?}");
    }
}

#[tokio::test]
async fn header_form_and_lists_share_their_right_edge() {
    let Some(browser) = Browser::viewport(1280, 800, &[]).await else { return };
    let webhook = Webhook::to("http://127.0.0.1:9/hook").expect("a URL");
    let sandbox = Sandbox::builder().webhook(webhook).start().expect("a free port");
    let paid = create(&sandbox, 1, "paid", 3600);
    sandbox.pay(&id(&paid)).expect("a pending charge");
    create(&sandbox, 2, "pending", 3600);
    browser.go_live(&root(&sandbox)).await;
    browser.until_text("#deliveries .state", "Failed").await;
    let right_edges = async |elements: &[&str]| {
        let mut edges = Vec::new();
        for css in elements {
            let found = browser.edges(css).await;
            assert!(!found.is_empty(), "{css}");
            edges.extend(found.into_iter().map(|(_, right)| right.round()));
        }
        edges.dedup();
        edges
    };
    let all = [
        "header",
        "#clock summary",
        "#account",
        "#new button",
        "#charges",
        "#charges .pay",
        "#deliveries .again",
    ];
    let edges = right_edges(&all).await;
    assert_eq!(edges.len(), 1, "{edges:?}");
    // The open charge has the same right edge, and the lists make room for it.
    browser.click("#charges .show").await;
    browser.until("document.querySelector('#invoice').checkVisibility()").await;
    let with_invoice =
        right_edges(&["header", "#clock summary", "#account", "#new button", "#invoice"]).await;
    assert_eq!(with_invoice, edges);
    let lists = right_edges(&["#charges", "#charges .pay", "#deliveries .again"]).await;
    assert_eq!(lists.len(), 1, "{lists:?}");
}
