//! phoenixd's invoices in a data file: they survive a restart, and older files are read.

use rusqlite::Connection;
use serde_json::json;
use strike_sandbox::{Phoenixd, Sandbox};

use super::{builder, get, pay, payment, payment_hash};
use crate::support::text;

#[test]
fn phoenixd_invoices_survive_a_restart_with_fee_hash_and_webhook() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.sqlite");
    let open = |fee| {
        let settings = Phoenixd::new().limited_password("limited").fee_millisatoshi(fee);
        builder().phoenixd(settings).data(&file).open().expect("the data file opens")
    };
    let sandbox = open(1_500);
    let paid = payment_hash(&sandbox, "amountSat=10&description=tea&externalId=");
    pay(&sandbox, &paid);
    let form =
        format!("amountSat=10&descriptionHash={}&webhookUrl=http%3A%2F%2Fown.example%2F", "ab".repeat(32));
    let unpaid = payment_hash(&sandbox, &form);
    let list = text(&get(&sandbox, "/payments/incoming?all=true")).to_owned();
    let secret = sandbox.phoenixd_webhook_secret();
    drop(sandbox);

    let again = open(0);
    assert_eq!(text(&get(&again, "/payments/incoming?all=true")), list);
    assert_eq!(payment(&again, &paid)["fees"], json!(1_500));
    assert_eq!(again.phoenixd_webhook_secret(), secret);
    pay(&again, &unpaid);
    let due = again.next_webhook().expect("the invoice has a webhook");
    assert_eq!(due.request().uri(), "http://own.example/");
}

#[test]
fn data_file_of_format_1_is_changed_to_the_latest() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.sqlite");
    let open = || -> Sandbox { builder().data(&file).open().expect("the data file opens") };
    let first = open();
    let hash = payment_hash(&first, "amountSat=10&description=tea");
    let before = payment(&first, &hash);
    drop(first);
    let sql = "ALTER TABLE charge DROP COLUMN fee; ALTER TABLE charge DROP COLUMN description_hash;
               ALTER TABLE charge DROP COLUMN webhook_url; PRAGMA user_version = 1";
    Connection::open(&file).and_then(|connection| connection.execute_batch(sql)).expect("format 1");

    for _ in 0..2 {
        let sandbox = open();
        assert_eq!(payment(&sandbox, &hash), before);
        payment_hash(&sandbox, "amountSat=10&description=cake");
    }
    assert_eq!(open().charges(), 3);
}
