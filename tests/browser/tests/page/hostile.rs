//! Descriptions with markup in them, and pages of other origins.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use serde_json::Value;
use strike_sandbox::ChargeState;

use super::{Browser, create, id, root, start};

const HOSTILE: [&str; 7] = [
    "<img src=x onerror=\"window.taken = alert('taken')\">",
    "</bdi></button><script>window.taken = 1</script><h1>taken</h1>",
    "\"><svg onload=window.taken=1><style>*{display:none}</style>",
    "&lt;b&gt; &amp; &#x3c;script&#x3e;",
    "\u{202e}evitcurtsed \u{2066}and no end",
    "{{taken}} ${window.taken = 1} javascript:window.taken=1",
    "a\u{0}b\u{7}c\nd\u{1b}[31m",
];

#[tokio::test]
async fn descriptions_are_shown_as_text() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    for description in HOSTILE {
        create(&sandbox, 1, description, 3600);
    }
    browser.go_live(&root(&sandbox)).await;
    browser.until("document.querySelectorAll('#charges li').length === 7").await;
    for (row, description) in HOSTILE.iter().rev().enumerate() {
        let row = row + 1;
        let what = format!("#charges li:nth-child({row}) .what");
        let shown = browser.run(&format!("return document.querySelector('{what}').textContent")).await;
        assert_eq!(shown, *description);
        browser.click(&format!("#charges li:nth-child({row}) .show")).await;
        browser
            .until(&format!(
                "document.querySelector('#invoice-description').textContent === {}",
                Value::from(*description)
            ))
            .await;
        assert!(!browser.has_dialog().await, "{description}");
    }
    let injected = "[...document.querySelectorAll('bdi *, #charges img, #charges script, #charges svg, #charges h1, style')].length";
    assert_eq!(browser.run(&format!("return {injected}")).await, 0);
    assert_eq!(browser.run("return typeof window.taken").await, "undefined");
    // Control characters for right-to-left text affect only the description itself.
    let amounts = "[...document.querySelectorAll('#charges .amount')].map((amount) => amount.getBoundingClientRect().right)";
    assert_eq!(browser.run(&format!("return new Set({amounts}).size")).await, 1);
}

/// Starts a page on another port, and so with another origin. It sends the requests of the sandbox's own page.
fn foreign_page(sandbox: SocketAddr, charge: &str) -> SocketAddr {
    let page = format!(
        "<!doctype html><title>foreign</title>
         <form id=form method=post action='http://{sandbox}/sandbox/charges/{charge}/pay'></form>
         <script>
           const routes = 'http://{sandbox}/sandbox/';
           const charge = JSON.stringify({{ amount: 1, currency: 'btc', description: 'foreign' }});
           const json = {{ 'Content-Type': 'application/json' }};
           const plain = {{ method: 'POST', mode: 'no-cors', body: charge }};
           Promise.allSettled([
             fetch(routes + 'charges', {{ method: 'POST', headers: json, body: charge }}),
             fetch(routes + 'charges', plain),
             fetch(routes + 'charges', {{ ...plain, body: new URLSearchParams('amount=1&currency=btc') }}),
             fetch(routes + 'charges/{charge}/pay', {{ ...plain, body: '' }}),
             fetch(routes + 'charges/{charge}/expire', {{ ...plain, body: '' }}),
             fetch(routes + 'clock', {{ ...plain, body: '{{\"advance_ms\":1}}' }}),
             fetch(routes + 'reset', {{ ...plain, body: '' }}),
             fetch(routes + 'charges').then((response) => response.text()),
             fetch(routes + 'events').then((response) => response.text()),
             fetch(routes + 'account').then((response) => response.text()),
           ]).then((all) => {{ window.outcomes = all.map(({{ status, value }}) => value?.type ?? status); }});
         </script>"
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 4096]);
            let length = page.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(format!("{head}{page}").as_bytes());
        }
    });
    address
}

#[tokio::test]
async fn a_page_of_another_origin_can_neither_change_nor_read_anything() {
    let Some(browser) = Browser::open().await else { return };
    let sandbox = start();
    let charge = create(&sandbox, 1, "mine", 3600);
    let foreign = foreign_page(sandbox.address(), id(&charge).as_str());
    let before = sandbox.requests();
    browser.go(&format!("http://{foreign}/")).await;
    browser.until("window.outcomes").await;
    // The browser withholds even opaque responses.
    assert_eq!(browser.run("return window.outcomes").await, Value::from(vec!["rejected"; 10]));
    assert!(sandbox.requests() >= before + 9, "the requests arrived");

    browser.run("document.querySelector('#form').submit()").await;
    browser.until("document.body.innerText.includes('403')").await;
    let charges = sandbox.list_all();
    assert_eq!(charges.len(), 1);
    assert_eq!(charges[0].state(), ChargeState::Pending);
    assert_eq!(charges[0].id(), &id(&charge));
}
