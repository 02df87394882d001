//! Tests of the quickstarts: they run as programs, on their own sandbox and on one of the test.
#![allow(clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use strike_async::QrCode;
use strike_sandbox::{RunningSandbox, Sandbox};

const QUICKSTARTS: [&str; 2] = ["quickstart", "quickstart_blocking"];

/// Returns a quickstart as a program without variables. `cargo test -p strike-examples` builds it.
fn quickstart(name: &str) -> Command {
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.ancestors().nth(2).map(|target| target.join("examples")).expect("a target folder");
    let program: PathBuf = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{name} is not built; run `cargo build -p strike-examples --examples`");
    let mut command = Command::new(program);
    command.env_clear();
    command
}

/// Returns a quickstart that uses the test's sandbox as a phoenixd.
fn on_phoenixd(name: &str, sandbox: &RunningSandbox, password: &str, network: &str) -> Command {
    let mut command = quickstart(name);
    command.env("STRIKE_BACKEND", "phoenixd").env("STRIKE_BASE_URL", sandbox.phoenixd_url());
    command.env("STRIKE_API_KEY", password).env("STRIKE_NETWORK", network);
    command
}

/// Runs a quickstart that must fail before it prints a payment request. Returns its error.
fn error_before_a_create(mut command: Command) -> String {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let stdout = child.stdout.take().expect("a pipe");
    if let Some(Ok(request)) = BufReader::new(stdout).lines().nth(1) {
        // It would now wait for an hour.
        child.kill().expect("it runs");
        panic!("it printed {request}");
    }
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    stderr(&output)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn quickstarts_sell_on_the_sandbox_in_both_dialects() {
    for name in QUICKSTARTS {
        for (backend, path) in [("", "/api/v1/"), ("strike", "/api/v1/"), ("phoenixd", "/")] {
            let output = quickstart(name).env("STRIKE_BACKEND", backend).output().expect("it runs");
            assert!(output.status.success(), "{name} {backend}: {}", stderr(&output));
            let stdout = stdout(&output);
            let (start, rest) = stdout.split_once('\u{1b}').expect("a QR code");
            let (host, request) = start.trim_end().split_once("\npayment request: ").expect("two lines");
            let code = QrCode::unchecked(request).expect("it fits").to_terminal();
            let rest = format!("\u{1b}{rest}");
            let after = rest.strip_prefix(&code).expect("the QR code of the payment request");
            let lines: Vec<_> = after.lines().collect();
            let [unpaid, preimage, paid] = lines.as_slice() else { panic!("{lines:?}") };
            assert!(host.starts_with("using a sandbox at http://127.0.0.1:"), "{host}");
            let has_path = host.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
            assert_eq!(has_path, Some(path), "{host}");
            assert!(request.starts_with("lntb"), "{request}");
            assert_eq!((*unpaid, *paid), ("paid: false", "paid: true"));
            assert!(preimage.starts_with("preimage: "), "{preimage}");
        }
    }
}

#[test]
fn quickstarts_on_lnbits_name_the_variables_that_are_missing() {
    for name in QUICKSTARTS {
        let output = quickstart(name).env("STRIKE_BACKEND", "lnbits").output().expect("it runs");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            stderr(&output).trim_end(),
            "not set: STRIKE_BASE_URL, STRIKE_API_KEY, STRIKE_NETWORK; for example: STRIKE_BACKEND=lnbits \
             STRIKE_BASE_URL=https://wallet.example.com STRIKE_API_KEY=<invoice key of the wallet> \
             STRIKE_NETWORK=bitcoin"
        );
    }
}

#[test]
fn quickstarts_reject_a_bad_setup_before_they_create() {
    let sandbox = Sandbox::builder().start().expect("it starts");
    for name in QUICKSTARTS {
        let full = sandbox.phoenixd_full_password();
        let error = error_before_a_create(on_phoenixd(name, &sandbox, &full, "testnet"));
        assert!(error.contains("use a credential that can only receive"), "{error}");
        assert!(!error.contains(&full), "{error}");
        let error =
            error_before_a_create(on_phoenixd(name, &sandbox, &sandbox.phoenixd_password(), "bitcoin"));
        assert!(error.contains("network should be mainnet, but is testnet"), "{error}");
    }
    assert_eq!(sandbox.charges(), 0);
}

#[test]
fn quickstarts_wait_for_a_payment_at_the_server_of_the_variables() {
    for name in QUICKSTARTS {
        let sandbox = Sandbox::builder().start().expect("it starts");
        let password = sandbox.phoenixd_password();
        let mut command = on_phoenixd(name, &sandbox, &password, "testnet");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == "waiting until you pay or the invoice expires"));
        let newest = sandbox.list_all().first().map(|charge| charge.id().clone()).expect("a charge");
        sandbox.pay(&newest).expect("it is unpaid");
        assert_eq!(lines.collect::<Vec<_>>(), ["paid: true"]);
        assert!(child.wait().expect("it ends").success());
    }
}
