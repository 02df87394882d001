//! Checks that every declared dependency is used, and that no dependency needs a newer Rust than
//! ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::root;
use crate::rust_code::{identifiers, only_code};

fn metadata(more: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1", "--all-features"])
        .args(more)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn packages(metadata: &Value) -> &[Value] {
    metadata["packages"].as_array().unwrap()
}

/// Parses major and minor of a version. The patch number does not matter.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap_or_default())
}

#[test]
fn no_dependency_requires_a_newer_rust() {
    let metadata = metadata(&[]);
    let ours = packages(&metadata).iter().find(|package| package["name"] == "strike-core").unwrap();
    let ours = version(ours["rust_version"].as_str().unwrap());
    let mut declared = 0;
    for package in packages(&metadata) {
        if let Some(wanted) = package["rust_version"].as_str() {
            assert!(
                version(wanted) <= ours,
                "{} {} requires Rust {wanted}",
                package["name"],
                package["version"]
            );
            declared += 1;
        }
    }
    assert!(declared > 100, "only {declared} packages declare a Rust version");
}

/// Finds the sources of a package, without those of nested packages, and with its tests only if
/// asked for.
fn files(folder: &Path, with_tests: bool, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_tests = path.ends_with("tests") || path.ends_with("benches");
        if path.is_dir() && !path.join("Cargo.toml").exists() && (with_tests || !is_tests) {
            files(&path, with_tests, found);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            found.push(path);
        }
    }
}

#[test]
fn every_declared_dependency_is_used() {
    let (mut checked, mut unused) = (0, Vec::new());
    for package in packages(&metadata(&["--no-deps"])) {
        let name = package["name"].as_str().unwrap();
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let declared = dependency["rename"].as_str().or(dependency["name"].as_str()).unwrap();
            let mut paths = Vec::new();
            // In packages that are not published, dependencies are for tests.
            let with_tests = dependency["kind"] == "dev" || package["publish"] == json!([]);
            files(folder, with_tests, &mut paths);
            let wanted = declared.replace('-', "_");
            let is_used = paths.iter().any(|path| {
                let text = std::fs::read_to_string(path).unwrap();
                // Dev-dependencies are also used by doc tests in comments and pages.
                let code = if dependency["kind"] == "dev" { text } else { only_code(&text) };
                identifiers(&code).any(|name| name == wanted)
            });
            if !is_used {
                unused.push(format!("{name}: {declared}"));
            }
            checked += 1;
        }
    }
    assert!(unused.is_empty(), "declared but never used: {unused:?}");
    assert!(checked > 50, "only {checked} dependencies were found");
}
