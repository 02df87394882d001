//! Architecture tests: which dependencies, names and clocks each crate may use, and the layout of
//! files and pages.
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

/// All crates that core may depend on: HTTP types, JSON, base64 and hex, forms, hashes, dates, a small random
/// generator, and derive macros with their dependencies. Each new crate needs a reason, and a line in the table in
/// docs/dependencies.md.
const CORE_MAY_USE: [&str; 20] = [
    "bytes",
    "data-encoding",
    "fastrand",
    "form_urlencoded",
    "hmac-sha256",
    "http",
    "httpdate",
    "humantime",
    "itoa",
    "memchr",
    "percent-encoding",
    "proc-macro2",
    "quote",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "syn",
    "unicode-ident",
    "zmij",
];

const LIBRARIES: [&str; 6] = [
    "strike-core",
    "strike-blocking",
    "strike-async",
    "strike-orders",
    "strike-conformance",
    "strike-sandbox",
];

/// The libraries with a feature `fixtures`.
const WITH_FIXTURES: [&str; 4] = ["strike-core", "strike-blocking", "strike-async", "strike-sandbox"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns every Rust file in a folder of the workspace, with its text.
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
    assert!(!found.is_empty(), "no Rust files in {folder}");
    found.sort();
    found
}

/// Returns the names of all crates that a package depends on, directly and indirectly.
fn closure(package: &str, edges: &str) -> BTreeSet<String> {
    closure_with(package, edges, "")
}

/// Like [`closure`], with features of the package.
fn closure_with(package: &str, edges: &str, features: &str) -> BTreeSet<String> {
    closure_of(package, edges, &["--features", features])
}

fn closure_of(package: &str, edges: &str, features: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--package", package, "--edges", edges, "--prefix", "none"])
        .args(features)
        .args(["--format", "{p}", "--color", "never"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let mut names: BTreeSet<String> = names.map(str::to_owned).collect();
    assert!(names.remove(package), "the tree of {package} should include the package itself: {tree}");
    names
}

fn assert_without(package: &str, closure: &BTreeSet<String>, unwanted: &[&str]) {
    let found: Vec<_> = unwanted.iter().filter(|name| closure.contains(**name)).collect();
    assert!(found.is_empty(), "{package} should not depend on {found:?}");
}

/// Names in the standard library that open a file or a socket, start a thread, or read a clock or the environment.
const INPUT_AND_OUTPUT: [&str; 12] = [
    "fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "Instant",
    "sleep",
    "spawn",
    "Command",
    "env",
    "stdin",
    "stdout",
    "stderr",
];

#[test]
fn core_has_no_input_or_output() {
    let sources = sources("strike-core/src");
    assert!(sources.len() >= 40, "too few source files in core: {sources:?}");
    for (path, text) in &sources {
        let code = only_code(text);
        let tight: String = code.split_whitespace().collect();
        assert!(!tight.contains("SystemTime::now"), "{} reads a clock", path.display());
        // `env!` is read when the crate is compiled.
        let code = code.replace("env!(", "");
        let found = identifiers(&code).find(|name| INPUT_AND_OUTPUT.contains(name));
        assert_eq!(found, None, "{} has input or output", path.display());
    }
}

#[test]
fn only_the_dialects_and_the_endpoint_name_a_backend() {
    let mut files_with_names = BTreeSet::new();
    for (path, text) in sources("strike-core/src") {
        let code = only_code(&text);
        let names_a_backend = identifiers(&code).any(|name| {
            let name = name.to_lowercase();
            name.contains("phoenixd") || name.contains("lnbits")
        });
        if names_a_backend {
            files_with_names.insert(path.strip_prefix(root().join("strike-core/src")).unwrap().to_owned());
        }
    }
    let files = files_with_names.iter().map(|path| path.to_str().unwrap()).collect::<Vec<_>>();
    let dialects = ["lnbits.rs", "mod.rs", "phoenixd.rs"].map(|file| format!("protocol/dialects/{file}"));
    assert_eq!(files, [dialects.as_slice(), &["protocol/endpoint.rs".to_owned()]].concat());
}

#[test]
fn core_depends_only_on_allowed_crates() {
    let closure = closure("strike-core", "normal,build");
    let allowed = CORE_MAY_USE.map(str::to_owned).into_iter().collect();
    let new: Vec<_> = closure.difference(&allowed).collect();
    assert!(new.is_empty(), "core depends on new crates: {new:?}");
    let gone: Vec<_> = allowed.difference(&closure).collect();
    assert!(gone.is_empty(), "core no longer depends on {gone:?}: remove them from the list");
    assert_without(
        "strike-core",
        &closure,
        &["cc", "tokio", "ureq", "reqwest", "hyper", "rustls", "ring", "libc", "getrandom", "log", "tracing"],
    );
}

#[test]
fn fixtures_feature_adds_no_dependency() {
    for package in WITH_FIXTURES {
        let with = closure_with(package, "normal,build", "fixtures");
        assert_eq!(with, closure(package, "normal,build"), "{package}");
    }
}

#[test]
fn qr_feature_adds_only_the_encoder() {
    let mut with = closure_with("strike-core", "normal,build", "qr");
    assert!(with.remove("qrcode"), "the feature `qr` uses the encoder");
    assert_eq!(with, closure("strike-core", "normal,build"));
}

#[test]
fn conformance_check_depends_on_core_alone() {
    let mut core = closure("strike-core", "normal,build");
    core.insert("strike-core".to_owned());
    assert_eq!(closure("strike-conformance", "normal,build"), core);
}

#[test]
fn each_adapter_depends_on_one_http_client_and_not_on_the_sandbox() {
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
fn orders_depend_on_the_async_client_alone() {
    let orders = closure_of("strike-orders", "normal", &["--all-features"]);
    assert_without(
        "strike-orders",
        &orders,
        &["strike-blocking", "strike-sandbox", "strike-conformance", "ureq"],
    );
    assert!(orders.contains("strike-async") && orders.contains("sqlx"));
}

#[test]
fn orders_bring_only_the_database_that_is_switched_on() {
    let none = closure_of("strike-orders", "normal,build", &["--no-default-features"]);
    assert_without("strike-orders", &none, &["sqlx-sqlite", "sqlx-postgres", "reqwest", "cc"]);
    let default = closure("strike-orders", "normal,build");
    assert_without("strike-orders", &default, &["sqlx-postgres"]);
    assert!(default.contains("sqlx-sqlite"));
    let postgres =
        closure_of("strike-orders", "normal,build", &["--no-default-features", "--features", "postgres"]);
    assert_without("strike-orders", &postgres, &["sqlx-sqlite", "libsqlite3-sys"]);
    assert!(postgres.contains("sqlx-postgres"));
}

#[test]
fn sandbox_depends_on_core_and_on_no_client() {
    let sandbox = closure("strike-sandbox", "normal");
    assert_without(
        "strike-sandbox",
        &sandbox,
        &["strike-blocking", "strike-async", "strike-conformance", "ureq", "reqwest"],
    );
    assert!(sandbox.contains("strike-core"));
}

#[test]
fn default_sandbox_has_no_sqlite_tls_or_command_line() {
    let sandbox = closure("strike-sandbox", "normal,build");
    assert_without(
        "strike-sandbox",
        &sandbox,
        &["rusqlite", "rustls", "rcgen", "qrcode", "lexopt", "tempfile"],
    );
}

/// Functions that make a thread or a task sleep.
const SLEEPS: [&str; 5] = ["sleep", "sleep_until", "park_timeout", "wait_timeout", "wait_timeout_while"];

#[test]
fn adapters_read_clocks_and_sleep_only_in_their_timers() {
    for adapter in ["strike-blocking", "strike-async"] {
        for (path, text) in sources(&format!("{adapter}/src")) {
            let code = only_code(&text);
            let tight: String = code.split_whitespace().collect();
            let reads = tight.contains("Instant::now") || tight.contains("SystemTime::now");
            let sleeps = identifiers(&code).any(|name| SLEEPS.contains(&name));
            let is_timer = path.ends_with("src/timer.rs");
            assert_eq!(reads, is_timer, "{}: only src/timer.rs should read a clock", path.display());
            assert_eq!(sleeps, is_timer, "{}: only src/timer.rs should sleep", path.display());
        }
    }
}

/// Checks that the code blocks of a page are parts of its examples. The page may leave out code
/// between blocks.
fn assert_page_shows(page: &str, examples: &[&str]) {
    let tight = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = fs::read_to_string(root().join(page)).unwrap();
    let examples: String =
        examples.iter().map(|example| tight(&fs::read_to_string(root().join(example)).unwrap())).collect();
    let blocks: Vec<_> =
        page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 5, "too few code blocks in the page: {}", blocks.len());
    for block in blocks {
        assert!(examples.contains(&tight(block)), "this code is not in the examples: {block}");
    }
}

#[test]
fn code_in_pages_matches_the_examples() {
    let shops = ["examples/unit_test_your_shop.rs", "examples/orders/test_your_desk.rs"];
    assert_page_shows("docs/testing-your-shop.md", &shops);
    assert_page_shows("docs/custom-transports.md", &["examples/custom_transport.rs"]);
}

#[test]
fn every_file_begins_with_a_doc_comment() {
    let folders = LIBRARIES.map(|library| format!("{library}/src"));
    for folder in folders.iter().map(String::as_str).chain([
        "examples",
        "fuzz",
        "strike-sandbox-cli/src",
        "tests/api",
        "tests/browser",
        "tests/lnbits",
        "tests/orders",
        "tests/perf",
        "tests/src",
        "tests/tests",
    ]) {
        for (path, text) in sources(folder) {
            // A lib.rs may take its documentation from a README.
            let lib_rs = path.ends_with("src/lib.rs") && text.starts_with("#![");
            assert!(text.starts_with("//! ") || lib_rs, "{} should begin with //!", path.display());
        }
    }
}
