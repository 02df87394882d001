//! The binary with `--data`: kills, restarts, locking, moved files and full disks.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use strike_sandbox::{DataError, Sandbox};
use tempfile::TempDir;

use crate::program::{Program, command, refusal};
use crate::wire::{Connection, id, post, request};

const ARGUMENTS: [&str; 6] = ["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo", "--data"];

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn arguments(file: &Path) -> Vec<&str> {
    ARGUMENTS.into_iter().chain([file.to_str().expect("UTF-8")]).collect()
}

fn get(connection: &mut Connection, id: &str) -> String {
    connection.send(&request(&format!("GET /api/v1/charges/{id}"), "", "")).body
}

fn pay(connection: &mut Connection, id: &str) -> u16 {
    connection.send(&format!("POST /sandbox/charges/{id}/pay HTTP/1.1\r\nHost: x\r\n\r\n")).status()
}

#[test]
fn acknowledged_changes_survive_a_kill() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let mut acknowledged: Vec<(String, String)> = Vec::new();
    for round in 0..8 {
        let mut program = Program::start(&arguments(&file));
        let mut connection = Connection::open(program.address());
        for (id, charge) in &acknowledged {
            assert_eq!(&get(&mut connection, id), charge, "round {round}");
        }
        // Payments are stored like charges.
        if let Some((id, charge)) = acknowledged.last_mut() {
            assert_eq!(pay(&mut connection, id), 200);
            *charge = get(&mut connection, id);
        }
        // Sends more requests than the program can process before the kill.
        for amount in 1..=200 {
            connection.write(post(amount).as_bytes());
        }
        for _ in 0..=(round * 3) {
            let charge = connection.read().body;
            acknowledged.push((id(&charge), charge));
        }
        program.kill();
    }
    let mut program = Program::start(&arguments(&file));
    let mut connection = Connection::open(program.address());
    for (id, charge) in &acknowledged {
        assert_eq!(&get(&mut connection, id), charge);
    }
    // The next change removes the journal that the last kill left behind.
    assert_eq!(connection.send(&post(1)).status(), 200);
    assert_eq!(program.signal("TERM").0, Some(0));
    let left: Vec<_> = folder
        .path()
        .read_dir()
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["shop.sqlite"], "only the data file is left");
}

#[test]
fn acknowledged_charges_of_many_connections_survive_a_kill() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..6 {
        let mut program = Program::start(&arguments(&file));
        let address = program.address();
        let mut connections: Vec<_> = (0..16).map(|_| Connection::open(address)).collect();
        for connection in &mut connections {
            // More requests than the program can process before the kill.
            (1..=100).for_each(|amount| connection.write(post(amount).as_bytes()));
        }
        for _ in 0..=round {
            acknowledged.extend(connections.iter_mut().map(|connection| connection.read().body));
        }
        program.kill();
        let sandbox = Sandbox::builder().data(&file).open().expect("the data file opens");
        for charge in &acknowledged {
            let id = id(charge).parse().expect("a charge id");
            assert!(sandbox.charge(&id).is_some(), "round {round}");
        }
    }
}

#[test]
fn second_process_is_refused_while_the_file_is_in_use() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let mut first = Program::start(&arguments(&file));
    let mut connection = Connection::open(first.address());
    let (code, message) = refusal(&arguments(&file));
    assert_eq!(code, Some(1), "{message}");
    assert!(message.starts_with("strike-sandbox: ") && message.contains("in use"), "{message}");
    assert_eq!(connection.send(&post(1)).status(), 200);
}

#[test]
fn create_fails_with_500_when_the_file_cannot_grow() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let program = command(&[]);
    // Writes beyond 24 kB (48 kB in some shells) fail as on a full disk. SIGXFSZ is ignored.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 48; exec \"$0\" \"$@\""]).arg(program.get_program());
    let child = limited.args(arguments(&file)).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut program = Program::new(child.expect("the program starts"));
    let mut connection = Connection::open(program.address());

    let list = request("GET /api/v1/charges?size=1000", "", "");
    let mut created = Vec::new();
    let refused = loop {
        let response = connection.send(&post(42));
        if response.status() != 200 {
            break response;
        }
        created.push(response.body);
        assert!(created.len() < 100, "100 charges do not fit in 48 kB");
    };
    assert_eq!(refused.status(), 500);
    assert!(refused.body.contains("could not be written"), "{}", refused.body);
    let first = id(created.first().expect("at least one charge"));
    created.reverse();
    let all = format!("[ {} ]", created.join(", "));
    assert!(connection.send(&list).body == all);
    assert_eq!(program.signal("TERM").0, Some(0));

    let mut program = Program::start(&arguments(&file));
    let mut connection = Connection::open(program.address());
    assert!(connection.send(&list).body == all);
    assert_eq!(pay(&mut connection, &first), 200);
    assert_eq!(connection.send(&post(43)).status(), 200);
}

/// On Unix, SQLite's locks are released when any handle to the file in the process is closed.
/// Opening or copying the file again must not let another process open it.
#[test]
fn file_lock_survives_a_second_open_and_a_copy_in_this_process() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let sandbox = Sandbox::builder().data(&file).open().expect("the data file opens");
    assert!(matches!(Sandbox::builder().data(&file).open(), Err(DataError::InUse { .. })));
    std::fs::copy(&file, folder.path().join("copy.sqlite")).expect("the file can be copied");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).expect("the link can be created");
    for name in [&file, &link] {
        let (code, message) = refusal(&[&arguments(name)[..], &["--network", "bitcoin"]].concat());
        assert!(code == Some(1) && message.contains("is in use"), "{code:?} {message}");
    }
    drop(sandbox);
    Sandbox::builder().data(&file).open().expect("the file is no longer in use");
}

#[test]
fn moved_file_is_logged_and_keeps_all_charges_after_a_kill() {
    let folder = folder();
    let (file, aside) = (folder.path().join("shop.sqlite"), folder.path().join("aside"));
    let mut child = command(&arguments(&file));
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the program starts");
    let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut program = Program::new(child);
    let mut connection = Connection::open(program.address());
    let created: Vec<_> = (1..=3).map(|amount| connection.send(&post(amount)).body).collect();

    std::fs::rename(&file, &aside).expect("the file can be renamed");
    let refused = connection.send(&post(4));
    assert!(refused.status() == 500 && refused.body.contains("moved or removed"), "{}", refused.body);
    let mut line = String::new();
    log.read_line(&mut line).expect("a line of output");
    assert!(line.starts_with("strike-sandbox: ") && line.contains("shop.sqlite was moved"), "{line}");
    program.kill();

    let mut program = Program::start(&arguments(&aside));
    let mut connection = Connection::open(program.address());
    for charge in created {
        assert_eq!(get(&mut connection, &id(&charge)), charge);
    }
}

/// Sets the permission bits of a folder.
fn set_mode(folder: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))
        .expect("the owner can change the mode");
}

#[test]
fn create_fails_with_500_in_a_read_only_folder() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let mut program = Program::start(&arguments(&file));
    let mut connection = Connection::open(program.address());
    let charge = connection.send(&post(1)).body;
    set_mode(folder.path(), 0o500);
    let response = connection.send(&post(2));
    // Root can write despite the permission bits.
    let may_write = std::fs::write(folder.path().join("probe"), "").is_ok();
    set_mode(folder.path(), 0o700);
    assert_eq!(response.status(), if may_write { 200 } else { 500 }, "{}", response.body);
    assert_eq!(connection.send(&post(3)).status(), 200);
    program.kill();
    let mut program = Program::start(&arguments(&file));
    let mut connection = Connection::open(program.address());
    assert_eq!(get(&mut connection, &id(&charge)), charge);
}
