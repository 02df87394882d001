//! Data files that are foreign, damaged, moved or in use are detected and not modified.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use strike_core::Network;
use strike_sandbox::{DataError, Sandbox};
#[cfg(unix)]
use strike_sandbox::{PayError, StorageError};
use tempfile::TempDir;

#[cfg(unix)]
use crate::support::{FORM, post, text};
use crate::support::{any_charge, builder};

/// Creates a data file with two charges. Returns its folder and its path.
fn file_with_two_charges() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.sqlite");
    let sandbox = builder().data(&file).open().expect("the data file opens");
    any_charge(&sandbox);
    any_charge(&sandbox);
    (folder, file)
}

fn open(file: &Path) -> Result<Sandbox, DataError> {
    builder().data(file).open()
}

/// Opens the file, which must fail with an error that names it and leaves it unchanged.
fn open_error(file: &Path) -> DataError {
    let before = fs::read(file).ok();
    let error = open(file).expect_err("an error");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    assert!(fs::read(file).ok() == before, "the file was changed: {error}");
    error
}

fn file_names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// Runs SQL on the file from outside the sandbox.
fn execute_sql(file: &Path, sql: &str) {
    Connection::open(file).and_then(|connection| connection.execute_batch(sql)).expect(sql);
}

/// Opening a named pipe, for example, would block until another process opens it.
#[cfg(target_os = "linux")]
#[test]
fn device_files_are_rejected() {
    let path = Path::new("/dev/null");
    let error = open(path).expect_err("an error");
    assert!(matches!(error, DataError::Foreign { .. }), "{error}");
    assert!(error.to_string().contains("/dev/null"), "{error}");
}

#[test]
fn closed_data_is_a_single_private_file() {
    let (folder, file) = file_with_two_charges();
    assert_eq!(file_names(&folder), ["shop.sqlite"]);
    let sandbox = open(&file).expect("the data file opens");
    any_charge(&sandbox);
    assert_eq!(file_names(&folder), ["shop.sqlite", "shop.sqlite-lock"]);
    #[cfg(unix)]
    for name in file_names(&folder) {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join(&name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn foreign_files_are_rejected_and_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, contents) in [("short", &b"hello"[..]), ("long", &[b'x'; 10_000]), ("line", b"\n")] {
        let file = folder.path().join(name);
        fs::write(&file, contents).expect("a file");
        assert!(matches!(open_error(&file), DataError::Foreign { .. }), "{name}");
    }
    let file = folder.path().join("database");
    execute_sql(&file, "CREATE TABLE sandbox (network TEXT); PRAGMA user_version = 1");
    assert!(matches!(open_error(&file), DataError::Foreign { .. }));
    let file = folder.path().join("signed");
    execute_sql(&file, "PRAGMA application_id = 1");
    assert!(matches!(open_error(&file), DataError::Foreign { .. }));
}

#[test]
fn empty_and_uninitialized_files_are_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("empty");
    fs::write(&file, b"").expect("a file");
    any_charge(&open(&file).expect("the data file opens"));
    assert_eq!(open(&file).expect("the data file opens").charges(), 1);

    let file = folder.path().join("begun");
    execute_sql(&file, "PRAGMA journal_mode = WAL");
    assert!(fs::metadata(&file).expect("a file").len() > 0);
    any_charge(&open(&file).expect("the data file opens"));
    assert_eq!(open(&file).expect("the data file opens").charges(), 1);
}

#[test]
fn other_network_and_newer_format_are_rejected() {
    let (_folder, file) = file_with_two_charges();
    let error = builder().network(Network::Regtest).data(&file).open().expect_err("the file is for testnet");
    let DataError::OtherNetwork { found: Network::Testnet, wanted: Network::Regtest, .. } = error else {
        panic!("{error}")
    };
    assert!(error.to_string().contains("is for testnet, not for regtest"), "{error}");
    assert_eq!(open(&file).expect("the file is unchanged").charges(), 2);

    execute_sql(&file, "PRAGMA user_version = 3");
    let error = open_error(&file);
    assert!(matches!(error, DataError::Newer { found: 3, known: 2, .. }), "{error}");
}

#[test]
fn data_file_cannot_be_opened_twice() {
    let (_folder, file) = file_with_two_charges();
    let first = open(&file).expect("the data file opens");
    let error = open(&file).expect_err("the file is in use");
    assert!(matches!(error, DataError::InUse { .. }), "{error}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ResourceBusy);
    any_charge(&first);
    drop(first);
    assert_eq!(open(&file).expect("the file is not in use").charges(), 3);
}

#[test]
fn damaged_file_is_rejected_at_open() {
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
        let (_folder, file) = file_with_two_charges();
        execute_sql(&file, sql);
        let error = open_error(&file);
        assert!(matches!(error, DataError::Damaged { .. }), "{sql}: {error:?}");
    }
    let (_folder, file) = file_with_two_charges();
    let whole = fs::read(&file).expect("a file");
    fs::write(&file, whole.get(..whole.len() / 2).expect("half of the bytes")).expect("a file");
    let error = open_error(&file);
    assert!(matches!(error, DataError::Damaged { .. }), "{error:?}");
}

#[test]
fn file_system_errors_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in [folder.path().join("no/such/folder"), folder.path().to_owned()] {
        let error = open_error(&file);
        assert!(matches!(error, DataError::Unusable { .. }), "{error:?}");
    }
}

/// Opens a sandbox that collects the errors of changes that could not be stored.
#[cfg(unix)]
fn open_with_reports(file: &Path) -> (Sandbox, Arc<Mutex<Vec<String>>>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&reports);
    let report = move |error: &StorageError| log.lock().expect("no poisoned lock").push(error.to_string());
    (builder().data(file).on_storage_error(report).open().expect("the data file opens"), reports)
}

#[cfg(unix)]
fn create(sandbox: &Sandbox) -> (u16, String) {
    let response = post(sandbox, FORM, "amount=42&currency=btc&description=x");
    (response.status().as_u16(), text(&response).to_owned())
}

/// A name, a part of the expected error, and what happens to the file.
#[cfg(unix)]
type FileProblem = (&'static str, &'static str, fn(&Path));

#[cfg(unix)]
fn file_problems() -> [FileProblem; 11] {
    fn aside(file: &Path) -> PathBuf {
        file.with_file_name("aside")
    }
    [
        ("moved", "moved or removed", |file| fs::rename(file, aside(file)).expect("the file can be renamed")),
        ("removed", "moved or removed", |file| fs::remove_file(file).expect("the file can be removed")),
        ("replaced by a copy", "replaced by another file", |file| {
            fs::copy(file, aside(file)).expect("the file can be copied");
            fs::rename(aside(file), file).expect("the file can be replaced");
        }),
        ("moved, and copied back", "replaced by another file", |file| {
            fs::rename(file, aside(file)).expect("the file can be renamed");
            fs::copy(aside(file), file).expect("the file can be copied");
        }),
        ("replaced by a folder", "replaced by another file", |file| {
            fs::remove_file(file).expect("the file can be removed");
            fs::create_dir(file).expect("a folder");
        }),
        ("folder renamed", "moved or removed", |file| {
            let folder = file.parent().expect("a folder");
            fs::rename(folder, folder.with_file_name("elsewhere")).expect("the folder can be renamed");
        }),
        ("folder renamed, and another in its place", "replaced by another file", |file| {
            let folder = file.parent().expect("a folder");
            let elsewhere = folder.with_file_name("elsewhere");
            fs::rename(folder, &elsewhere).expect("the folder can be renamed");
            fs::create_dir(folder).expect("a folder");
            fs::copy(elsewhere.join("shop.sqlite"), file).expect("the file can be copied");
        }),
        ("truncated", "no such table", |file| fs::write(file, b"").expect("the file can be truncated")),
        ("truncated in the middle", "malformed", |file| {
            let half = fs::read(file).expect("a file").len() / 2;
            let open = fs::OpenOptions::new().write(true).open(file).expect("a file");
            open.set_len(half as u64).expect("the file can be truncated");
        }),
        ("overwritten with something else", "not a database", |file| {
            fs::write(file, [b'x'; 20_000]).expect("the file can be overwritten");
        }),
        ("written to by another program", "another program wrote to it", |file| {
            execute_sql(file, "UPDATE sandbox SET seen = seen + 1");
        }),
    ]
}

#[cfg(unix)]
#[test]
fn changes_fail_and_are_reported_after_the_file_is_lost_or_damaged() {
    for (problem, part, apply) in file_problems() {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = outer.path().join("data");
        fs::create_dir(&folder).expect("a folder");
        let file = folder.join("shop.sqlite");
        let (sandbox, reports) = open_with_reports(&file);
        let first = any_charge(&sandbox);
        apply(&file);
        for round in 1..=2 {
            let (status, body) = create(&sandbox);
            assert!(status == 500 && body.contains(part), "{problem}: {status} {body}");
            assert_eq!(sandbox.pay(&first), Err(PayError::Storage), "{problem}");
            assert!(sandbox.reset().is_err(), "{problem}");
            let reports = reports.lock().expect("no poisoned lock");
            assert_eq!(reports.len(), round * 3, "{problem}: {reports:?}");
            assert!(reports.iter().all(|report| report.contains(part)), "{problem}: {reports:?}");
        }
        assert_eq!(sandbox.charges(), 1, "{problem}");
    }
}

#[cfg(unix)]
#[test]
fn moved_file_contains_every_acknowledged_charge() {
    let (folder, file) = file_with_two_charges();
    let aside = folder.path().join("aside");
    let (sandbox, _) = open_with_reports(&file);
    any_charge(&sandbox);
    fs::rename(&file, &aside).expect("the file can be renamed");
    assert_eq!(create(&sandbox).0, 500);
    // Nothing is missing although the file was not closed, as after a crash.
    let copy = folder.path().join("copy");
    fs::copy(&aside, &copy).expect("the file can be copied");
    assert_eq!(open(&copy).expect("the data file opens").charges(), 3);
    // Once the file is back, new charges are stored again.
    fs::rename(&aside, &file).expect("the file can be renamed back");
    assert_eq!(create(&sandbox).0, 200);
    drop(sandbox);
    assert_eq!(open(&file).expect("the data file opens").charges(), 4);
}

#[cfg(unix)]
#[test]
fn retargeted_symlink_is_detected() {
    let (folder, file) = file_with_two_charges();
    let (_other_folder, other) = file_with_two_charges();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).expect("the link can be created");
    let (sandbox, _) = open_with_reports(&link);
    // Both names refer to the same locked file.
    assert!(matches!(open_error(&file), DataError::InUse { .. }));
    assert_eq!(create(&sandbox).0, 200);
    fs::remove_file(&link).expect("the file can be removed");
    std::os::unix::fs::symlink(other, &link).expect("the link can be created");
    let (status, body) = create(&sandbox);
    assert!(status == 500 && body.contains("replaced by another file"), "{status} {body}");
}

#[cfg(unix)]
#[test]
fn hard_linked_file_is_rejected() {
    let (folder, file) = file_with_two_charges();
    let second = folder.path().join("second");
    let (sandbox, _) = open_with_reports(&file);
    fs::hard_link(&file, &second).expect("the link can be created");
    let error = open_error(&second);
    assert!(error.to_string().contains("hard links"), "{error}");
    assert_eq!(create(&sandbox).0, 200);
    drop(sandbox);
    fs::remove_file(&file).expect("the file can be removed");
    assert_eq!(open(&second).expect("the data file opens").charges(), 3);
}

/// On Unix, SQLite's own locks are released when the copy closes its handle to the file.
#[test]
fn file_stays_locked_after_a_copy_in_this_process() {
    let (folder, file) = file_with_two_charges();
    let sandbox = open(&file).expect("the data file opens");
    fs::copy(&file, folder.path().join("copy")).expect("the file can be copied");
    assert!(matches!(open_error(&file), DataError::InUse { .. }));
    any_charge(&sandbox);
    drop(sandbox);
    assert_eq!(open(&file).expect("the data file opens").charges(), 3);
}

#[test]
fn journal_without_its_database_is_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.sqlite");
    for journal in ["shop.sqlite-journal", "shop.sqlite-wal"] {
        let journal = folder.path().join(journal);
        fs::write(&journal, b"changes").expect("the journal file can be written");
        let error = open_error(&file);
        assert!(error.to_string().contains("restore the file"), "{error}");
        assert!(!file.exists() && journal.exists());
        fs::remove_file(journal).expect("the file can be removed");
    }
    open(&file).expect("the data file is created");
}

#[test]
fn open_file_can_be_backed_up_with_vacuum_into() {
    let (folder, file) = file_with_two_charges();
    let sandbox = open(&file).expect("the data file opens");
    let copy = folder.path().join("copy.sqlite");
    execute_sql(&file, &format!("VACUUM INTO '{}'", copy.display()));
    any_charge(&sandbox);
    assert_eq!(open(&copy).expect("the data file opens").charges(), 2);
}
