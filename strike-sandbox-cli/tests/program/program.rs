//! Tests of the binary, used as a program in another language would use it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

use crate::receiver::Receiver;
use crate::wire::{Connection, FORM, address, id, list, post};

/// A running program. It is killed when the test fails.
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

/// Returns the exit code and the message of a program that must not start.
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

    /// Returns the address in its first line.
    pub(crate) fn address(&mut self) -> std::net::SocketAddr {
        let line: Value = serde_json::from_str(&self.line()).expect("one object of JSON");
        address(line["base_url"].as_str().expect("a URL"))
    }

    /// Kills the program, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Sends a signal by name. Returns the exit code and the remaining output.
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
fn first_line_has_the_address_and_a_signal_stops_the_program() {
    for signal in ["TERM", "INT", "HUP"] {
        let mut program = Program::start(&["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo"]);
        let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
        assert_eq!(line["api_key"], "sk_demo");
        let address = address(line["base_url"].as_str().expect("a URL"));

        let mut connection = Connection::open(address);
        let charge = connection.send(&post(42));
        assert_eq!(connection.send(&list()).body, format!("[ {} ]", charge.body));
        let pay = format!("POST /sandbox/charges/{}/pay HTTP/1.1\r\nHost: x\r\n\r\n", id(&charge.body));
        assert_eq!(connection.send(&pay).status(), 200);

        assert_eq!(program.signal(signal), (Some(0), String::new()), "{signal}");
        assert!(connection.is_closed());
    }
}

#[test]
fn payments_are_sent_to_the_webhook() {
    let shop = Receiver::bind();
    let arguments = ["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo", "--webhook-repeat", "2"];
    let mut program = Program::start(&[&arguments[..], &["--webhook", &shop.url()]].concat());
    let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
    let mut connection = Connection::open(address(line["base_url"].as_str().expect("a URL")));
    let id = id(&connection.send(&post(42)).body);
    let pay = format!("POST /sandbox/charges/{id}/pay HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(connection.send(&pay).status(), 200);
    for _ in 0..2 {
        let request = shop.next();
        assert!(request.body.contains(&id), "{}", request.body);
        request.respond("200 OK");
    }
    assert_eq!(program.signal("TERM"), (Some(0), String::new()));
}

/// The passwords `limited` and `full`, as Basic credentials without a user name.
const LIMITED: &str = "OmxpbWl0ZWQ=";
const FULL: &str = "OmZ1bGw=";

#[test]
fn program_serves_phoenixd_with_both_passwords() {
    let node = Receiver::bind();
    let passwords = ["--phoenixd-password", "limited", "--phoenixd-full-password", "full"];
    let settings = ["--listen", "127.0.0.1:0", "--json", "--phoenixd-fee", "1500", "--phoenixd-webhook"];
    let mut program = Program::start(&[&passwords[..], &settings, &[&node.url()]].concat());
    let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
    let base_url = line["base_url"].as_str().expect("a URL");
    assert_eq!(line["phoenixd_url"], base_url.trim_end_matches("/api/v1/"));
    assert_eq!(
        (&line["phoenixd_password"], &line["phoenixd_full_password"]),
        (&"limited".into(), &"full".into())
    );
    assert_eq!(line["phoenixd_webhook_secret"].as_str().map(str::len), Some(64));

    let mut connection = Connection::open(address(base_url));
    let mut send = |line: &str, credentials: &str, form: &str| {
        let length = form.len();
        connection.send(&format!(
            "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\n{FORM}Content-Length: {length}\r\n\r\n{form}"
        ))
    };
    let created = send("POST /createinvoice", LIMITED, "amountSat=10&description=tea");
    let created: Value = serde_json::from_str(&created.body).expect("JSON");
    let hash = created["paymentHash"].as_str().expect("a hash");
    assert_eq!(send(&format!("POST /sandbox/charges/{hash}/pay"), "", "").status(), 200);
    let webhook = node.next();
    assert!(webhook.body.contains("\"amountSat\": 8,"), "{}", webhook.body);
    webhook.respond("200 OK");
    assert_eq!(send("POST /payinvoice", LIMITED, "").status(), 401);
    assert_eq!(send("POST /payinvoice", FULL, "").status(), 400);
}

#[test]
fn startup_text_shows_how_to_create_and_pay_a_charge() {
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
    let phoenixd = format!("phoenixd  http://{}\n", address(url));
    let page = format!("page      http://{}/\n", address(url));
    let scan = format!("curl http://{}/sandbox/charges/ID/qr.txt\n", address(url));
    assert!([create, pay, page, phoenixd, scan].iter().all(|line| banner.contains(line)), "{banner}");
}

#[test]
fn same_seed_gives_the_same_key() {
    let key = |arguments: &[&str]| {
        let mut program = Program::start(&[&["--listen", "127.0.0.1:0", "--json"], arguments].concat());
        let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
        line["api_key"].as_str().expect("a key").to_owned()
    };
    assert_eq!(key(&["--seed", "7"]), key(&["--seed", "7"]));
    assert_ne!(key(&[]), key(&[]));
}

/// Creates a file that the program reads.
fn file(name: &str, text: &str) -> String {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, text).expect("a folder for tests");
    path
}

#[test]
fn fault_plan_is_read_from_a_file_and_idle_connections_are_closed() {
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
    assert_eq!(connection.send(&list()).body.matches("\"id\"").count(), 1);
    let show = "GET /sandbox/faults HTTP/1.1\r\nHost: x\r\n\r\n";
    let state: Value = serde_json::from_str(&connection.send(show).body).expect("JSON");
    assert_eq!((&state["faults"][0]["matched"], &state["faults"][0]["fired"]), (&1.into(), &1.into()));
    // The idle connection is closed well before the read timeout of 20 seconds.
    // A signal may interrupt a single read, and `read_to_end` repeats it.
    assert_eq!(connection.0.read_to_end(&mut Vec::new()).expect("an orderly end"), 0);
}

#[test]
fn missing_or_invalid_plan_exits_with_1_and_names_the_file() {
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
fn quirk_options_change_the_service() {
    let mut program = Program::start(&[
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--api-key",
        "sk_demo",
        "--long-ids",
        "--requests-per-minute",
        "1",
        "--extra-keys",
    ]);
    let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
    let mut connection = Connection::open(address(line["base_url"].as_str().expect("a URL")));
    assert_eq!(connection.send(&list()).status(), 200);
    let refused = connection.send(&list());
    assert_eq!(refused.status(), 429);
    assert!(refused.head.contains("\r\nRetry-After: 60\r\n"), "{}", refused.head);
    assert!(refused.body.contains("\"extra_null\" : null"), "{}", refused.body);
    let charge = connection.send(&post(42).replace("/api/v1/", "/sandbox/"));
    assert_eq!(id(&charge.body).len(), "ch_".len() + 44);
}

#[test]
fn invalid_arguments_exit_with_2_and_a_message() {
    for arguments in [&["--nonsense"][..], &["--listen", "0.0.0.0:0"], &["--network", "moon"], &["file"]] {
        let (code, message) = refusal(arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(message.starts_with("strike-sandbox: ") && message.contains("--help"), "{message}");
    }
}

#[test]
fn address_in_use_exits_with_1_and_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let (code, message) = refusal(&["--listen", &address.to_string()]);
    let (port, advice) = (address.port(), "pass --listen 127.0.0.1:0 for a free port");
    let expected = format!("strike-sandbox: --listen: port {port} is in use; {advice}\n");
    assert_eq!((code, message), (Some(1), expected));
    let arguments = ["--listen", "127.0.0.1:0", "--tls", "--plain-listen", &address.to_string()];
    let (code, message) = refusal(&arguments);
    let expected = format!(
        "strike-sandbox: --plain-listen: port {port} is in use; pass --plain-listen 127.0.0.1:0 for a free port\n"
    );
    assert_eq!((code, message), (Some(1), expected));
}

#[test]
fn address_of_another_machine_is_named_in_the_error() {
    let (code, message) = refusal(&["--listen", "192.0.2.1:0", "--allow-remote"]);
    let expected = "--listen: cannot listen on 192.0.2.1:0: this machine does not have this address";
    assert_eq!((code, message), (Some(1), format!("strike-sandbox: {expected}\n")));
}

/// Returns true if this machine has IPv6.
fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

#[test]
fn localhost_listens_on_ipv4_and_ipv6() {
    let mut program = Program::start(&["--listen", "localhost:0", "--json", "--api-key", "sk_demo"]);
    let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
    let first = address(line["base_url"].as_str().expect("a URL"));
    assert!(first.ip().is_loopback() && first.is_ipv4());
    let charge = Connection::open(first).send(&post(42));
    if has_ipv6() {
        let second = (std::net::Ipv6Addr::LOCALHOST, first.port()).into();
        assert_eq!(Connection::open(second).send(&list()).body, format!("[ {} ]", charge.body));
    }
    assert_eq!(program.signal("TERM"), (Some(0), String::new()));
}

#[test]
fn localhost_port_in_use_on_ipv4_or_ipv6_is_rejected() {
    let families = ["127.0.0.1:0", "[::1]:0"];
    for taken in families.into_iter().take(if has_ipv6() { 2 } else { 1 }) {
        let taken = std::net::TcpListener::bind(taken).expect("a free port");
        let port = taken.local_addr().expect("an address").port();
        let (code, message) = refusal(&["--listen", &format!("localhost:{port}")]);
        let expected = format!("--listen: port {port} is in use; pass --listen localhost:0 for a free port");
        assert!(code == Some(1) && message.contains(&expected), "{code:?} {message}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn hangup_signal_does_not_stop_the_program_under_nohup() {
    let mut ignoring = Command::new("sh");
    ignoring.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(command(&[]).get_program());
    let child = ignoring.args(["--listen", "127.0.0.1:0", "--json"]).stdout(Stdio::piped()).spawn();
    let mut program = Program::new(child.expect("it starts"));
    let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
    let address = address(line["base_url"].as_str().expect("a URL"));
    let id = program.child.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().expect("a shell's kill").success());
    assert_eq!(Connection::open(address).send(&list()).status(), 401);
    assert_eq!(program.signal("TERM"), (Some(0), String::new()));
}

/// Returns the write end of a pipe whose read end is closed.
fn unread() -> std::io::PipeWriter {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer
}

#[test]
fn closed_stdout_is_not_an_error() {
    for flag in ["--help", "-h", "--version", "-V"] {
        let request = command(&[flag]).stdout(unread()).output().expect("it runs");
        assert_eq!((request.status.code(), request.stderr.as_slice()), (Some(0), &b""[..]), "{flag}");
    }
    for how in [&["--json"][..], &[]] {
        let arguments = [&["--listen", "127.0.0.1:0", "--network", "bitcoin"], how].concat();
        let child = command(&arguments).stdout(unread()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("it starts");
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut warning = String::new();
        // The program prints this just before the line that goes to the closed pipe.
        errors.read_line(&mut warning).expect("a line");
        let kill = Command::new("kill").arg(child.id().to_string()).status();
        assert!(kill.expect("a shell's kill").success());
        let mut rest = String::new();
        errors.read_to_string(&mut rest).expect("UTF-8");
        assert_eq!((child.wait().expect("it ends").code(), rest.as_str()), (Some(0), ""), "{how:?}");
    }
}

#[test]
fn startup_text_warns_that_mainnet_invoices_cannot_be_paid() {
    for (network, is_warned) in [("bitcoin", true), ("mainnet", true), ("testnet", false), ("regtest", false)]
    {
        let child = command(&["--listen", "127.0.0.1:0", "--json", "--network", network])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.expect("it starts");
        let mut errors = child.stderr.take().expect("a pipe");
        let mut program = Program::new(child);
        assert!(program.line().starts_with('{'));
        assert_eq!(program.signal("TERM").0, Some(0));
        let mut request = String::new();
        errors.read_to_string(&mut request).expect("UTF-8");
        assert_eq!(
            request.contains("lnbc") && request.contains("nobody can pay them"),
            is_warned,
            "{network}: {request}"
        );
        assert_eq!(request.is_empty(), !is_warned, "{network}: {request}");
    }
}

#[test]
fn webhook_url_is_converted_to_ascii() {
    let shop = Receiver::bind();
    let url = format!("{}/\u{e4} b?q=\u{fc}#part", shop.url());
    let arguments = ["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo", "--webhook", &url];
    let mut program = Program::start(&arguments);
    let line: Value = serde_json::from_str(&program.line()).expect("one object of JSON");
    let mut connection = Connection::open(address(line["base_url"].as_str().expect("a URL")));
    let id = id(&connection.send(&post(42)).body);
    let pay = format!("POST /sandbox/charges/{id}/pay HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(connection.send(&pay).status(), 200);
    let request = shop.next();
    assert!(request.head.starts_with("POST /strike/%C3%A4%20b?q=%C3%BC HTTP/1.1\r\n"), "{}", request.head);
    request.respond("200 OK");
}

#[test]
fn invalid_plan_error_has_line_and_column() {
    for (plan, expected) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{\"faults\": [", "faults: EOF while parsing a list at line 1 column 12"),
        ("{\"faults\": [{\"fault\": ", "faults[0].fault: EOF while parsing a value at line 1 column 22"),
        ("{\"faults\": [{\"fault\": \"close\",}]}", "faults[0]: trailing comma at line 1 column 31"),
        ("{\"faults\": [{3: 4}]}", "key must be a string at line 1 column 14"),
        ("{3: 4}", "key must be a string at line 1 column 2"),
        ("{\"faults\": []} x", "trailing characters at line 1 column 16"),
        ("[]", "expected an object with the field `faults`"),
        (
            "{\"faults\": [{\"when\": {\"nth\": 1.5}, \"fault\": \"close\"}]}",
            "faults[0].when.nth: invalid value: 1.5, expected a whole number, 0 or more",
        ),
        ("\u{feff}{\"faults\": 1}", "faults: invalid type: integer `1`"),
    ] {
        let path = file("broken.json", plan);
        let (code, message) = refusal(&["--listen", "127.0.0.1:0", "--faults", &path]);
        assert!(code == Some(1) && message.contains(expected), "{plan}: {message}");
        assert!(message.starts_with(&format!("strike-sandbox: --faults: {path}: ")), "{message}");
        assert!(!message.contains('?'), "{plan}: {message}");
    }
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
    // The manual contains the same text.
    let manual = include_str!("../../../docs/sandbox.md");
    assert!(manual.contains(&*String::from_utf8_lossy(&help.stdout)), "docs/sandbox.md shows another --help");
    let version = run(&["--version"]);
    assert!(version.status.success());
    assert_eq!(version.stdout, concat!("strike-sandbox ", env!("CARGO_PKG_VERSION"), "\n").as_bytes());
}
