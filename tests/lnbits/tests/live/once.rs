//! Create-once: whatever gets lost, an order has one charge.

use std::collections::BTreeSet;

use strike_core::{CreateOutcome, NewCharge};

use crate::clients::{Adapter, both, endpoint};
use crate::server::Lnbits;
use crate::wallet::Wallet;

fn once(client: &Adapter, number: usize) -> CreateOutcome {
    let order = NewCharge::satoshis(4200, "tea").customer_id("table 7");
    client.create_once(order, &format!("order {number} of {}", client.name)).unwrap()
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn lost_response_leaves_one_charge_for_each_order() {
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    let mut shown = BTreeSet::new();
    for client in both(&endpoint(&lnbits, &shop)) {
        for number in 0..5 {
            client.traffic.lose_the_next_create();
            let made = once(&client, number);
            assert!(matches!(made, CreateOutcome::Payable(_)), "{}: {made:?}", client.name);
            assert_eq!(made.charge().customer_id(), Some("table 7"));
            shown.insert(made.charge().payment_hash().to_string());
        }
    }
    let rows = shop.rows();
    let payable = rows.iter().map(|row| row["payment_hash"].as_str().unwrap().to_owned());
    assert_eq!((rows.len(), payable.collect()), (10, shown));
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn another_process_finds_the_charge_of_an_order() {
    let lnbits = Lnbits::shared();
    let (shop, payer) = (Wallet::new(&lnbits, "shop"), Wallet::funded(&lnbits, "payer"));
    let endpoint = endpoint(&lnbits, &shop);
    for (first, second) in both(&endpoint).into_iter().zip(both(&endpoint)) {
        let made = once(&first, 1);
        assert_eq!(once(&second, 1).charge(), made.charge(), "{}", first.name);
        payer.pay(made.charge().payment_request());
        // A third client knows nothing of it either.
        let [blocking, asynchronous] = both(&endpoint);
        let third = if first.name == blocking.name { blocking } else { asynchronous };
        assert!(matches!(once(&third, 1), CreateOutcome::Paid(_)), "{}", first.name);
    }
    assert_eq!(shop.rows().len(), 2);
}
