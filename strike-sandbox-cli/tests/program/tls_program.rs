//! The binary with `--tls`: output, certificate files and the two ports.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{Program, refusal};
use crate::wire::{Connection, address, list};

const BOTH_PORTS: [&str; 6] = ["--listen", "127.0.0.1:0", "--tls", "--plain-listen", "127.0.0.1:0", "--json"];

fn first_line(program: &mut Program) -> Value {
    serde_json::from_str(&program.line()).expect("one JSON object")
}

fn is_certificate(path: &Path) -> bool {
    fs::read_to_string(path).expect("a file").starts_with("-----BEGIN CERTIFICATE-----")
}

#[test]
fn first_line_has_both_ports_and_a_temporary_ca_file() {
    for signal in ["TERM", "INT", "HUP"] {
        let mut program = Program::start(&[&BOTH_PORTS[..], &["--api-key", "sk_demo"]].concat());
        let line = first_line(&mut program);
        assert!(line["base_url"].as_str().is_some_and(|url| url.starts_with("https://127.0.0.1:")), "{line}");
        let plain = line["plain_base_url"].as_str().expect("a plain HTTP base URL");
        assert!(plain.starts_with("http://"), "{plain}");
        assert_eq!(Connection::open(address(plain)).send(&list()).body, "[ ]");
        let path = Path::new(line["ca_cert"].as_str().expect("a path"));
        assert!(path.is_absolute() && is_certificate(path));
        assert_eq!(program.signal(signal), (Some(0), String::new()));
        assert!(!path.exists(), "{signal}");
    }
}

#[test]
fn tls_ca_out_file_is_kept_after_exit() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.pem");
    let given = path.to_str().expect("UTF-8");
    fs::write(&path, "an earlier certificate").expect("a file");
    let mut program = Program::start(&[&BOTH_PORTS[..], &["--tls-ca-out", given]].concat());
    assert_eq!(first_line(&mut program)["ca_cert"], given);
    assert!(is_certificate(&path));
    program.signal("TERM");
    assert!(is_certificate(&path));

    let missing = folder.path().join("no/such/folder.pem");
    let (code, message) =
        refusal(&[&BOTH_PORTS[..], &["--tls-ca-out", missing.to_str().expect("UTF-8")]].concat());
    assert!(code == Some(1) && message.contains("no/such/folder.pem"), "{code:?} {message}");
}

#[test]
fn banner_shows_curl_commands_with_the_ca_file() {
    let mut program = Program::start(&["--listen", "127.0.0.1:0", "--tls"]);
    let mut banner = String::new();
    while !banner.contains("Ctrl-C") {
        banner.push_str(&program.line());
    }
    let path =
        banner.split_once("CA file ").and_then(|(_, rest)| rest.lines().next()).expect("a path").trim();
    assert_eq!(banner.matches(&format!("curl --cacert '{path}' ")).count(), 3, "{banner}");
    assert!(is_certificate(Path::new(path)));
    program.signal("TERM");
}

/// At 512 connections over both ports, a new one closes the connection that was idle longest.
#[test]
fn both_ports_share_one_connection_limit() {
    let mut program = Program::start(&[&BOTH_PORTS[..], &["--api-key", "sk_demo"]].concat());
    let line = first_line(&mut program);
    let [https, plain] =
        ["base_url", "plain_base_url"].map(|name| address(line[name].as_str().expect("a valid URL")));
    let mut open: Vec<_> = (0..512).map(|_| Connection::open(plain)).collect();
    // A response shows that the server has registered the connection.
    for connection in &mut open {
        assert_eq!(connection.send(&list()).status(), 200);
    }
    let mut one_more = Connection::open(https);
    assert_eq!(one_more.send(&list()).status(), 400, "plain HTTP on the HTTPS port is rejected");
    assert!(open.remove(0).is_closed());
    assert_eq!(open.remove(0).send(&list()).status(), 200);
    program.signal("TERM");
}

#[test]
fn webhook_ca_file_is_rejected_unless_every_certificate_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let pem = strike_sandbox::Sandbox::builder().tls().start().expect("a free port");
    let pem = pem.ca_certificate().expect("a certificate");
    let path = folder.path().join("ca.pem");
    let given = path.to_str().expect("UTF-8");
    let arguments =
        ["--listen", "127.0.0.1:0", "--json", "--webhook", "https://127.0.0.1/", "--webhook-ca", given];
    for (text, part) in [
        (format!("\u{feff}{pem}{pem}"), "2 certificates begin and 1 can be read"),
        (format!("{pem}  {pem}"), "2 certificates begin and 1 can be read"),
        (format!("{}{pem}", pem.trim_end()), "2 certificates begin and 1 can be read"),
        (pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE"), "1 certificates begin and 0 can be read"),
        (pem.replace("CERTIFICATE", "PRIVATE KEY"), "but is a private key"),
        (String::new(), "but is empty"),
    ] {
        fs::write(&path, text).expect("a file");
        let (code, message) = refusal(&arguments);
        assert!(code == Some(1) && message.contains(part), "{code:?} {message}");
        assert!(message.starts_with(&format!("strike-sandbox: --webhook-ca: {given}: ")), "{message}");
    }
    fs::write(&path, format!("{pem}{pem}").replace('\n', "\r\n")).expect("a file");
    let mut program = Program::start(&arguments);
    assert!(program.line().starts_with('{'));
    assert_eq!(program.signal("TERM").0, Some(0));
}

#[test]
fn both_localhost_ports_listen_on_ipv4_and_ipv6() {
    let listen = ["--listen", "localhost:0", "--tls", "--plain-listen", "localhost:0", "--json"];
    let mut program = Program::start(&[&listen[..], &["--api-key", "sk_demo"]].concat());
    let line = first_line(&mut program);
    for (name, status) in [("base_url", 400), ("plain_base_url", 200)] {
        let first = address(line[name].as_str().expect("a valid URL"));
        assert_eq!(Connection::open(first).send(&list()).status(), status, "{name}");
        if std::net::TcpListener::bind("[::1]:0").is_ok() {
            let second = (std::net::Ipv6Addr::LOCALHOST, first.port()).into();
            assert_eq!(Connection::open(second).send(&list()).status(), status, "{name}");
        }
    }
    program.signal("TERM");
}
