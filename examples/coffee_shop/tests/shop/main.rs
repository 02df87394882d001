//! Tests of the shop as a program, with plain HTTP as a browser without scripts sends it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod hiding_host;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};

use hiding_host::HidingHost;
use strike_orders_tests::postgres::Cluster;
use strike_sandbox::{ChargeState, RunningSandbox, Sandbox};
use support::{Setup, Shop, until};
use ureq::Agent;
use ureq::http::Response;

const PROGRAM: &str = env!("CARGO_BIN_EXE_strike-coffee-shop");
const PASSWORD: &str = "correct horse battery";

fn sandbox() -> RunningSandbox {
    Sandbox::builder().start().expect("a free port")
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
}

/// A response, read to its end.
struct Page {
    status: u16,
    location: Option<String>,
    text: String,
}

fn read(response: Response<ureq::Body>) -> Page {
    let (head, mut body) = response.into_parts();
    let location = head.headers.get("location").map(|path| path.to_str().unwrap().to_owned());
    Page { status: head.status.as_u16(), location, text: body.read_to_string().unwrap() }
}

fn get(shop: &Shop, path: &str) -> Page {
    read(agent().get(format!("{}{path}", shop.url)).call().expect(path))
}

fn post_with(shop: &Shop, path: &str, headers: &[(&str, &str)], body: &str) -> Page {
    let mut request = agent().post(format!("{}{path}", shop.url));
    request = request.header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request.send(body).expect(path))
}

fn post(shop: &Shop, path: &str, body: &str) -> Page {
    post_with(shop, path, &[], body)
}

/// Returns the text between two others.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start} is not in {text}"));
    rest.split(end).next().unwrap()
}

/// Opens the menu. Returns the name of the order that its form makes.
fn menu(shop: &Shop) -> String {
    let menu = get(shop, "/");
    assert_eq!(menu.status, 200);
    between(&menu.text, "name=\"order\" value=\"", "\"").to_owned()
}

/// Orders a drink. Returns the path of the order.
fn order(shop: &Shop, coffee: &str) -> String {
    let placed = post(shop, "/orders", &format!("order={}&coffee={coffee}", menu(shop)));
    assert_eq!(placed.status, 303, "{}", placed.text);
    placed.location.expect("a location")
}

fn status(page: &Page) -> &str {
    between(&page.text, "role=\"status\">", "<")
}

fn until_paid(shop: &Shop, path: &str) {
    until("the page shows the payment", || (status(&get(shop, path)) == "Paid").then_some(()));
}

/// Pays the only unpaid charge.
fn pay(sandbox: &RunningSandbox) {
    let charges = sandbox.list_all();
    let unpaid = charges.iter().find(|charge| charge.state() == ChargeState::Pending);
    sandbox.pay(unpaid.expect("an unpaid charge").id()).expect("it can be paid");
}

/// Opens the admin page.
fn admin(shop: &Shop, password: &str) -> Page {
    let credentials = data_encoding::BASE64.encode(format!("barista:{password}").as_bytes());
    let request = agent().get(format!("{}/admin", shop.url));
    read(request.header("authorization", format!("Basic {credentials}")).call().unwrap())
}

/// Returns the cells of the table with this caption, as text.
fn cells(page: &Page, caption: &str) -> Vec<String> {
    let section = between(&page.text, &format!("<h2>{caption}</h2>"), "<h2>");
    let body = section.split("<tbody>").nth(1).unwrap_or_default();
    body.split("<td>").skip(1).map(|cell| cell.split("</td>").next().unwrap().to_owned()).collect()
}

#[test]
fn order_is_placed_and_paid_on_the_shops_own_sandbox_without_scripts() {
    let setup = Setup::new(PROGRAM);
    let shop = setup.start();
    assert!(shop.line().starts_with("no money moves: pay the orders at the sandbox, http://127.0.0.1:"));
    let path = order(&shop, "flat-white");
    let checkout = get(&shop, &path);
    assert_eq!(status(&checkout), "Waiting for your payment");
    assert!(checkout.text.contains("Flat white: <span class=\"price\">4,200 sat</span>"));
    assert!(checkout.text.contains("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>"));
    assert!(checkout.text.contains("<svg xmlns=") && checkout.text.contains("href=\"lightning:lntb"));
    assert!(checkout.text.contains("<button id=\"copy\" type=\"button\" hidden>"), "it needs a script");
    // The command that the page shows.
    let paid = agent().post(between(&checkout.text, "curl -X POST ", "<")).send_empty().unwrap();
    assert_eq!(paid.status(), 200);
    until_paid(&shop, &path);
    assert!(!get(&shop, &path).text.contains("http-equiv"), "a paid page does not reload");
}

#[test]
fn one_form_makes_one_order_even_if_it_is_sent_many_times_at_once() {
    let sandbox = sandbox();
    let shop = Setup::on(PROGRAM, &sandbox).start();
    let form = format!("order={}&coffee=tea", menu(&shop));
    let locations: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| post(&shop, "/orders", &form))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().location).collect()
    });
    assert!(locations[0].is_some() && locations.iter().all(|path| *path == locations[0]), "{locations:?}");
    assert_eq!(post(&shop, "/orders", &form).location, locations[0]);
    assert_eq!(sandbox.charges(), 1);
}

#[test]
fn another_drink_with_a_used_menu_is_a_conflict_that_names_the_order() {
    let sandbox = sandbox();
    let shop = Setup::on(PROGRAM, &sandbox).start();
    let name = menu(&shop);
    let path = post(&shop, "/orders", &format!("order={name}&coffee=tea")).location.unwrap();
    let other = post(&shop, "/orders", &format!("order={name}&coffee=espresso"));
    assert_eq!(other.status, 409);
    assert!(other.text.contains(&format!("<a href=\"{path}\">See your order</a>")), "{}", other.text);
    assert_eq!(sandbox.charges(), 1);
}

#[test]
fn forms_with_a_foreign_name_or_drink_place_nothing() {
    let sandbox = sandbox();
    let shop = Setup::on(PROGRAM, &sandbox).start();
    for form in
        ["order=1&coffee=tea", "order=<script>&coffee=tea", &format!("order={}&coffee=wine", menu(&shop))]
    {
        let page = post(&shop, "/orders", form);
        assert_eq!(page.status, 400, "{form}");
        assert!(!page.text.contains("<script>"), "{form}");
    }
    assert_eq!(post(&shop, "/orders", "coffee=tea").status, 422);
    for path in ["/orders/1", "/orders/%3Cscript%3E", "/nothing", &format!("/orders/{}", menu(&shop))] {
        let page = get(&shop, path);
        assert_eq!((page.status, page.text.contains("<script>")), (404, false), "{path}");
    }
    assert_eq!(sandbox.charges(), 0);
}

#[test]
fn form_of_another_site_is_rejected() {
    let sandbox = sandbox();
    let shop = Setup::on(PROGRAM, &sandbox).start();
    let form = format!("order={}&coffee=tea", menu(&shop));
    let own = shop.url.clone();
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site"), ("origin", &own)],
        &[("origin", "http://shop.example")],
        &[("origin", "null")],
    ] {
        assert_eq!(post_with(&shop, "/orders", headers, &form).status, 403, "{headers:?}");
        assert_eq!(post_with(&shop, "/orders/x/renew", headers, "").status, 403, "{headers:?}");
    }
    assert_eq!(sandbox.charges(), 0);
    for headers in [&[("sec-fetch-site", "same-origin")][..], &[("origin", &own)]] {
        assert_eq!(post_with(&shop, "/orders", headers, &form).status, 303, "{headers:?}");
    }
}

#[test]
fn every_response_has_the_security_headers() {
    let sandbox = sandbox();
    let shop = Setup::on(PROGRAM, &sandbox).start();
    let path = order(&shop, "espresso");
    for path in ["/", &path, "/nothing", "/admin", "/style.css", "/checkout.js", "/icon.svg"] {
        let response = agent().get(format!("{}{path}", shop.url)).call().unwrap();
        let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        let cache = if path.contains('.') { "max-age=600" } else { "no-store" };
        assert_eq!(header("cache-control"), cache, "{path}");
    }
}

#[test]
fn admin_page_needs_its_password() {
    let sandbox = sandbox();
    let setup = Setup::on(PROGRAM, &sandbox);
    let shop = setup.start();
    assert_eq!(admin(&shop, "").status, 404, "without a password there is no page");
    drop(shop);

    let setup = setup.variable("COFFEE_ADMIN_PASSWORD", PASSWORD);
    let shop = setup.start();
    assert_eq!(get(&shop, "/admin").status, 401);
    assert_eq!(admin(&shop, "correct horse battery2").status, 401);
    let path = order(&shop, "tea");
    assert_eq!(cells(&admin(&shop, PASSWORD), "Coffees sold").len(), 0);
    pay(&sandbox);
    until_paid(&shop, &path);
    let page = admin(&shop, PASSWORD);
    assert_eq!(cells(&page, "Coffees sold"), ["Pot of tea", "1", "3,600 sat"]);
    assert_eq!(cells(&page, "Paid orders per day (UTC)")[1..], ["1", "3,600 sat"]);
    assert!(page.text.contains(&format!("<a href=\"{path}\">")), "it links to the order");
}

#[test]
fn short_admin_password_is_rejected_without_showing_it() {
    let error = Setup::new(PROGRAM).variable("COFFEE_ADMIN_PASSWORD", "espresso").error();
    assert_eq!(error.trim_end(), "COFFEE_ADMIN_PASSWORD must have at least 12 characters");
}

#[tokio::test]
async fn webhook_is_taken_as_a_hint_and_nonsense_is_rejected() {
    let sandbox = sandbox();
    let setup = Setup::on(PROGRAM, &sandbox);
    let shop = setup.start();
    let event = |id: &str| format!(r#"{{"object":"event","data":{{"id":"{id}"}}}}"#);
    // The desk keeps a hint of a charge that it does not know yet.
    assert_eq!(post(&shop, "/webhook", &event("ch_unknown")).status, 200);
    sqlx::any::install_default_drivers();
    let database = sqlx::AnyPool::connect(&setup.database()).await.unwrap();
    let hints = sqlx::query_scalar("SELECT charge_id FROM strike_hints").fetch_all(&database).await;
    let hints: Vec<String> = hints.unwrap();
    assert_eq!(hints, ["ch_unknown"]);

    let path = order(&shop, "tea");
    let event = event(sandbox.list_all()[0].id().as_str());
    assert_eq!(post(&shop, "/webhook", &event).status, 200);
    assert_eq!(post(&shop, "/webhook", "nonsense").status, 400);
    assert_ne!(status(&get(&shop, &path)), "Paid", "a hint is not a payment");
    pay(&sandbox);
    assert_eq!(post(&shop, "/webhook", &event).status, 200);
    until_paid(&shop, &path);
}

#[test]
fn sandbox_of_the_shop_sends_its_webhooks_to_the_shop() {
    let setup = Setup::new(PROGRAM);
    let shop = setup.start();
    let checkout = get(&shop, &order(&shop, "tea"));
    let pay = between(&checkout.text, "curl -X POST ", "<");
    agent().post(pay).send_empty().unwrap();
    let deliveries = format!("{}/sandbox/deliveries?page=0&size=1", pay.split("/sandbox/").next().unwrap());
    until("the webhook is delivered", || {
        read(agent().get(&deliveries).call().unwrap()).text.contains("delivered").then_some(())
    });
}

#[tokio::test]
async fn shop_is_healthy_until_its_books_cannot_be_written() {
    let sandbox = sandbox();
    let setup = Setup::on(PROGRAM, &sandbox);
    let shop = setup.start();
    until("the shop is healthy", || (get(&shop, "/health").status == 200).then_some(()));
    let path = order(&shop, "tea");
    sqlx::any::install_default_drivers();
    let database = sqlx::AnyPool::connect(&setup.database()).await.unwrap();
    sqlx::query("ALTER TABLE coffees_sold RENAME TO away").execute(&database).await.unwrap();
    pay(&sandbox);
    until("the shop is unhealthy", || (get(&shop, "/health").status == 503).then_some(()));
    assert_ne!(status(&get(&shop, &path)), "Paid", "both are written, or neither");
    sqlx::query("ALTER TABLE away RENAME TO coffees_sold").execute(&database).await.unwrap();
    until_paid(&shop, &path);
    until("the shop is healthy", || (get(&shop, "/health").status == 200).then_some(()));
}

/// Opens the events of an order, and reads the first one.
fn events(shop: &Shop, path: &str) -> impl Iterator<Item = String> + use<> {
    let response = agent().get(format!("{}{path}/events", shop.url)).call().unwrap();
    assert_eq!(response.status(), 200);
    let lines = BufReader::new(response.into_body().into_reader()).lines().map_while(Result::ok);
    lines.filter(|line| line.starts_with("data: "))
}

#[test]
fn events_show_the_order_at_once_and_when_it_is_paid() {
    let sandbox = sandbox();
    let shop = Setup::on(PROGRAM, &sandbox).start();
    let path = order(&shop, "tea");
    let mut events = events(&shop, &path);
    assert!(events.next().unwrap().contains("data-version=\"payable-1\""));
    pay(&sandbox);
    assert!(events.next().unwrap().contains("data-version=\"paid-1\""));
}

#[test]
fn signal_ends_the_shop_and_its_open_event_streams() {
    for name in ["TERM", "INT"] {
        let sandbox = sandbox();
        let shop = Setup::on(PROGRAM, &sandbox).start();
        let path = order(&shop, "tea");
        let mut events = events(&shop, &path);
        assert!(events.next().is_some());
        shop.signal(name);
        assert_eq!(events.next(), None, "the stream ends");
        assert_eq!(shop.ended().code(), Some(0), "{name}");
    }
}

#[test]
fn order_is_completed_after_the_shop_and_its_sandbox_were_killed() {
    let setup = Setup::new(PROGRAM).variable("COFFEE_ADMIN_PASSWORD", PASSWORD);
    let shop = setup.start();
    let path = order(&shop, "tea");
    shop.kill();
    let shop = setup.start();
    let checkout = get(&shop, &path);
    assert_eq!(status(&checkout), "Waiting for your payment");
    agent().post(between(&checkout.text, "curl -X POST ", "<")).send_empty().unwrap();
    until_paid(&shop, &path);
    shop.kill();
    let shop = setup.start();
    assert_eq!(cells(&admin(&shop, PASSWORD), "Coffees sold"), ["Pot of tea", "1", "3,600 sat"]);
}

#[test]
fn two_shops_on_one_sqlite_file_sell_each_coffee_once() {
    let sandbox = sandbox();
    sell_in_two_shops(&sandbox, Setup::on(PROGRAM, &sandbox));
}

#[test]
#[ignore = "needs PostgreSQL: run .ci/postgres"]
fn two_shops_on_one_postgresql_sell_each_coffee_once() {
    let (sandbox, cluster) = (sandbox(), Cluster::shared());
    let setup = Setup::on(PROGRAM, &sandbox).variable("COFFEE_DATABASE", cluster.database());
    sell_in_two_shops(&sandbox, setup);
}

fn sell_in_two_shops(sandbox: &RunningSandbox, setup: Setup) {
    let setup = setup.variable("COFFEE_ADMIN_PASSWORD", PASSWORD);
    let (first, second) = (setup.start(), setup.start());
    let form = format!("order={}&coffee=filter", menu(&first));
    let path = post(&first, "/orders", &form).location.expect("an order");
    assert_eq!(post(&second, "/orders", &form).location.as_deref(), Some(&*path));
    assert_eq!(sandbox.charges(), 1);
    let mut events = events(&second, &path);
    assert!(events.next().unwrap().contains("payable-1"));
    pay(sandbox);
    assert!(events.next().unwrap().contains("paid-1"), "the other shop shows the payment");
    // The shop that may hold the orders goes away.
    first.kill();
    let path = order(&second, "filter");
    pay(sandbox);
    until_paid(&second, &path);
    assert_eq!(cells(&admin(&second, PASSWORD), "Coffees sold"), ["Filter coffee", "2", "6,200 sat"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_payment_of_a_renewed_order_is_a_refund_due() {
    let host = HidingHost::start().await;
    let setup = Setup::new(PROGRAM).variable("STRIKE_BASE_URL", &host.base_url);
    let setup =
        setup.variable("STRIKE_API_KEY", host.sandbox.api_key()).variable("STRIKE_NETWORK", "testnet");
    let setup = setup.variable("COFFEE_ADMIN_PASSWORD", PASSWORD);
    let shop = setup.variable("COFFEE_INVOICE_SECONDS", "3").start();
    let path = order(&shop, "tea");
    let old = host.sandbox.list_all()[0].id().clone();
    host.sandbox.pay(&old).expect("it is unpaid");
    until("the order expires", || status(&get(&shop, &path)).ends_with("was not paid").then_some(()));
    assert_eq!(post(&shop, &format!("{path}/renew"), "").location.as_deref(), Some(&*path));

    host.show_payments();
    host.sandbox.pay(host.sandbox.list_all()[0].id()).expect("it is unpaid");
    until_paid(&shop, &path);
    let refunds = "Refunds due: orders that were paid again";
    assert_eq!(cells(&admin(&shop, PASSWORD), refunds).len(), 0);
    let event = format!(r#"{{"object":"event","data":{{"id":"{old}"}}}}"#);
    assert_eq!(post(&shop, "/webhook", &event).status, 200);
    let page = until("the refund is recorded", || {
        Some(admin(&shop, PASSWORD)).filter(|page| !cells(page, refunds).is_empty())
    });
    assert_eq!(cells(&page, refunds)[1..], [old.as_str(), "3,600 sat"]);
    assert_eq!(cells(&page, "Coffees sold"), ["Pot of tea", "1", "3,600 sat"]);
}

#[test]
fn half_a_server_is_an_error_that_names_the_missing_variable() {
    let error = Setup::new(PROGRAM).variable("STRIKE_API_KEY", "canary-canary").error();
    assert!(error.contains("STRIKE_BASE_URL") && !error.contains("canary"), "{error}");
}
