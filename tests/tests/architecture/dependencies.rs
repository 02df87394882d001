//! Checks that every declared dependency is used, and that no crate has a dependency that needs
//! a newer Rust than the crate.

use std::collections::{HashMap, HashSet};
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

/// Returns the ids of a package and of everything that it depends on.
fn with_dependencies<'a>(id: &'a str, nodes: &HashMap<&'a str, &'a Value>) -> HashSet<&'a str> {
    let (mut found, mut open) = (HashSet::new(), vec![id]);
    while let Some(id) = open.pop() {
        if found.insert(id) {
            let dependencies = nodes[id]["dependencies"].as_array().unwrap();
            open.extend(dependencies.iter().map(|id| id.as_str().unwrap()));
        }
    }
    found
}

fn by_id(values: &[Value]) -> HashMap<&str, &Value> {
    values.iter().map(|value| (value["id"].as_str().unwrap(), value)).collect()
}

#[test]
fn no_crate_has_a_dependency_that_requires_a_newer_rust() {
    let metadata = metadata(&[]);
    let packages = by_id(packages(&metadata));
    let nodes = by_id(metadata["resolve"]["nodes"].as_array().unwrap());
    let mut declared = HashSet::new();
    for member in metadata["workspace_members"].as_array().unwrap() {
        let member = member.as_str().unwrap();
        let ours = version(packages[member]["rust_version"].as_str().unwrap());
        for id in with_dependencies(member, &nodes) {
            if let Some(wanted) = packages[id]["rust_version"].as_str() {
                assert!(version(wanted) <= ours, "{id} requires Rust {wanted}, {member} {ours:?}");
                declared.insert(id);
            }
        }
    }
    assert!(declared.len() > 100, "only {} packages declare a Rust version", declared.len());
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
