//! Requests that arrive at the same time share one write to the data file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use strike_core::ChargeId;
use strike_sandbox::{ChargeState, RunningSandbox, Sandbox, StorageError, Webhook};
use tempfile::TempDir;

use crate::wire::{Connection, id, list, post};

const CONNECTIONS: u64 = 64;

fn open(file: &Path, reports: &Arc<Mutex<Vec<String>>>) -> RunningSandbox {
    let log = Arc::clone(reports);
    let report = move |error: &StorageError| log.lock().expect("no poisoned lock").push(error.to_string());
    let webhook = Webhook::to("http://127.0.0.1:9/").expect("a URL");
    let data = Sandbox::builder().api_key("sk_demo").webhook(webhook).data(file).on_storage_error(report);
    data.start().expect("the sandbox starts")
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.sqlite");
    (folder, file)
}

/// Opens connections that the server has accepted.
fn connect(sandbox: &RunningSandbox) -> Vec<Connection> {
    let connect = |_| {
        let mut connection = Connection::open(sandbox.address());
        assert_eq!(connection.send(&list()).status(), 200);
        connection
    };
    (0..CONNECTIONS).map(connect).collect()
}

/// Reads the file. The next write waits until the reader is dropped.
fn read(file: &Path) -> rusqlite::Connection {
    let reader = rusqlite::Connection::open(file).expect("a data file");
    reader.execute_batch("BEGIN; SELECT number FROM charge").expect("the file can be read");
    reader
}

/// Waits until the sandbox has begun a write.
fn wait_for_write(file: &Path) {
    let (journal, start) = (file.with_extension("sqlite-journal"), Instant::now());
    while !journal.exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "the sandbox does not write");
        std::thread::yield_now();
    }
}

/// Returns the number of writes to a data file, which SQLite counts in its header.
fn writes(file: &Path) -> u32 {
    let bytes = fs::read(file).expect("a data file");
    u32::from_be_bytes(bytes.get(24..28).and_then(|count| count.try_into().ok()).expect("a header"))
}

#[test]
fn creates_that_wait_for_a_write_share_the_next_one() {
    let (_folder, file) = folder();
    let sandbox = open(&file, &Arc::default());
    let mut connections = connect(&sandbox);
    let before = writes(&file);
    let reader = read(&file);
    for (connection, amount) in connections.iter_mut().zip(1..) {
        connection.write(post(amount).as_bytes());
        wait_for_write(&file);
    }
    drop(reader);
    for connection in &mut connections {
        assert_eq!(connection.read().status(), 200);
    }
    let shared = writes(&file) - before;
    assert!(shared <= 4, "{shared} writes for {CONNECTIONS} creates");
    assert_eq!(sandbox.charges(), connections.len());
}

#[test]
fn failed_write_fails_every_request_that_shares_it() {
    let (folder, file) = folder();
    let reports = Arc::default();
    let sandbox = open(&file, &reports);
    let mut connections = connect(&sandbox);
    let charge = connections.first_mut().expect("a connection").send(&post(1)).body;
    let paid: ChargeId = id(&charge).parse().expect("an id");
    let pay = format!("POST /sandbox/charges/{paid}/pay HTTP/1.1\r\nHost: x\r\n\r\n");

    // While the first of them is written, the others arrive and the file is moved.
    let reader = read(&file);
    let requests = [post(2), pay.clone(), list()].into_iter().chain((3..).map(post));
    for (connection, request) in connections.iter_mut().zip(requests) {
        connection.write(request.as_bytes());
        wait_for_write(&file);
    }
    let aside = folder.path().join("aside");
    fs::rename(&file, &aside).expect("the file can be renamed");
    drop(reader);
    let mut stored = vec![charge];
    let mut failed = 0;
    for connection in &mut connections {
        let response = connection.read();
        match response.status() {
            200 => stored.push(response.body),
            _ => {
                assert!(response.body.contains("moved or removed"), "{}", response.body);
                failed += 1;
            }
        }
    }
    assert!(failed >= connections.len() - 1, "{failed} failed");
    assert!(reports.lock().expect("no poisoned lock").len() <= 2, "one report for each write");

    // Memory, and after a restart the file, have what the responses said.
    assert_eq!(sandbox.charges(), stored.len());
    assert_eq!(sandbox.charge(&paid).map(|charge| charge.state()), Some(ChargeState::Pending));
    assert!(sandbox.deliveries().is_empty(), "no webhook for a payment that failed");
    fs::rename(&aside, &file).expect("the file can be renamed back");
    let mut connection = Connection::open(sandbox.address());
    stored.push(connection.send(&post(100)).body);
    assert_eq!(connection.send(&pay).status(), 200);
    assert_eq!(sandbox.deliveries().len(), 1);
    drop(sandbox);
    let sandbox = open(&file, &reports);
    let ids: Vec<_> = sandbox.list_all().iter().rev().map(|charge| charge.id().to_string()).collect();
    assert_eq!(ids, stored.iter().map(|charge| id(charge)).collect::<Vec<_>>());
    assert_eq!(sandbox.charge(&paid).map(|charge| charge.state()), Some(ChargeState::Paid));
}
