//! The program with a file: killed, stopped, started twice, and out of room.

use std::path::Path;
use std::process::{Command, Stdio};

use strike_sandbox::{DataError, Sandbox};
use tempfile::TempDir;

use crate::program::{Program, command, refusal};
use crate::wire::{Connection, id, list, post, request};

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
    assert_eq!(program.signal("TERM").0, Some(0));
    assert_eq!(folder.path().read_dir().expect("a folder").count(), 1, "nothing but the file is left");
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
    // A file larger than 64 kB is refused, as a full disk would; the signal that comes with it is ignored.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""]).arg(program.get_program());
    let child = limited.args(arguments(&file)).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut program = Program::new(child.expect("it starts"));
    let mut connection = Connection::open(program.address());

    let mut made = Vec::new();
    let refused = loop {
        let answer = connection.ask(&post(42));
        if answer.status() != 200 {
            break answer;
        }
        made.push(answer.body);
        assert!(made.len() < 100, "64 kB hold no hundred changes");
    };
    assert_eq!(refused.status(), 500);
    assert!(refused.body.contains("could not be written"), "{}", refused.body);
    made.reverse();
    let all = format!("[ {} ]", made.join(", "));
    assert_eq!(connection.ask(&list()).body, all);
    // Nor is one paid of which that could not be kept.
    let first = id(made.last().expect("a few fit"));
    assert_eq!(pay(&mut connection, &first), 500);
    assert_eq!(connection.ask(&list()).body, all);
    assert_eq!(program.signal("TERM").0, Some(0));

    let mut program = Program::start(&arguments(&file));
    let mut connection = Connection::open(program.address());
    assert_eq!(connection.ask(&list()).body, all);
    assert_eq!(pay(&mut connection, &first), 200);
    assert_eq!(connection.ask(&post(43)).status(), 200);
}

/// The system's locks are the process's: to open the file once more and close it would end those on it.
#[test]
fn a_second_try_in_this_process_does_not_open_the_file_to_others() {
    let folder = folder();
    let file = folder.path().join("shop.sqlite");
    let sandbox = Sandbox::builder().data(&file).open().expect("it opens");
    assert!(matches!(Sandbox::builder().data(&file).open(), Err(DataError::InUse { .. })));
    let said = Command::new(env!("CARGO_BIN_EXE_strike-sandbox"))
        .args(arguments(&file))
        .args(["--network", "bitcoin"])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&said.stderr);
    assert!(said.contains("is in use"), "{said}");
    drop(sandbox);
    Sandbox::builder().data(&file).open().expect("it is free again");
}
