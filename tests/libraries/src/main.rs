//! Runs the conformance check over well-known HTTP libraries, and prints which rules each one breaks.
//!
//! Each transport sets the options that the library offers for these rules, and nothing more. `--details` also prints
//! what the check observed.

mod transports;

use std::error::Error;
use std::thread;

use strike_core::{Exchange, Reply};

type Transport = Box<dyn Fn(Exchange) -> Reply + Send + Sync>;

fn main() -> Result<(), Box<dyn Error>> {
    let details = std::env::args().any(|argument| argument == "--details");
    let libraries: [(&str, Transport); 5] = [
        ("attohttpc", Box::new(transports::attohttpc)),
        ("curl", Box::new(transports::curl())),
        ("minreq", Box::new(transports::minreq)),
        ("reqwest", Box::new(transports::reqwest()?)),
        ("ureq", Box::new(transports::ureq())),
    ];
    let checks =
        libraries.map(|(name, transport)| (name, thread::spawn(|| strike_conformance::check(transport))));
    println!("| library | version | rules it breaks |\n| --- | --- | --- |");
    let mut reports = String::new();
    for (name, check) in checks {
        let report = check.join().map_err(|_| "the check panicked")??;
        let broken: Vec<_> = report.broken_rules().iter().map(|rule| format!("`{rule:?}`")).collect();
        let broken = if broken.is_empty() { "none".to_owned() } else { broken.join(", ") };
        let mut version = version(name)?.to_owned();
        if name == "curl" {
            version.push_str(&format!(" (libcurl {})", transports::libcurl_version()));
        }
        println!("| `{name}` | {version} | {broken} |");
        if let Err(violations) = report.into_result() {
            reports.push_str(&format!("\n{name}: {violations}"));
        }
    }
    if details {
        println!("{reports}");
    }
    Ok(())
}

/// The version of a library that this program was built with.
fn version(library: &str) -> Result<&'static str, String> {
    let lock = include_str!("../Cargo.lock");
    let package = lock.split_once(&format!("name = \"{library}\"\nversion = \""));
    let version = package.and_then(|(_, rest)| rest.split('"').next());
    version.ok_or_else(|| format!("{library} is not in Cargo.lock"))
}
