//! The `strike-sandbox` binary: flags, output, exit codes and signals.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

use crate::receiver::Receiver;
use crate::wire::{Connection, address, id, list, post};

/// A running sandbox process. It is killed when it is dropped.
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
    command(arguments).output().expect("the program runs")
}

/// Runs the program, which must fail to start. Returns its exit code and error message.
pub(crate) fn refusal(arguments: &[&str]) -> (Option<i32>, String) {
    let mut child =
        command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut errors = child.stderr.take().expect("a pipe");
    let mut program = Program::new(child);
    assert_eq!(program.line(), "", "{arguments:?}");
    let mut message = String::new();
    errors.read_to_string(&mut message).expect("UTF-8");
    (program.child.wait().expect("the program exits").code(), message)
}

impl Program {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::new(command(arguments).stdout(Stdio::piped()).spawn().expect("the program starts"))
    }

    pub(crate) fn new(mut child: Child) -> Self {
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, out }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line of output");
        line
    }

    /// Returns the address in the first line of the output.
    #[cfg(feature = "sqlite")]
    pub(crate) fn address(&mut self) -> std::net::SocketAddr {
        let line: Value = serde_json::from_str(&self.line()).expect("one JSON object");
        address(line["base_url"].as_str().expect("a valid URL"))
    }

    /// Kills the process, as a crash would.
    #[cfg(feature = "sqlite")]
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the program runs");
        self.child.wait().expect("the program exits");
    }

    /// Sends a signal. Returns the exit code and the rest of the output.
    pub(crate) fn signal(mut self, name: &str) -> (Option<i32>, String) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(kill.expect("the kill command runs").success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("the rest of the output");
        (self.child.wait().expect("the program exits").code(), rest)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn first_line_has_the_base_url_and_signals_stop_the_program() {
    for signal in ["TERM", "INT", "HUP"] {
        let mut program = Program::start(&["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo"]);
        let line: Value = serde_json::from_str(&program.line()).expect("one JSON object");
        assert_eq!(line["api_key"], "sk_demo");
        let address = address(line["base_url"].as_str().expect("a valid URL"));

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
fn payments_are_posted_to_the_webhook_url() {
    let shop = Receiver::bind();
    let arguments = ["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo", "--webhook-repeat", "2"];
    let mut program = Program::start(&[&arguments[..], &["--webhook", &shop.url()]].concat());
    let line: Value = serde_json::from_str(&program.line()).expect("one JSON object");
    let mut connection = Connection::open(address(line["base_url"].as_str().expect("a valid URL")));
    let id = id(&connection.send(&post(42)).body);
    let pay = format!("POST /sandbox/charges/{id}/pay HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(connection.send(&pay).status(), 200);
    for _ in 0..2 {
        let received = shop.next();
        assert!(received.body.contains(&id), "{}", received.body);
        received.respond("200 OK");
    }
    assert_eq!(program.signal("TERM"), (Some(0), String::new()));
}

#[test]
fn banner_shows_commands_to_create_and_pay_a_charge() {
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
fn api_key_is_reproducible_only_with_a_seed() {
    let key = |arguments: &[&str]| {
        let mut program = Program::start(&[&["--listen", "127.0.0.1:0", "--json"], arguments].concat());
        let line: Value = serde_json::from_str(&program.line()).expect("one JSON object");
        line["api_key"].as_str().expect("a key").to_owned()
    };
    assert_eq!(key(&["--seed", "7"]), key(&["--seed", "7"]));
    assert_ne!(key(&[]), key(&[]));
}

/// Creates a file in the test folder and returns its path.
fn file(name: &str, text: &str) -> String {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, text).expect("the test folder is writable");
    path
}

#[test]
fn first_documented_fault_plan_works_and_idle_close_applies() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sandbox-faults.md");
    let page = std::fs::read_to_string(page).expect("docs/sandbox-faults.md can be read");
    let plan = page
        .split("<<'PLAN'\n")
        .nth(1)
        .and_then(|rest| rest.split("PLAN\n").next())
        .expect("a fault plan in the page");
    let plan = file("first-create.json", plan);
    let arguments = ["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo", "--idle-close", "1"];
    let mut program = Program::start(&[&arguments[..], &["--faults", &plan]].concat());
    let line: Value = serde_json::from_str(&program.line()).expect("one JSON object");
    let address = address(line["base_url"].as_str().expect("a valid URL"));

    let mut connection = Connection::open(address);
    connection.write(post(42).as_bytes());
    assert!(connection.is_closed());
    let mut connection = Connection::open(address);
    assert_eq!(connection.send(&list()).body.matches("\"id\"").count(), 1);
    let show = "GET /sandbox/faults HTTP/1.1\r\nHost: x\r\n\r\n";
    let rules: Value = serde_json::from_str(&connection.send(show).body).expect("JSON");
    assert_eq!((&rules["faults"][0]["matched"], &rules["faults"][0]["fired"]), (&1.into(), &1.into()));
    // `--idle-close` closes the connection before the read timeout of 20 seconds.
    assert_eq!(connection.0.read(&mut [0]).expect("an orderly close"), 0);
}

#[test]
fn missing_or_invalid_fault_plan_exits_with_1() {
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
fn quirk_flags_are_applied() {
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
    let line: Value = serde_json::from_str(&program.line()).expect("one JSON object");
    let mut connection = Connection::open(address(line["base_url"].as_str().expect("a valid URL")));
    assert_eq!(connection.send(&list()).status(), 200);
    let refused = connection.send(&list());
    assert_eq!(refused.status(), 429);
    assert!(refused.head.contains("\r\nRetry-After: 60\r\n"), "{}", refused.head);
    assert!(refused.body.contains("\"extra_null\" : null"), "{}", refused.body);
    let charge = connection.send(&post(42).replace("/api/v1/", "/sandbox/"));
    assert_eq!(id(&charge.body).len(), "ch_".len() + 44);
}

#[test]
fn invalid_arguments_exit_with_2_and_point_to_help() {
    for arguments in [&["--nonsense"][..], &["--listen", "0.0.0.0:0"], &["--network", "moon"], &["file"]] {
        let (code, message) = refusal(arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(message.starts_with("strike-sandbox: ") && message.contains("--help"), "{message}");
    }
}

#[test]
fn address_in_use_exits_with_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("a local address").to_string();
    let (code, message) = refusal(&["--listen", &address]);
    assert!(code == Some(1) && message.contains(&address), "{code:?} {message}");
    assert!(message.contains("pass port 0 for a free one") && !message.contains("os error"), "{message}");
}

/// Returns true if this machine supports IPv6.
fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

#[test]
fn localhost_listens_on_ipv4_and_ipv6() {
    let mut program = Program::start(&["--listen", "localhost:0", "--json", "--api-key", "sk_demo"]);
    let line: Value = serde_json::from_str(&program.line()).expect("one JSON object");
    let first = address(line["base_url"].as_str().expect("a valid URL"));
    assert!(first.ip().is_loopback() && first.is_ipv4());
    let charge = Connection::open(first).send(&post(42));
    if has_ipv6() {
        let second = (std::net::Ipv6Addr::LOCALHOST, first.port()).into();
        assert_eq!(Connection::open(second).send(&list()).body, format!("[ {} ]", charge.body));
    }
    assert_eq!(program.signal("TERM"), (Some(0), String::new()));
}

#[test]
fn localhost_port_in_use_in_one_family_is_an_error() {
    let families = ["127.0.0.1:0", "[::1]:0"];
    for taken in families.into_iter().take(if has_ipv6() { 2 } else { 1 }) {
        let taken = std::net::TcpListener::bind(taken).expect("a free port");
        let address = format!("localhost:{}", taken.local_addr().expect("a local address").port());
        let (code, message) = refusal(&["--listen", &address]);
        assert!(code == Some(1) && message.contains(&address), "{code:?} {message}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn sighup_is_ignored_under_nohup() {
    let mut ignoring = Command::new("sh");
    ignoring.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(command(&[]).get_program());
    let child = ignoring.args(["--listen", "127.0.0.1:0", "--json"]).stdout(Stdio::piped()).spawn();
    let mut program = Program::new(child.expect("the program starts"));
    let line: Value = serde_json::from_str(&program.line()).expect("one JSON object");
    let address = address(line["base_url"].as_str().expect("a valid URL"));
    let id = program.child.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().expect("the kill command runs").success());
    assert_eq!(Connection::open(address).send(&list()).status(), 401);
    assert_eq!(program.signal("TERM"), (Some(0), String::new()));
}

/// Returns the writing end of a pipe whose reading end is closed.
fn closed_pipe() -> std::io::PipeWriter {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer
}

#[test]
fn closed_stdout_is_not_an_error() {
    for flag in ["--help", "-h", "--version", "-V"] {
        let output = command(&[flag]).stdout(closed_pipe()).output().expect("the program runs");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{flag}");
    }
    for how in [&["--json"][..], &[]] {
        let arguments = [&["--listen", "127.0.0.1:0", "--network", "bitcoin"], how].concat();
        let child = command(&arguments).stdout(closed_pipe()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut warning = String::new();
        // The program prints the warning just before its first line.
        errors.read_line(&mut warning).expect("a line of output");
        let kill = Command::new("kill").arg(child.id().to_string()).status();
        assert!(kill.expect("the kill command runs").success());
        let mut rest = String::new();
        errors.read_to_string(&mut rest).expect("UTF-8");
        assert_eq!(
            (child.wait().expect("the program exits").code(), rest.as_str()),
            (Some(0), ""),
            "{how:?}"
        );
    }
}

#[test]
fn mainnet_sandbox_warns_that_invoices_are_worthless() {
    for (network, is_warned) in [("bitcoin", true), ("mainnet", true), ("testnet", false), ("regtest", false)]
    {
        let child = command(&["--listen", "127.0.0.1:0", "--json", "--network", network])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.expect("the program starts");
        let mut errors = child.stderr.take().expect("a pipe");
        let mut program = Program::new(child);
        assert!(program.line().starts_with('{'));
        assert_eq!(program.signal("TERM").0, Some(0));
        let mut warnings = String::new();
        errors.read_to_string(&mut warnings).expect("UTF-8");
        assert_eq!(
            warnings.contains("lnbc") && warnings.contains("worthless"),
            is_warned,
            "{network}: {warnings}"
        );
        assert_eq!(warnings.is_empty(), !is_warned, "{network}: {warnings}");
    }
}

#[test]
fn webhook_url_is_percent_encoded() {
    let shop = Receiver::bind();
    let url = format!("{}/\u{e4} b?q=\u{fc}#part", shop.url());
    let arguments = ["--listen", "127.0.0.1:0", "--json", "--api-key", "sk_demo", "--webhook", &url];
    let mut program = Program::start(&arguments);
    let line: Value = serde_json::from_str(&program.line()).expect("one JSON object");
    let mut connection = Connection::open(address(line["base_url"].as_str().expect("a valid URL")));
    let id = id(&connection.send(&post(42)).body);
    let pay = format!("POST /sandbox/charges/{id}/pay HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(connection.send(&pay).status(), 200);
    let received = shop.next();
    assert!(received.head.starts_with("POST /strike/%C3%A4%20b?q=%C3%BC HTTP/1.1\r\n"), "{}", received.head);
    received.respond("200 OK");
}

#[test]
fn fault_plan_error_names_the_field_line_and_column() {
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
    // The manual contains the full help text.
    let manual = include_str!("../../../docs/sandbox.md");
    assert!(
        manual.contains(&*String::from_utf8_lossy(&help.stdout)),
        "docs/sandbox.md does not contain the current --help text"
    );
    let version = run(&["--version"]);
    assert!(version.status.success());
    assert_eq!(version.stdout, concat!("strike-sandbox ", env!("CARGO_PKG_VERSION"), "\n").as_bytes());
}
