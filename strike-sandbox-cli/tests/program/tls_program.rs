//! The binary with TLS: what it tells, what it writes, and what it takes away again.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{Program, refusal};
use crate::wire::{Connection, address, list};

const BOTH: [&str; 6] = ["--listen", "127.0.0.1:0", "--tls", "--plain-listen", "127.0.0.1:0", "--json"];

fn told(program: &mut Program) -> Value {
    serde_json::from_str(&program.line()).expect("one object of JSON")
}

fn is_certificate(path: &Path) -> bool {
    fs::read_to_string(path).expect("a file").starts_with("-----BEGIN CERTIFICATE-----")
}

#[test]
fn the_first_line_names_both_ports_and_a_certificate_that_goes_with_the_program() {
    for signal in ["TERM", "INT", "HUP"] {
        let mut program = Program::start(&[&BOTH[..], &["--api-key", "sk_demo"]].concat());
        let line = told(&mut program);
        assert!(line["base_url"].as_str().is_some_and(|url| url.starts_with("https://127.0.0.1:")), "{line}");
        let plain = line["plain_base_url"].as_str().expect("a second port");
        assert!(plain.starts_with("http://"), "{plain}");
        assert_eq!(Connection::open(address(plain)).ask(&list()).body, "[ ]");
        let path = Path::new(line["ca_cert"].as_str().expect("a path"));
        assert!(path.is_absolute() && is_certificate(path));
        assert_eq!(program.signal(signal), (Some(0), String::new()));
        assert!(!path.exists(), "{signal}");
    }
}

#[test]
fn the_certificate_stays_where_it_was_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.pem");
    let given = path.to_str().expect("UTF-8");
    fs::write(&path, "of an earlier run").expect("a file");
    let mut program = Program::start(&[&BOTH[..], &["--tls-ca-out", given]].concat());
    assert_eq!(told(&mut program)["ca_cert"], given);
    assert!(is_certificate(&path));
    program.signal("TERM");
    assert!(is_certificate(&path));

    let nowhere = folder.path().join("no/such/folder.pem");
    let (code, message) = refusal(&[&BOTH[..], &["--tls-ca-out", nowhere.to_str().expect("UTF-8")]].concat());
    assert!(code == Some(1) && message.contains("no/such/folder.pem"), "{code:?} {message}");
}

#[test]
fn a_person_is_told_what_curl_must_trust() {
    let mut program = Program::start(&["--listen", "127.0.0.1:0", "--tls"]);
    let mut banner = String::new();
    while !banner.contains("Ctrl-C") {
        banner.push_str(&program.line());
    }
    let path = banner.split_once("trust ").and_then(|(_, rest)| rest.lines().next()).expect("a path").trim();
    assert_eq!(banner.matches(&format!("curl --cacert '{path}' ")).count(), 3, "{banner}");
    assert!(is_certificate(Path::new(path)));
    program.signal("TERM");
}

/// Both ports together have room for so many connections, and the one that was idle for longest makes room.
#[test]
fn a_connection_on_one_port_takes_the_place_of_one_on_the_other() {
    let mut program = Program::start(&[&BOTH[..], &["--api-key", "sk_demo"]].concat());
    let line = told(&mut program);
    let [secret, plain] =
        ["base_url", "plain_base_url"].map(|name| address(line[name].as_str().expect("a URL")));
    let mut open: Vec<_> = (0..512).map(|_| Connection::open(plain)).collect();
    // Each has its place for certain, since it was answered.
    for connection in &mut open {
        assert_eq!(connection.ask(&list()).status(), 200);
    }
    let mut one_more = Connection::open(secret);
    assert_eq!(one_more.ask(&list()).status(), 400, "plain HTTP on the port for HTTPS, and yet it is heard");
    assert!(open.remove(0).is_closed());
    assert_eq!(open.remove(0).ask(&list()).status(), 200);
    program.signal("TERM");
}

#[test]
fn a_webhook_s_certificates_are_all_read_or_the_file_is_refused() {
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
fn both_ports_of_localhost_are_both_families() {
    let listen = ["--listen", "localhost:0", "--tls", "--plain-listen", "localhost:0", "--json"];
    let mut program = Program::start(&[&listen[..], &["--api-key", "sk_demo"]].concat());
    let line = told(&mut program);
    for (name, status) in [("base_url", 400), ("plain_base_url", 200)] {
        let first = address(line[name].as_str().expect("a URL"));
        assert_eq!(Connection::open(first).ask(&list()).status(), status, "{name}");
        if std::net::TcpListener::bind("[::1]:0").is_ok() {
            let second = (std::net::Ipv6Addr::LOCALHOST, first.port()).into();
            assert_eq!(Connection::open(second).ask(&list()).status(), status, "{name}");
        }
    }
    program.signal("TERM");
}
