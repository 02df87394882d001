//! LNbits' webhook: anyone can send one, so it only says which charge to read.

use std::sync::{Arc, mpsc};

use strike_core::http::HeaderMap;
use strike_core::{ApiKey, Charge, Endpoint, EndpointBuilder, Network, NewCharge};
use strike_tests::Loopback;

use crate::charges::PATIENCE;
use crate::clients::both;
use crate::closed_loop::{lnbits_before, node, pay_at};
use crate::server::Lnbits;
use crate::wallet::Wallet;

/// A shop that receives webhooks.
struct Shop {
    endpoint: Endpoint,
    bodies: mpsc::Receiver<Vec<u8>>,
    _receiver: Loopback,
}

impl Shop {
    fn open(lnbits: &Arc<Lnbits>) -> Self {
        let (sender, bodies) = mpsc::channel();
        let receiver = Loopback::serve(move |_, request| {
            let head = request.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
            sender.send(request[head + 4..].to_vec()).unwrap();
            Some(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec())
        });
        let receiver = receiver.unwrap();
        let invoice_key = ApiKey::new(Wallet::new(lnbits, "shop").invoice_key).unwrap();
        let endpoint = EndpointBuilder::lnbits(lnbits.url(), invoice_key, Network::Bitcoin)
            .webhook_url(receiver.base_url())
            .build();
        Self { endpoint: endpoint.unwrap(), bodies, _receiver: receiver }
    }

    /// Creates a charge with each client, pays it, and confirms so many webhooks of it.
    fn check(&self, webhooks: usize, pay: impl Fn(&Charge)) {
        for client in both(&self.endpoint) {
            let charge = client.create(NewCharge::satoshis(4200, "tea")).unwrap();
            pay(&charge);
            for _ in 0..webhooks {
                let body = self.bodies.recv_timeout(PATIENCE).unwrap();
                let hint = self.endpoint.read_webhook(&HeaderMap::new(), &body).unwrap();
                assert_eq!(hint.id(), charge.id(), "{}", client.name);
                assert!(client.confirm(&hint).unwrap().is_paid(), "{}", client.name);
            }
        }
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn webhook_names_the_charge_and_a_read_confirms_it() {
    let lnbits = Lnbits::shared();
    let payer = Wallet::funded(&lnbits, "payer");
    // LNbits sends it twice if a wallet of its own pays.
    Shop::open(&lnbits).check(2, |charge| payer.pay(charge.payment_request()));
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn webhook_follows_a_payment_at_the_node() {
    let node = node();
    let lnbits = lnbits_before(node.phoenixd_url(), &node);
    // LNbits learns of the payment from phoenixd's websocket. Nobody has read the charge.
    lnbits.wait_for_log("connected to phoenixd invoices stream");
    Shop::open(&lnbits).check(1, |charge| pay_at(&node, charge));
}
