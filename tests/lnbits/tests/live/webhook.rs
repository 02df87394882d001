//! LNbits' webhook: anyone can send one, so it only says which charge to read.

use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use strike_core::webhook;
use strike_tests::Loopback;

use crate::clients::{both, endpoint};
use crate::server::Lnbits;
use crate::wallet::Wallet;

/// How long a webhook may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn webhook_names_the_charge_and_a_read_confirms_it() {
    let (sender, bodies) = mpsc::channel();
    let receiver = Loopback::serve(move |_, request| {
        let head = request.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        sender.send(request[head + 4..].to_vec()).unwrap();
        Some(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec())
    })
    .unwrap();
    let lnbits = Lnbits::shared();
    let (shop, payer) = (Wallet::new(&lnbits, "shop"), Wallet::funded(&lnbits, "payer"));
    for client in both(&endpoint(&lnbits, &shop)) {
        let created = shop.invoice(&json!({ "webhook": receiver.base_url() }));
        payer.pay(created["bolt11"].as_str().unwrap());
        // An internal payment is reported twice.
        for _ in 0..2 {
            let body = bodies.recv_timeout(ARRIVAL).unwrap();
            let hint = webhook::lnbits(&body).unwrap();
            assert_eq!(hint.id().as_str(), created["payment_hash"].as_str().unwrap());
            assert!(client.confirm(&hint).unwrap().is_paid(), "{}", client.name);
        }
    }
}
