//! The page `docs/failures.md`: prose from `page.md`, and tables generated from the matrix.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use strike_core::Advice;

use crate::operation::Operation;
use strike_tests::Dialect;

use crate::table::differences::{self, Difference, Differing};
use crate::table::{Class, Expected, Outcome, classes, own_classes};

const PROSE: &str = include_str!("page.md");

/// The path of the page.
fn file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/failures.md")
}

/// Renders the page.
fn page() -> String {
    let own = Dialect::ALL.into_iter().flat_map(own_classes);
    [
        ("advice", advice()),
        ("faults", sections(classes())),
        ("differences", differences()),
        ("own_faults", sections(own)),
    ]
    .iter()
    .fold(PROSE.to_owned(), |page, (name, text)| page.replace(&format!("{{{{{name}}}}}\n"), text))
}

/// The table of all advice: its meaning, and what to call.
fn advice() -> String {
    let mut text = "| advice | meaning | what to call next |\n| --- | --- | --- |\n".to_owned();
    for (advice, call) in [
        (Advice::RetryLater, "the same call, after a delay"),
        (Advice::LookFirst, "`create_once` with the same key; if you used `create`, check `list_all` first"),
        (Advice::FixInput, "the same call, with other input"),
        (Advice::CheckKey, "nothing, until the configuration is corrected"),
        (Advice::CheckId, "`get` with another id"),
        (Advice::CheckHost, "nothing, until the base URL or the server is corrected"),
        (Advice::ServiceClosed, "nothing on this host; `Endpoint::new` with another host"),
        (Advice::DoNotUse, "nothing; the error holds the charge, for your investigation"),
        (Advice::InvoiceExpired, "`create` again; the error holds the expired charge"),
        (Advice::CheckNetwork, "nothing, until the endpoint has the server's `Network`"),
        (Advice::CheckOrder, "`create_once` with another name, or with the original order"),
        (Advice::CheckClock, "the same call, when both clocks are correct"),
        (Advice::SetSince, "`create_once` with `CreateOnceOptions::since`"),
        (Advice::CreateNewMachine, "create a new machine, and drive it"),
    ] {
        writeln!(text, "| `{advice:?}` | {advice} | {call} |").unwrap();
    }
    text
}

fn sections(classes: impl Iterator<Item = &'static Class>) -> String {
    classes.map(section).collect::<Vec<_>>().join("\n")
}

/// The table of the cells in which a backend differs from the Strike API.
fn differences() -> String {
    let mut text = "| backend | failure | you called | once | it persists | why |\n".to_owned();
    text.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for Difference { dialect, faults, why, cells } in differences::ALL {
        let mut rows: Vec<(Vec<&str>, String)> = Vec::new();
        for Differing { operation, once, persistent } in *cells {
            let (if_once, if_persistent) = strike_outcomes(faults[0], *operation);
            let outcome = |differing: &Option<&str>, strike| {
                let words = words(differing.unwrap_or(strike));
                if words == self::words(strike) { "as above".to_owned() } else { words }
            };
            let columns = [outcome(once, if_once), outcome(persistent, if_persistent)];
            // Only the number of requests differs.
            if columns.iter().all(|outcome| outcome == "as above") {
                continue;
            }
            let columns = columns.join(" | ");
            let call = CALLS.iter().find(|(_, operations)| operations.contains(operation)).unwrap().0;
            match rows.last_mut() {
                Some((calls, same)) if *same == columns => calls.push(call),
                _ => rows.push((vec![call], columns)),
            }
        }
        for (calls, columns) in rows {
            let (faults, calls) = (faults.join("; "), calls.join(", "));
            writeln!(text, "| {dialect} | {faults} | {calls} | {columns} | {why} |").unwrap();
        }
    }
    text
}

/// The expected outcomes of the Strike API.
fn strike_outcomes(fault: &str, operation: Operation) -> (&'static str, &'static str) {
    let class = classes().find(|class| class.faults.contains(&fault)).unwrap();
    let row = class.rows.iter().find(|row| row.operation == operation).unwrap();
    let Expected::Outcomes { once, persistent } = row.expected else { panic!("{fault}, {operation:?}") };
    (once, persistent)
}

fn words(expected: &str) -> String {
    let mut words = Vec::new();
    add(&mut words, expected);
    words.join(", or ")
}

/// The calls in the tables, with their operations.
const CALLS: &[(&str, &[Operation])] = &[
    ("`create`", &[Operation::CreateLost, Operation::CreateStored]),
    ("`get`", &[Operation::Get]),
    ("`list`", &[Operation::List]),
    ("`wait_until_paid`", &[Operation::Wait]),
    ("`watch`", &[Operation::Watch]),
    ("`create_once`", &[Operation::OnceLost, Operation::OnceStored]),
    ("`create_once` with a lagging list", &[Operation::OnceLagging]),
];

/// Renders one class of faults.
fn section(class: &Class) -> String {
    let mut text = format!("### {}\n\n{}\n\n", class.title, class.means);
    writeln!(text, "Tested with: {}.\n", class.faults.join("; ")).unwrap();
    text.push_str(
        "| you called | the fault happens once | it persists | a charge may exist | retried automatically |\n",
    );
    text.push_str("| --- | --- | --- | --- | --- |\n");
    let mut rows: Vec<(Vec<&str>, String)> = Vec::new();
    for (call, operations) in CALLS {
        let Some((once, on, effect)) = outcomes(class, operations) else { continue };
        let effect = match operations[0].creates() {
            false => "only reads",
            true if effect => "yes",
            true => "no",
        };
        let columns = format!("{once} | {on} | {effect} | {}", retried(class, operations));
        match rows.last_mut() {
            Some((calls, same)) if *same == columns => calls.push(call),
            _ => rows.push((vec![call], columns)),
        }
    }
    for (calls, columns) in rows {
        writeln!(text, "| {} | {columns} |", calls.join(", ")).unwrap();
    }
    text
}

/// Returns the result if the fault happens once, the result if it persists, and whether a charge
/// may exist after a failure.
fn outcomes(class: &Class, operations: &[Operation]) -> Option<(String, String, bool)> {
    let (mut if_once, mut if_persistent, mut effect) = (Vec::new(), Vec::new(), false);
    for row in class.rows.iter().filter(|row| operations.contains(&row.operation)) {
        let Expected::Outcomes { once, persistent } = row.expected else { continue };
        add(&mut if_once, once);
        add(&mut if_persistent, persistent);
        // A charge may exist although the call failed.
        effect |= Outcome::all(persistent).any(|outcome| !outcome.is_success() && outcome.adds_a_charge());
    }
    (!if_once.is_empty()).then(|| (if_once.join(", or "), if_persistent.join(", or "), effect))
}

fn add(outcomes: &mut Vec<String>, expected: &str) {
    for outcome in Outcome::all(expected) {
        let words = match outcome.advice {
            Some(advice) => format!("{}: `{advice}`", quoted(outcome.what)),
            None => success(outcome.what),
        };
        if !outcomes.contains(&words) {
            outcomes.push(words);
        }
    }
}

/// Formats an error kind. `Closed/MaybeSent` is a `Connection`.
fn quoted(what: &str) -> String {
    if let Some(kind) = what.strip_prefix("Failed with ") {
        return format!("`Failed` with {}", quoted(kind));
    }
    match what.split_once('/') {
        Some((kind, delivery)) => format!("`Connection` ({kind}, {delivery})"),
        None => format!("`{what}`"),
    }
}

/// Formats a successful result. The page does not show how many charges a list has.
fn success(what: &str) -> String {
    match what {
        "charge" | "paid charge" => "the charge".to_owned(),
        "3 charges" => "the page".to_owned(),
        list if list.contains("unreadable") => "the page, with an unreadable row".to_owned(),
        value => format!("`{value}`"),
    }
}

/// Whether a call succeeded although its first request failed.
fn retried(class: &Class, operations: &[Operation]) -> &'static str {
    let mut words = "no";
    for row in class.rows.iter().filter(|row| operations.contains(&row.operation)) {
        let Expected::Outcomes { once, persistent } = row.expected else { continue };
        let success = |expected| Outcome::all(expected).any(|outcome| outcome.is_success());
        match (success(once), success(persistent)) {
            (true, true) => words = "not needed",
            // The service has stored the charge, so a call that succeeded has found it in the list.
            (true, false) if row.operation.once() && row.operation.stores() => {
                words = "reads the list, never posts again"
            }
            (true, false) => words = "yes",
            (false, _) => {}
        }
    }
    words
}

/// The first ten lines that differ.
fn difference(page: &str, wanted: &str) -> String {
    let (page, wanted): (Vec<_>, Vec<_>) = (page.lines().collect(), wanted.lines().collect());
    let lines = (0..page.len().max(wanted.len())).filter(|at| page.get(*at) != wanted.get(*at));
    let shown = lines.take(10).map(|at| {
        let line = |text: &[&str]| text.get(at).copied().unwrap_or_default().to_owned();
        format!("line {}:\n- {}\n+ {}\n", at + 1, line(&page), line(&wanted))
    });
    shown.collect()
}

#[test]
fn the_page_matches_the_table() {
    let wanted = page();
    if std::env::var_os("STRIKE_BLESS").is_some() {
        fs::write(file(), &wanted).unwrap();
    }
    let page = fs::read_to_string(file()).unwrap_or_default();
    assert!(
        page == wanted,
        "docs/failures.md differs from the table; write it again with\n\
        STRIKE_BLESS=1 cargo test -p strike-tests --test matrix the_page\n{}",
        difference(&page, &wanted)
    );
}
