//! The binary, as a program in another language would use it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

use crate::receiver::Receiver;
use crate::wire::{Connection, address, id, list, post};

/// The program, which does not outlive a test that fails.
pub(crate) struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strike-sandbox"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().expect("it runs")
}

/// The exit code and message of a program that must not start to serve.
pub(crate) fn refusal(arguments: &[&str]) -> (Option<i32>, String) {
    let mut child =
        command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut errors = child.stderr.take().expect("a pipe");
    let mut program = Program::new(child);
    assert_eq!(program.line(), "", "{arguments:?}");
    let mut message = String::new();
    errors.read_to_string(&mut message).expect("UTF-8");
    (program.child.wait().expect("it ends").code(), message)
}

impl Program {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::new(command(arguments).stdout(Stdio::piped()).spawn().expect("it starts"))
    }

    pub(crate) fn new(mut child: Child) -> Self {
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, out }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line
    }

    /// Where it listens, by its first line.
    #[cfg(feature = "sqlite")]
    pub(crate) fn address(&mut self) -> std::net::SocketAddr {
        let line: Value = serde_json::from_str(&self.line()).expect("one object of JSON");
        address(line["base_url"].as_str().expect("a URL"))
    }

    /// Ends it as a crash would.
    #[cfg(feature = "sqlite")]
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Sends a signal by name, and gives the exit code and what was still printed.
    pub(crate) fn signal(mut self, name: &str) -> (Option<i32>, String) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(kill.expect("a shell's kill").success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("the end of its output");
        (self.child.wait().expect("it ends").code(), rest)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_line_tells_a_program_where_to_go_and_a_signal_ends_it() {
    for signal in ["TERM", "INT"] {
        let mut program = Program::start(&["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo"]);
        let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
        assert_eq!(line["api_key"], "sk_demo");
        let address = address(line["base_url"].as_str().expect("a URL"));

        let mut connection = Connection::open(address);
        let charge = connection.ask(&post(42));
        assert_eq!(connection.ask(&list()).body, format!("[ {} ]", charge.body));
        let pay = format!("POST /sandbox/charges/{}/pay HTTP/1.1\r\nHost: x\r\n\r\n", id(&charge.body));
        assert_eq!(connection.ask(&pay).status(), 200);

        assert_eq!(program.signal(signal), (Some(0), String::new()), "{signal}");
        assert!(connection.is_closed());
    }
}

#[test]
fn it_tells_a_shop_of_payments() {
    let shop = Receiver::bind();
    let arguments = ["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo", "--webhook-repeat", "2"];
    let mut program = Program::start(&[&arguments[..], &["--webhook", &shop.url()]].concat());
    let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
    let mut connection = Connection::open(address(line["base_url"].as_str().expect("a URL")));
    let id = id(&connection.ask(&post(42)).body);
    let pay = format!("POST /sandbox/charges/{id}/pay HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(connection.ask(&pay).status(), 200);
    for _ in 0..2 {
        let told = shop.next();
        assert!(told.body.contains(&id), "{}", told.body);
        told.answer("200 OK");
    }
    assert_eq!(program.signal("TERM"), (Some(0), String::new()));
}

#[test]
fn a_person_is_shown_how_to_make_a_charge_and_pay_it() {
    let arguments = ["--listen", "127.0.0.1:0", "--seed", "7", "--network", "regtest", "--api-key", "it's"];
    let mut program = Program::start(&arguments);
    let mut banner = String::new();
    while !banner.contains("Ctrl-C") {
        let line = program.line();
        assert!(!line.is_empty(), "{banner}");
        banner.push_str(&line);
    }
    assert_eq!(program.signal("TERM"), (Some(0), String::new()));
    assert!(banner.contains("regtest"), "{banner}");
    let url = banner.split_whitespace().find(|word| word.ends_with("/api/v1/")).expect("a base URL");
    let create =
        format!("curl -u 'it'\\''s:' -d amount=4200 -d currency=btc -d description=Coffee {url}charges");
    let pay = format!("curl -X POST http://{}/sandbox/charges/ID/pay", address(url));
    let page = format!("page      http://{}/\n", address(url));
    let scan = format!("curl http://{}/sandbox/charges/ID/qr.txt\n", address(url));
    assert!([create, pay, page, scan].iter().all(|line| banner.contains(line)), "{banner}");
}

#[test]
fn a_seed_gives_the_same_key_and_no_seed_another() {
    let key = |arguments: &[&str]| {
        let mut program = Program::start(&[&["--listen", "127.0.0.1:0", "--json"], arguments].concat());
        let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
        line["api_key"].as_str().expect("a key").to_owned()
    };
    assert_eq!(key(&["--seed", "7"]), key(&["--seed", "7"]));
    assert_ne!(key(&[]), key(&[]));
}

/// A file for the program to read.
fn file(name: &str, text: &str) -> String {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, text).expect("a folder for tests");
    path
}

#[test]
fn the_page_s_first_plan_is_played_from_its_file_and_idle_connections_are_closed() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sandbox-faults.md");
    let page = std::fs::read_to_string(page).expect("the page about faults");
    let plan = page.split("<<'PLAN'\n").nth(1).and_then(|rest| rest.split("PLAN\n").next()).expect("a plan");
    let plan = file("first-create.json", plan);
    let arguments = ["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo", "--idle-close", "1"];
    let mut program = Program::start(&[&arguments[..], &["--faults", &plan]].concat());
    let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
    let address = address(line["base_url"].as_str().expect("a URL"));

    let mut connection = Connection::open(address);
    connection.write(post(42).as_bytes());
    assert!(connection.is_closed());
    let mut connection = Connection::open(address);
    assert_eq!(connection.ask(&list()).body.matches("\"id\"").count(), 1);
    let show = "GET /sandbox/faults HTTP/1.1\r\nHost: x\r\n\r\n";
    let standing: Value = serde_json::from_str(&connection.ask(show).body).expect("JSON");
    assert_eq!((&standing["faults"][0]["matched"], &standing["faults"][0]["fired"]), (&1.into(), &1.into()));
    // It is left alone, and closed well before the 20 seconds after which a read gives up.
    assert_eq!(connection.0.read(&mut [0]).expect("an orderly end"), 0);
}

#[test]
fn a_plan_that_is_missing_or_wrong_ends_with_1_and_is_named() {
    let wrong = file("wrong.json", "{\"faults\": [\n  {\"fault\": {\"stall\": {\"bytes\": -1}}}\n]}");
    let missing = format!("{wrong}.missing");
    for (plan, part) in
        [(&wrong, "faults[0].fault.stall.bytes: "), (&wrong, "line 2"), (&missing, "cannot read")]
    {
        let (code, message) = refusal(&["--listen", "127.0.0.1:0", "--faults", plan]);
        assert!(code == Some(1) && message.contains(plan) && message.contains(part), "{code:?} {message}");
    }
}

#[test]
fn quirks_reach_the_service() {
    let mut program = Program::start(&[
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--api-key",
        "sk_demo",
        "--long-ids",
        "--requests-per-minute",
        "0",
        "--extra-keys",
    ]);
    let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
    let mut connection = Connection::open(address(line["base_url"].as_str().expect("a URL")));
    let refused = connection.ask(&list());
    assert_eq!(refused.status(), 429);
    assert!(refused.head.contains("\r\nRetry-After: 60\r\n"), "{}", refused.head);
    assert!(refused.body.contains("\"extra_null\" : null"), "{}", refused.body);
    let charge = connection.ask(&post(42).replace("/api/v1/", "/sandbox/"));
    assert_eq!(id(&charge.body).len(), "ch_".len() + 44);
}

#[test]
fn bad_arguments_end_with_2_and_a_sentence() {
    for arguments in [&["--nonsense"][..], &["--listen", "0.0.0.0:0"], &["--network", "moon"], &["file"]] {
        let (code, message) = refusal(arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(message.starts_with("strike-sandbox: ") && message.contains("--help"), "{message}");
    }
}

#[test]
fn a_taken_address_ends_with_1_and_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let (code, message) = refusal(&["--listen", &address]);
    assert!(code == Some(1) && message.contains(&address), "{code:?} {message}");
}

#[test]
fn help_and_version_are_printed() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    for option in [
        "--listen",
        "--api-key",
        "--network",
        "--seed",
        "--webhook",
        "--data",
        "--tls",
        "--faults",
        "--idle-close",
        "--json",
        "--version",
    ] {
        assert!(String::from_utf8_lossy(&help.stdout).contains(option), "{option}");
    }
    // The manual has the same words.
    let manual = include_str!("../../../docs/sandbox.md");
    assert!(manual.contains(&*String::from_utf8_lossy(&help.stdout)), "docs/sandbox.md shows another --help");
    let version = run(&["--version"]);
    assert!(version.status.success());
    assert_eq!(version.stdout, concat!("strike-sandbox ", env!("CARGO_PKG_VERSION"), "\n").as_bytes());
}
