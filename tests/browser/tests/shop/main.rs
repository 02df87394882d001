//! Tests of the coffee shop in Chromium. Without a browser they are skipped, with a message. With
//! `STRIKE_REQUIRE_BROWSER=1` they fail instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod checkout;
mod failures;
mod layout;
#[path = "../../../../examples/coffee_shop/tests/support/mod.rs"]
mod program;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;

use strike_sandbox::{RunningSandbox, Sandbox};

use program::{Setup, Shop};
use support::Browser;

/// Returns the path of the shop. `cargo test -p strike-coffee-shop` builds it.
fn shop_program() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let target = test.ancestors().nth(2).expect("a target folder");
    let program = target.join("strike-coffee-shop").with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "the shop is not built; run `cargo build -p strike-coffee-shop`");
    program
}

/// Starts a sandbox, and sets up a shop on it.
fn setup() -> (RunningSandbox, Setup) {
    let sandbox = Sandbox::builder().start().expect("a free port");
    let setup = Setup::on(shop_program(), &sandbox);
    (sandbox, setup)
}

/// Pays the newest charge.
fn pay(sandbox: &RunningSandbox) {
    sandbox.pay(sandbox.list_all()[0].id()).expect("it can be paid");
}

/// Orders a pot of tea, and waits until its page shows the invoice.
async fn order(browser: &Browser, shop: &Shop) {
    browser.go(&shop.url).await;
    browser.click("[value=tea]").await;
    browser.until_text("#status", "Waiting for your payment").await;
    browser.run("window.isSameDocument = true").await;
}

/// Waits until the page shows the payment. It must not have been loaded again.
async fn until_paid(browser: &Browser) {
    browser.until_text("#status", "Paid").await;
    browser.until_text("#order p", "Your drink is being made. Thank you!").await;
    assert_eq!(browser.run("return window.isSameDocument").await, true, "without a reload");
}
