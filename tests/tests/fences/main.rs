//! Fences: what a crate may name and depend on, so that the architecture holds when nobody looks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod dependencies;
mod rust_code;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rust_code::{identifiers, only_code};

/// All that core may stand on: types of HTTP, JSON, base64 and hex, bech32, forms, dates, a small random generator, and
/// the derive macros with what they need. Each further crate wants a reason, and a line in the README's table.
const CORE_MAY_USE: [&str; 23] = [
    "bech32",
    "bytes",
    "data-encoding",
    "fastrand",
    "form_urlencoded",
    "hmac-sha256",
    "http",
    "itoa",
    "jiff",
    "jiff-core",
    "memchr",
    "percent-encoding",
    "proc-macro2",
    "quote",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "syn",
    "thiserror",
    "thiserror-impl",
    "unicode-ident",
    "zmij",
];

const LIBRARIES: [&str; 5] =
    ["strike-core", "strike-blocking", "strike-async", "strike-conformance", "strike-sandbox"];

/// The libraries with a feature `fixtures`.
const WITH_FIXTURES: [&str; 4] = ["strike-core", "strike-blocking", "strike-async", "strike-sandbox"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file below a folder of the workspace, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "nothing was found in {folder}");
    found.sort();
    found
}

/// The names of all crates that a crate is built from, itself left out: normal ones, and with them those that build them.
fn closure(package: &str, edges: &str) -> BTreeSet<String> {
    closure_with(package, edges, "")
}

/// The same, with features.
fn closure_with(package: &str, edges: &str, features: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--package", package, "--edges", edges, "--prefix", "none"])
        .args(["--features", features])
        .args(["--format", "{p}", "--color", "never"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let mut names: BTreeSet<String> = names.map(str::to_owned).collect();
    assert!(names.remove(package), "the tree of {package} should begin with itself: {tree}");
    names
}

fn assert_without(package: &str, closure: &BTreeSet<String>, unwanted: &[&str]) {
    let found: Vec<_> = unwanted.iter().filter(|name| closure.contains(**name)).collect();
    assert!(found.is_empty(), "{package} should not depend on {found:?}");
}

#[test]
fn core_names_no_std() {
    let sources = sources("strike-core/src");
    assert!(sources.len() >= 15, "core's sources were not found: {sources:?}");
    for (path, text) in &sources {
        let code = only_code(text);
        assert!(!identifiers(&code).any(|name| name == "std"), "{} names std", path.display());
    }
    let (_, front_door) = sources.iter().find(|(path, _)| path.ends_with("src/lib.rs")).unwrap();
    assert!(only_code(front_door).contains("#![no_std]"));
}

#[test]
fn core_stands_on_few_crates() {
    let closure = closure("strike-core", "normal,build");
    let allowed = CORE_MAY_USE.map(str::to_owned).into_iter().collect();
    let new: Vec<_> = closure.difference(&allowed).collect();
    assert!(new.is_empty(), "core has come to depend on {new:?}");
    let gone: Vec<_> = allowed.difference(&closure).collect();
    assert!(gone.is_empty(), "core no longer depends on {gone:?}: take them off the list");
    assert_without(
        "strike-core",
        &closure,
        &["cc", "tokio", "ureq", "reqwest", "hyper", "rustls", "ring", "libc", "getrandom", "log", "tracing"],
    );
}

#[test]
fn fixtures_bring_no_crate() {
    for package in WITH_FIXTURES {
        let with = closure_with(package, "normal,build", "fixtures");
        assert_eq!(with, closure(package, "normal,build"), "{package}");
    }
}

#[test]
fn the_conformance_check_depends_on_core_alone() {
    let mut core = closure("strike-core", "normal,build");
    core.insert("strike-core".to_owned());
    assert_eq!(closure("strike-conformance", "normal,build"), core);
}

#[test]
fn each_adapter_has_one_client_below_it_and_no_sandbox() {
    let blocking = closure("strike-blocking", "normal");
    assert_without(
        "strike-blocking",
        &blocking,
        &["tokio", "reqwest", "hyper", "strike-async", "strike-sandbox"],
    );
    assert!(blocking.contains("ureq") && blocking.contains("strike-core"));
    let asynchronous = closure("strike-async", "normal");
    assert_without("strike-async", &asynchronous, &["ureq", "strike-blocking", "strike-sandbox"]);
    assert!(asynchronous.contains("reqwest") && asynchronous.contains("strike-core"));
}

#[test]
fn the_sandbox_knows_core_and_no_client() {
    let sandbox = closure("strike-sandbox", "normal");
    assert_without(
        "strike-sandbox",
        &sandbox,
        &["strike-blocking", "strike-async", "strike-conformance", "ureq", "reqwest"],
    );
    assert!(sandbox.contains("strike-core"));
}

#[test]
fn the_default_sandbox_brings_no_sqlite_tls_or_command_line() {
    let sandbox = closure("strike-sandbox", "normal,build");
    assert_without(
        "strike-sandbox",
        &sandbox,
        &["rusqlite", "rustls", "rcgen", "qrcode", "lexopt", "tempfile"],
    );
}

/// What puts a thread or a task to rest.
const SLEEPS: [&str; 5] = ["sleep", "sleep_until", "park_timeout", "wait_timeout", "wait_timeout_while"];

#[test]
fn only_the_timers_read_clocks_and_sleep() {
    for adapter in ["strike-blocking", "strike-async"] {
        for (path, text) in sources(&format!("{adapter}/src")) {
            let code = only_code(&text);
            let tight: String = code.split_whitespace().collect();
            let reads = tight.contains("Instant::now") || tight.contains("SystemTime::now");
            let sleeps = identifiers(&code).any(|name| SLEEPS.contains(&name));
            let is_timer = path.ends_with("src/timer.rs");
            assert_eq!(reads, is_timer, "{}: does it read a clock?", path.display());
            assert_eq!(sleeps, is_timer, "{}: does it sleep?", path.display());
        }
    }
}

/// A page may leave lines out between its blocks, but not change any.
fn assert_page_shows(page: &str, example: &str) {
    let tight = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = fs::read_to_string(root().join(page)).unwrap();
    let example = tight(&fs::read_to_string(root().join(example)).unwrap());
    let blocks: Vec<_> =
        page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 5, "the page has lost its code");
    for block in blocks {
        assert!(example.contains(&tight(block)), "the example has no longer this code: {block}");
    }
}

#[test]
fn pages_show_the_code_of_their_examples() {
    assert_page_shows("docs/testing-your-shop.md", "examples/unit_test_your_shop.rs");
    assert_page_shows("docs/custom-transports.md", "examples/custom_transport.rs");
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let folders = LIBRARIES.map(|library| format!("{library}/src"));
    for folder in folders.iter().map(String::as_str).chain([
        "examples",
        "fuzz",
        "strike-sandbox-cli/src",
        "tests/api",
        "tests/browser",
        "tests/src",
        "tests/tests",
    ]) {
        for (path, text) in sources(folder) {
            // A front door may take its words from a README.
            let front_door = path.ends_with("src/lib.rs") && text.starts_with("#![");
            assert!(text.starts_with("//! ") || front_door, "{} should begin with //!", path.display());
        }
    }
}
