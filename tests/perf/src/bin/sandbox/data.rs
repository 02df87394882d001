//! The sandbox with a data file: creates a second, transactions per create, and the time to open it.

use std::fs;
use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;
use strike_sandbox::{DataBuilder, Sandbox};

use crate::client::{Call, Connections};
use crate::row;

/// Measures creates, and opening a file with this many charges.
pub(crate) fn measure(charges: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.sqlite");
    for connections in [1, 8, 64] {
        let sandbox = open(&file).start().unwrap();
        let mut client = Connections::open(sandbox.address(), connections);
        let count = 100 * connections.min(16);
        client.send(&Call::create(), count);
        let before = (transactions(&file), sandbox.charges());
        let rate = client.send(&Call::create(), count);
        let done = f64::from(transactions(&file) - before.0);
        let creates = (sandbox.charges() - before.1) as f64;
        row(
            &format!("creates with a data file, {connections} at once: per second; transactions per create"),
            &format!("{rate:.0}; {:.3}", done / creates),
            if connections == 64 { "well under one transaction" } else { "one transaction at most" },
        );
    }
    fill(&file, charges);
    let start = Instant::now();
    let sandbox = open(&file).open().unwrap();
    row(
        &format!("opening a data file with {} charges", sandbox.charges()),
        &format!("{:.2} s", start.elapsed().as_secs_f64()),
        "none",
    );
}

fn open(file: &Path) -> DataBuilder {
    Sandbox::builder().api_key("sk_demo").data(file)
}

/// Returns the number of transactions of a database, which SQLite counts in its header. Each
/// transaction synchronizes the file and its journal once.
fn transactions(file: &Path) -> u32 {
    let header = fs::read(file).unwrap();
    u32::from_be_bytes(header[24..28].try_into().unwrap())
}

/// Adds copies of the first charge until there are this many charges. Only ids and preimages differ.
fn fill(file: &Path, charges: usize) {
    let sql = format!(
        "INSERT INTO charge
         WITH RECURSIVE copy(number) AS (
             SELECT max(number) + 1 FROM charge
             UNION ALL SELECT number + 1 FROM copy WHERE number < {charges} - 1
         )
         SELECT copy.number, printf('ch_%029d', copy.number), amount, description, customer_id,
                payment_request, randomblob(32), paid, created, updated, expires, fee, description_hash,
                webhook_url
         FROM copy JOIN charge ON charge.number = 0"
    );
    Connection::open(file).unwrap().execute_batch(&sql).unwrap();
}
