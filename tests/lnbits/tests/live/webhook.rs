//! LNbits' webhook: anyone can send one, so it only says which charge to read.

use std::sync::mpsc;
use std::time::Duration;

use strike_core::http::HeaderMap;
use strike_core::{ApiKey, EndpointBuilder, Network, NewCharge};
use strike_tests::Loopback;

use crate::clients::both;
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
    let invoice_key = ApiKey::new(shop.invoice_key.as_str()).unwrap();
    let endpoint = EndpointBuilder::lnbits(lnbits.url(), invoice_key, Network::Bitcoin)
        .webhook_url(receiver.base_url())
        .build()
        .unwrap();
    for client in both(&endpoint) {
        let charge = client.create(NewCharge::satoshis(4200, "tea")).unwrap();
        payer.pay(charge.payment_request());
        // LNbits sends it twice if a wallet of its own pays.
        for _ in 0..2 {
            let body = bodies.recv_timeout(ARRIVAL).unwrap();
            let hint = endpoint.read_webhook(&HeaderMap::new(), &body).unwrap();
            assert_eq!(hint.id(), charge.id(), "{}", client.name);
            assert!(client.confirm(&hint).unwrap().is_paid(), "{}", client.name);
        }
    }
}
