//! Every combination of fault, operation and adapter, over real sockets, each with an expected
//! outcome.
//!
//! Read the modules in this order. `table` lists the expected outcomes. `fault` implements the
//! faults. `operation` has the operations. `cell` runs one combination, and checks what must hold
//! in all of them. `page` writes the page for users. `cargo test -p strike-tests --test matrix --
//! --nocapture` prints how many cells passed for each fault.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "tests"
)]

mod cell;
mod fault;
mod gzip_bomb;
mod operation;
mod page;
mod route;
mod service;
mod table;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cell::{Adapter, Persistence};
use fault::Fault;
use operation::Operation;
use strike_tests::Dialect;
use table::{Expected, agrees, classes, differences, is_expected};

/// The number of cells, so that the test notices if one gets lost.
const CELLS: usize = 4922;

/// How many cells run at the same time. Most of them wait for a timeout.
const THREADS: usize = 32;

struct Cell<'a> {
    dialect: Dialect,
    fault: &'a Fault,
    operation: Operation,
    adapter: Adapter,
    persistence: Persistence,
    expected: &'static str,
}

/// The adapters with which a cell is run. The adapters do not depend on the dialect. So each cell of
/// the other dialects is run with one of the two, in turn.
fn adapters(dialect: Dialect, number: usize) -> &'static [Adapter] {
    match dialect {
        Dialect::Strike => &[Adapter::Blocking, Adapter::Async],
        _ if (number + number / 2).is_multiple_of(2) => &[Adapter::Blocking],
        _ => &[Adapter::Async],
    }
}

/// Every cell that applies, sorted by dialect and fault.
fn cells(faults: &[Fault]) -> Vec<Cell<'_>> {
    let mut cells = Vec::new();
    for dialect in Dialect::ALL {
        for class in classes().chain(table::own_classes(dialect)) {
            for name in class.faults {
                let fault = faults.iter().find(|fault| fault.name == *name).expect("a fault with that name");
                for row in &class.rows {
                    let Expected::Outcomes { once, persistent } = row.expected else { continue };
                    for (persistence, expected) in
                        [(Persistence::Once, once), (Persistence::Persistent, persistent)]
                    {
                        for &adapter in adapters(dialect, cells.len()) {
                            let operation = row.operation;
                            cells.push(Cell { dialect, fault, operation, adapter, persistence, expected });
                        }
                    }
                }
            }
        }
    }
    cells
}

/// Runs a cell, and returns what is wrong with it.
fn check(cell: &Cell<'_>) -> Vec<String> {
    let Cell { dialect, fault, operation, adapter, persistence, expected } = *cell;
    let run = || cell::run(dialect, fault, operation, adapter, persistence);
    let difference = differences::find(dialect, &fault.name, operation, persistence);
    let mut wrong = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(actual) => {
            let mut wrong = actual.violations;
            let agrees = agrees(expected, &actual.outcome, dialect, operation);
            match difference {
                None if !agrees => wrong.push(format!("expected {expected:?}, but got {:?}", actual.outcome)),
                Some(_) if agrees => {
                    wrong.push(format!(
                        "agrees with {expected:?}: {:?}; remove the difference",
                        actual.outcome
                    ));
                }
                Some(listed) if !is_expected(listed, &actual.outcome) => {
                    wrong.push(format!("expected {listed:?}, but got {:?}", actual.outcome));
                }
                _ => {}
            }
            wrong
        }
        Err(_) => vec!["panicked; the message is printed above".to_owned()],
    };
    for words in &mut wrong {
        *words = format!("{dialect}, {:?}, {persistence:?}, {operation:?}, {adapter:?}: {words}", fault.name);
    }
    wrong
}

#[test]
fn every_cell_has_the_expected_outcome() {
    let faults = fault::all();
    let cells = cells(&faults);
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let found = check(cell);
                    if !found.is_empty() {
                        wrong.lock().unwrap().push((cell.fault.name.clone(), found));
                    }
                }
            });
        }
    });

    let wrong = wrong.into_inner().unwrap();
    let mut summary: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for cell in &cells {
        summary.entry(&cell.fault.name).or_default().0 += 1;
    }
    for (name, _) in &wrong {
        summary.get_mut(name.as_str()).unwrap().1 += 1;
    }
    for (name, (run, bad)) in &summary {
        println!("{name:28} {run:3} cells, {:3} as expected", run - bad);
    }
    println!("{:28} {} cells, {} as expected", "all", cells.len(), cells.len() - wrong.len());
    let wrong: Vec<_> = wrong.into_iter().flat_map(|(_, found)| found).collect();
    assert!(wrong.is_empty(), "{} cells failed:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cells.len(), CELLS);
}

#[test]
fn every_fault_is_in_the_table_once_with_every_operation() {
    let mut expected = BTreeSet::new();
    for class in classes().chain(Dialect::ALL.into_iter().flat_map(table::own_classes)) {
        for name in class.faults {
            assert!(expected.insert(name.to_string()), "{name} is in the table twice");
        }
        assert!(!class.faults.is_empty() && !class.means.is_empty(), "{}", class.title);
        assert_eq!(class.rows.each_ref().map(|row| row.operation), Operation::ALL, "{}", class.title);
        for row in &class.rows {
            if let Expected::Not(reason) = row.expected {
                assert!(reason.len() > 10, "{}, {:?}: give a reason", class.title, row.operation);
            }
        }
    }
    let implemented: Vec<_> = fault::all().into_iter().map(|fault| fault.name).collect();
    assert_eq!(implemented.iter().cloned().collect::<BTreeSet<_>>(), expected);
    assert_eq!(implemented.len(), expected.len(), "two faults have the same name");
}
