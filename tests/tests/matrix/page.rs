//! The page `docs/failures.md`: prose from `page.md`, and the table as a user reads it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use strike_core::Advice;

use crate::operation::Operation;
use crate::table::{Class, Outcome, Stated, classes};

const PROSE: &str = include_str!("page.md");

/// Where the page is.
fn file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/failures.md")
}

/// The page as it should be.
fn page() -> String {
    PROSE.replace("{{advice}}\n", &advice()).replace("{{faults}}\n", &faults())
}

/// Every advice there is, with its own words, and what to call.
fn advice() -> String {
    let mut text = "| advice | in words | what to call next |\n| --- | --- | --- |\n".to_owned();
    for (advice, call) in [
        (Advice::RetryLater, "the same again, after a while"),
        (Advice::LookFirst, "`create_once` with the same key; without one, look through `list_all` first"),
        (Advice::FixInput, "the same, with other input"),
        (Advice::CheckKey, "nothing, until somebody has looked at the configuration"),
        (Advice::CheckId, "`get` with another id"),
        (Advice::CheckHost, "nothing, until somebody has looked at the base URL and what is behind it"),
        (Advice::ServiceClosed, "nothing there; `Endpoint::new` with another host"),
        (Advice::DoNotUse, "nothing; the charge is in the error, for whoever looks into it"),
        (Advice::InvoiceExpired, "`create` again; the expired charge is in the error"),
        (Advice::CheckNetwork, "nothing, until the `Network` of the endpoint is the host's"),
        (Advice::CheckOrder, "`create_once` with another name, or with the order as it was"),
        (Advice::CheckClock, "the same again, when both clocks are right"),
        (Advice::SetSince, "`create_once` with `CreateOnceOptions::since`"),
        (Advice::CreateNewMachine, "make a new machine, and drive that"),
    ] {
        writeln!(text, "| `{advice:?}` | {advice} | {call} |").unwrap();
    }
    text
}

fn faults() -> String {
    classes().map(section).collect::<Vec<_>>().join("\n")
}

/// One class of faults.
fn section(class: &Class) -> String {
    let mut text = format!("### {}\n\n{}\n\n", class.title, class.means);
    writeln!(text, "Tried as: {}.\n", class.faults.join("; ")).unwrap();
    text.push_str(
        "| you called | it happens once | it goes on | a charge may exist | asked again by itself |\n",
    );
    text.push_str("| --- | --- | --- | --- | --- |\n");
    let mut rows: Vec<(Vec<&str>, String)> = Vec::new();
    for (call, operations) in [
        ("`create`", &[Operation::CreateLost, Operation::CreateStored][..]),
        ("`get`", &[Operation::Get]),
        ("`list`", &[Operation::List]),
        ("`wait_until_paid`", &[Operation::Wait]),
        ("`watch`", &[Operation::Watch]),
        ("`create_once`", &[Operation::OnceLost, Operation::OnceStored]),
        ("`create_once`, and again if it fails; the list lags 3 s", &[Operation::OnceLagging]),
    ] {
        let Some((once, on, effect)) = outcomes(class, operations) else { continue };
        let effect = match operations[0].creates() {
            false => "it only reads",
            true if effect => "yes",
            true => "no",
        };
        let columns = format!("{once} | {on} | {effect} | {}", again(class, operations));
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

/// What a call comes back with if the fault passes, and if it stays, and whether there can be a charge after a failure.
fn outcomes(class: &Class, operations: &[Operation]) -> Option<(String, String, bool)> {
    let (mut once, mut on, mut effect) = (Vec::new(), Vec::new(), false);
    for row in class.rows.iter().filter(|row| operations.contains(&row.operation)) {
        let Stated::Outcomes { passes, stays } = row.stated else { continue };
        add(&mut once, passes);
        add(&mut on, stays);
        // A charge that is there although the call failed.
        effect |= Outcome::all(stays).any(|end| !end.is_good() && end.makes_a_charge());
    }
    (!once.is_empty()).then(|| (once.join(", or "), on.join(", or "), effect))
}

fn add(ends: &mut Vec<String>, stated: &str) {
    for outcome in Outcome::all(stated) {
        let words = match outcome.advice {
            Some(advice) => format!("{}: `{advice}`", quoted(outcome.what)),
            None => good(outcome.what),
        };
        if !ends.contains(&words) {
            ends.push(words);
        }
    }
}

/// A kind of error as it is written: `Closed/MaybeSent` is a `Connection`.
fn quoted(what: &str) -> String {
    if let Some(kind) = what.strip_prefix("Failed with ") {
        return format!("`Failed` with {}", quoted(kind));
    }
    match what.split_once('/') {
        Some((kind, delivery)) => format!("`Connection` ({kind}, {delivery})"),
        None => format!("`{what}`"),
    }
}

/// A good end. How many charges are in the list is the test's business.
fn good(what: &str) -> String {
    match what {
        "charge" | "paid charge" => "the charge".to_owned(),
        "3 charges" => "the page".to_owned(),
        list if list.contains("unreadable") => "the page, with an unreadable row".to_owned(),
        value => format!("`{value}`"),
    }
}

/// Whether a call came through although its first request met the fault.
fn again(class: &Class, operations: &[Operation]) -> &'static str {
    let mut words = "no";
    for row in class.rows.iter().filter(|row| operations.contains(&row.operation)) {
        let Stated::Outcomes { passes, stays } = row.stated else { continue };
        let good = |stated| Outcome::all(stated).any(|end| end.is_good());
        match (good(passes), good(stays)) {
            (true, true) => words = "no need",
            // The service has made the charge, so a call that came through has found it.
            (true, false) if row.operation.once() && row.operation.stores() => {
                words = "it looks, and never posts again"
            }
            (true, false) => words = "yes",
            (false, _) => {}
        }
    }
    words
}

/// The lines that differ, the first few.
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
fn the_page_says_what_the_table_says() {
    let wanted = page();
    if std::env::var_os("STRIKE_BLESS").is_some() {
        fs::write(file(), &wanted).unwrap();
    }
    let page = fs::read_to_string(file()).unwrap_or_default();
    assert!(
        page == wanted,
        "docs/failures.md differs from the table; write it anew with\n\
        STRIKE_BLESS=1 cargo test -p strike-tests --test matrix the_page\n{}",
        difference(&page, &wanted)
    );
}
