//! A group of changes is stored whole or not at all, wherever a crash cuts its write.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use strike_core::{Network, UnixMillis};

use super::file::File;
use super::journal::FileJournal;
use super::with_suffix;
use crate::entropy::Entropy;
use crate::ledger::{Change, Charge, Journal, ServiceState};

const PAGE: usize = 4096;

fn new_journal(file: &Path) -> FileJournal {
    let identity = crate::Sandbox::builder().identity();
    let file = File::open(file).expect("the data file opens");
    file.initialize(Network::Testnet, &identity, Arc::new(|_| ())).expect("the data file can be initialized")
}

fn state(second: u64) -> ServiceState {
    let entropy = Entropy::from_seed(second).position();
    ServiceState { entropy, ahead: Duration::ZERO, seen: UnixMillis::from_secs(second) }
}

/// Returns the number of transactions, which SQLite counts in the header of a file.
fn transactions(data: &[u8]) -> u32 {
    u32::from_be_bytes(data.get(24..28).and_then(|count| count.try_into().ok()).expect("a header"))
}

/// Returns the numbers of paid and of all charges that a sandbox finds after a crash with these files.
fn after_crash(data: &[u8], rollback: Option<&[u8]>) -> (usize, usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.sqlite");
    fs::write(&file, data).expect("a file");
    if let Some(rollback) = rollback {
        fs::write(with_suffix(&file, "-journal"), rollback).expect("a file");
    }
    let mut file = File::open(&file).expect("the data file opens");
    file.read().expect("the file is whole").expect("the file is not empty");
    let charges = file.charges().expect("the file is whole");
    (charges.iter().filter(|charge| charge.paid).count(), charges.len())
}

#[test]
fn crash_at_any_point_of_a_write_keeps_or_drops_the_whole_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.sqlite");
    let mut journal = new_journal(&file);
    let mut charges: Vec<_> = (0..60).map(|n| Charge::sample(&format!("ch_{n:029}"))).collect();
    let added = |indexes: std::ops::Range<usize>| indexes.map(Change::Added).collect::<Vec<_>>();
    let first = charges.get(..30).expect("30 charges");
    journal.store(&added(0..30), first, &state(1)).expect("the group is stored");
    let before = fs::read(&file).expect("a file");

    // The second group pays the first charge and adds 30. A reader delays it, so that the file that
    // could undo it gets a second name, which stays.
    let paid = charges.first_mut().expect("a charge");
    let mut changes = vec![Change::Updated { index: 0, before: Box::new(paid.clone()) }];
    paid.paid = true;
    changes.extend(added(30..60));
    let (rollback, kept) = (with_suffix(&file, "-journal"), folder.path().join("kept"));
    let reader = Connection::open(&file).expect("a data file");
    reader.execute_batch("BEGIN; SELECT number FROM charge").expect("the file can be read");
    thread::scope(|scope| {
        let store = scope.spawn(|| journal.store(&changes, &charges, &state(2)));
        while !rollback.exists() && !store.is_finished() {
            thread::yield_now();
        }
        fs::hard_link(&rollback, &kept).expect("the write waits for the reader");
        drop(reader);
        store.join().expect("no panic").expect("the group is stored");
    });
    let (after, undo) = (fs::read(&file).expect("a file"), fs::read(&kept).expect("a file"));
    assert!(before.len() < after.len() && undo.len() > PAGE);
    assert_eq!(transactions(&after), transactions(&before) + 1, "one transaction for the group");

    // The file that could undo the group is written first.
    for cut in (0..=undo.len()).step_by(499) {
        assert_eq!(after_crash(&before, undo.get(..cut)), (0, 30), "{cut} bytes to undo the group");
    }
    // When it is on disk, the data file is written.
    for pages in 0..=after.len() / PAGE {
        let new = after.get(..pages * PAGE).expect("whole pages");
        let old = before.get(pages * PAGE..).unwrap_or_default();
        assert_eq!(after_crash(&[new, old].concat(), Some(&undo)), (0, 30), "{pages} pages of the group");
    }
    // When that is on disk, the first file is removed, and the group is stored.
    assert_eq!(after_crash(&after, None), (1, 60));
}
