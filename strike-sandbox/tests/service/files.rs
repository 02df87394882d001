//! Files that are no data of a sandbox, or not of this one: told apart, and left alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use strike_core::Network;
use strike_sandbox::{DataError, Sandbox};
use tempfile::TempDir;

use crate::ask::{any_charge, builder};

/// A folder with the data of a sandbox that has made two charges.
fn kept() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.sqlite");
    let sandbox = builder().data(&file).open().expect("it opens");
    any_charge(&sandbox);
    any_charge(&sandbox);
    (folder, file)
}

fn open(file: &Path) -> Result<Sandbox, DataError> {
    builder().data(file).open()
}

/// The error, which must name the file, and must leave it as it was.
fn refusal(file: &Path) -> DataError {
    let before = fs::read(file).ok();
    let error = open(file).expect_err("a refusal");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    assert!(fs::read(file).ok() == before, "it was changed: {error}");
    error
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// Changes the file behind the sandbox's back.
fn tamper(file: &Path, sql: &str) {
    Connection::open(file).and_then(|connection| connection.execute_batch(sql)).expect(sql);
}

/// A pipe, which nobody else has open, would be waited for without end.
#[cfg(target_os = "linux")]
#[test]
fn what_is_no_file_is_not_opened() {
    let path = Path::new("/dev/null");
    let error = open(path).expect_err("a refusal");
    assert!(matches!(error, DataError::Foreign { .. }), "{error}");
    assert!(error.to_string().contains("/dev/null"), "{error}");
}

#[test]
fn it_is_one_file_when_it_is_closed_and_its_owner_s_alone() {
    let (folder, file) = kept();
    assert_eq!(names(&folder), ["shop.sqlite"]);
    let sandbox = open(&file).expect("it opens");
    any_charge(&sandbox);
    assert_eq!(names(&folder), ["shop.sqlite", "shop.sqlite-wal"]);
    #[cfg(unix)]
    for name in names(&folder) {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join(&name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_something_else_wrote_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, contents) in [("short", &b"hello"[..]), ("long", &[b'x'; 10_000]), ("line", b"\n")] {
        let file = folder.path().join(name);
        fs::write(&file, contents).expect("a file");
        assert!(matches!(refusal(&file), DataError::Foreign { .. }), "{name}");
    }
    let file = folder.path().join("database");
    tamper(&file, "CREATE TABLE sandbox (network TEXT); PRAGMA user_version = 1");
    assert!(matches!(refusal(&file), DataError::Foreign { .. }));
    let file = folder.path().join("signed");
    tamper(&file, "PRAGMA application_id = 1");
    assert!(matches!(refusal(&file), DataError::Foreign { .. }));
}

#[test]
fn an_empty_file_is_taken_and_so_is_one_that_was_hardly_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("empty");
    fs::write(&file, b"").expect("a file");
    any_charge(&open(&file).expect("it opens"));
    assert_eq!(open(&file).expect("it opens").charges(), 1);

    let file = folder.path().join("begun");
    tamper(&file, "PRAGMA journal_mode = WAL");
    assert!(fs::metadata(&file).expect("a file").len() > 0);
    any_charge(&open(&file).expect("it opens"));
    assert_eq!(open(&file).expect("it opens").charges(), 1);
}

#[test]
fn another_network_and_a_newer_format_are_named() {
    let (_folder, file) = kept();
    let error = builder().network(Network::Regtest).data(&file).open().expect_err("testnet");
    let DataError::OtherNetwork { found: Network::Testnet, wanted: Network::Regtest, .. } = error else {
        panic!("{error}")
    };
    assert!(error.to_string().contains("is for testnet, not for regtest"), "{error}");
    assert_eq!(open(&file).expect("it is as it was").charges(), 2);

    tamper(&file, "PRAGMA user_version = 2");
    let error = refusal(&file);
    assert!(matches!(error, DataError::Newer { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn two_cannot_have_one_file() {
    let (_folder, file) = kept();
    let first = open(&file).expect("it opens");
    let error = open(&file).expect_err("it is in use");
    assert!(matches!(error, DataError::InUse { .. }), "{error}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ResourceBusy);
    any_charge(&first);
    drop(first);
    assert_eq!(open(&file).expect("it is free").charges(), 3);
}

#[test]
fn damage_is_told_at_the_start() {
    for sql in [
        "UPDATE charge SET preimage = x'00' WHERE number = 1",
        "UPDATE charge SET created = -1 WHERE number = 0",
        "UPDATE sandbox SET entropy = x''",
        "UPDATE sandbox SET node_key = zeroblob(32)",
        "UPDATE sandbox SET network = 'moon'",
        "DELETE FROM sandbox",
        "DELETE FROM charge WHERE number = 0",
        "DROP TABLE charge",
    ] {
        let (_folder, file) = kept();
        tamper(&file, sql);
        let error = refusal(&file);
        assert!(matches!(error, DataError::Damaged { .. }), "{sql}: {error:?}");
    }
    let (_folder, file) = kept();
    let whole = fs::read(&file).expect("a file");
    fs::write(&file, whole.get(..whole.len() / 2).expect("half")).expect("a file");
    let error = refusal(&file);
    assert!(matches!(error, DataError::Damaged { .. }), "{error:?}");
}

#[test]
fn the_system_s_refusal_is_passed_on() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in [folder.path().join("no/such/folder"), folder.path().to_owned()] {
        let error = refusal(&file);
        assert!(matches!(error, DataError::Unusable { .. }), "{error:?}");
    }
}
