//! Many charges: watching a hundred, and reading a list of more than a thousand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use strike_core::{ChargeId, Event, NewCharge, Schedule};

use crate::clients::{both, endpoint};
use crate::server::Lnbits;
use crate::wallet::Wallet;

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn watch_reports_each_payment_once_and_no_other() {
    let lnbits = Lnbits::shared();
    let (shop, payer) = (Wallet::new(&lnbits, "shop"), Wallet::funded(&lnbits, "payer"));
    for client in both(&endpoint(&lnbits, &shop)) {
        let create = |expiry| client.create(NewCharge::satoshis(4200, "tea").expiry_sec(expiry)).unwrap();
        // Every second one is paid. The others expire, which ends the watch.
        let charges: Vec<_> = (0..100).map(|number| create(if number % 2 == 0 { 3600 } else { 5 })).collect();
        let paid: Vec<_> = charges.iter().step_by(2).collect();
        let (mut events, mut requests) = (BTreeMap::<ChargeId, usize>::new(), 0);
        let mut completed = BTreeSet::new();
        client.traffic.take();
        std::thread::scope(|scope| {
            scope.spawn(|| paid.iter().for_each(|charge| payer.pay(charge.payment_request())));
            let often = Schedule::every(Duration::from_millis(500));
            client.watch_with(
                &charges,
                |watcher| watcher.schedule(often).grace(Duration::ZERO),
                |event| {
                    let id = match event {
                        Event::Paid(charge) => {
                            completed.insert(charge.id().clone());
                            charge.id().clone()
                        }
                        Event::Expired(id) => id,
                        Event::Failed(id, error) => panic!("{id}: {error}"),
                    };
                    *events.entry(id).or_default() += 1;
                    requests += client.traffic.take().len();
                },
            );
        });
        assert_eq!(completed, paid.iter().map(|charge| charge.id().clone()).collect(), "{}", client.name);
        assert_eq!(events.len(), 100, "{}: every charge should end", client.name);
        assert!(events.values().all(|&times| times == 1), "{}: {events:?}", client.name);
        println!("{}: watching 100 charges, 50 of them paid, sends {requests} requests", client.name);
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn list_of_more_than_a_thousand_charges_is_read_whole() {
    const CHARGES: usize = 1040;
    let lnbits = Lnbits::shared();
    let shop = Wallet::new(&lnbits, "shop");
    let created: BTreeSet<String> = std::thread::scope(|scope| {
        let create = || {
            let invoices = (0..CHARGES / 4).map(|_| shop.invoice(&json!({})));
            invoices.map(|row| row["payment_hash"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(create)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(created.len(), CHARGES);
    for client in both(&endpoint(&lnbits, &shop)) {
        let listed = client.list_by(250).unwrap();
        println!("{}: {CHARGES} charges in {} requests", client.name, client.traffic.take().len());
        assert_eq!(listed.len(), CHARGES, "{}: each once", client.name);
        let listed: BTreeSet<_> = listed.iter().map(|charge| charge.id().as_str().to_owned()).collect();
        assert_eq!(listed, created, "{}", client.name);
    }
}
