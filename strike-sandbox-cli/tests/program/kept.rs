//! The program with a file: killed, stopped, started twice, and out of room.

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
    connection.ask(&request(&format!("GET /api/v1/charges/{id}"), "", "")).body
}

fn pay(connection: &mut Connection, id: &str) -> u16 {
    connection.ask(&format!("POST /sandbox/charges/{id}/pay HTTP/1.1\r\nHost: x\r\n\r\n")).status()
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_answered() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let mut answered: Vec<(String, String)> = Vec::new();
    for round in 0..8 {
        let mut program = Program::start(&arguments(&file));
        let mut connection = Connection::open(program.address());
        for (id, charge) in &answered {
            assert_eq!(&get(&mut connection, id), charge, "round {round}");
        }
        // Payments are kept as charges are.
        if let Some((id, charge)) = answered.last_mut() {
            assert_eq!(pay(&mut connection, id), 200);
            *charge = get(&mut connection, id);
        }
        // More requests than it will get to.
        for amount in 1..=200 {
            connection.write(post(amount).as_bytes());
        }
        for _ in 0..=(round * 3) {
            let charge = connection.read().body;
            answered.push((id(&charge), charge));
        }
        program.kill();
    }
    let mut program = Program::start(&arguments(&file));
    let mut connection = Connection::open(program.address());
    for (id, charge) in &answered {
        assert_eq!(&get(&mut connection, id), charge);
    }
    // The next change takes away what the last kill left behind.
    assert_eq!(connection.ask(&post(1)).status(), 200);
    assert_eq!(program.signal("TERM").0, Some(0));
    let left: Vec<_> = folder
        .path()
        .read_dir()
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["shop.sqlite"], "nothing but the file is left");
}

#[test]
fn a_second_program_is_told_that_the_file_is_in_use() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let mut first = Program::start(&arguments(&file));
    let mut connection = Connection::open(first.address());
    let (code, message) = refusal(&arguments(&file));
    assert_eq!(code, Some(1), "{message}");
    assert!(message.starts_with("strike-sandbox: ") && message.contains("in use"), "{message}");
    assert_eq!(connection.ask(&post(1)).status(), 200);
}

#[test]
fn without_room_a_charge_is_not_made_and_the_rest_goes_on() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let program = command(&[]);
    // A file larger than 24 kB (48 kB with some shells) is refused, as a full disk would; the signal that comes with it is ignored.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 48; exec \"$0\" \"$@\""]).arg(program.get_program());
    let child = limited.args(arguments(&file)).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut program = Program::new(child.expect("it starts"));
    let mut connection = Connection::open(program.address());

    let list = request("GET /api/v1/charges?size=1000", "", "");
    let mut made = Vec::new();
    let refused = loop {
        let answer = connection.ask(&post(42));
        if answer.status() != 200 {
            break answer;
        }
        made.push(answer.body);
        assert!(made.len() < 100, "48 kB hold no hundred charges");
    };
    assert_eq!(refused.status(), 500);
    assert!(refused.body.contains("could not be written"), "{}", refused.body);
    let first = id(made.first().expect("a few fit"));
    made.reverse();
    let all = format!("[ {} ]", made.join(", "));
    assert!(connection.ask(&list).body == all);
    assert_eq!(program.signal("TERM").0, Some(0));

    let mut program = Program::start(&arguments(&file));
    let mut connection = Connection::open(program.address());
    assert!(connection.ask(&list).body == all);
    assert_eq!(pay(&mut connection, &first), 200);
    assert_eq!(connection.ask(&post(43)).status(), 200);
}

/// Another program must not get in after this process has opened and closed the file once more: on Unix that drops
/// the locks that SQLite holds.
#[test]
fn a_second_open_and_a_copy_in_this_process_do_not_open_the_file_to_others() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let sandbox = Sandbox::builder().data(&file).open().expect("it opens");
    assert!(matches!(Sandbox::builder().data(&file).open(), Err(DataError::InUse { .. })));
    std::fs::copy(&file, folder.path().join("copy.sqlite")).expect("copied");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    for name in [&file, &link] {
        let (code, message) = refusal(&[&arguments(name)[..], &["--network", "bitcoin"]].concat());
        assert!(code == Some(1) && message.contains("is in use"), "{code:?} {message}");
    }
    drop(sandbox);
    Sandbox::builder().data(&file).open().expect("it is free again");
}

#[test]
fn a_moved_file_is_logged_and_loses_no_charge_to_a_kill() {
    let folder = folder();
    let (file, aside) = (folder.path().join("shop.sqlite"), folder.path().join("aside"));
    let mut child = command(&arguments(&file));
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("it starts");
    let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut program = Program::new(child);
    let mut connection = Connection::open(program.address());
    let made: Vec<_> = (1..=3).map(|amount| connection.ask(&post(amount)).body).collect();

    std::fs::rename(&file, &aside).expect("moved");
    let refused = connection.ask(&post(4));
    assert!(refused.status() == 500 && refused.body.contains("moved or removed"), "{}", refused.body);
    let mut line = String::new();
    log.read_line(&mut line).expect("a line");
    assert!(line.starts_with("strike-sandbox: ") && line.contains("shop.sqlite was moved"), "{line}");
    program.kill();

    let mut program = Program::start(&arguments(&aside));
    let mut connection = Connection::open(program.address());
    for charge in made {
        assert_eq!(get(&mut connection, &id(&charge)), charge);
    }
}

/// Opens a folder to nobody's writing, and again to its owner's.
fn mode(folder: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).expect("the owner may");
}

#[test]
fn in_a_folder_that_became_read_only_a_charge_is_not_made() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let mut program = Program::start(&arguments(&file));
    let mut connection = Connection::open(program.address());
    let charge = connection.ask(&post(1)).body;
    mode(folder.path(), 0o500);
    let answer = connection.ask(&post(2));
    // Root may write everywhere.
    let may_write = std::fs::write(folder.path().join("probe"), "").is_ok();
    mode(folder.path(), 0o700);
    assert_eq!(answer.status(), if may_write { 200 } else { 500 }, "{}", answer.body);
    assert_eq!(connection.ask(&post(3)).status(), 200);
    program.kill();
    let mut program = Program::start(&arguments(&file));
    let mut connection = Connection::open(program.address());
    assert_eq!(get(&mut connection, &id(&charge)), charge);
}
