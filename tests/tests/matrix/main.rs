//! Faults, operations and adapters: every combination over real sockets, each with a stated outcome.
//!
//! Reading order: `table` says what should come of each, `fault` what really happens, `operation` what is asked,
//! `cell` how one combination is run and what must hold in all of them, `page` what users are told of it.
//! `cargo test -p strike-tests --test matrix -- --nocapture` prints how many cells were as stated, fault by fault.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "tests"
)]

mod behind;
mod bomb;
mod cell;
mod fault;
mod operation;
mod page;
mod route;
mod table;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cell::{Adapter, Lasting};
use fault::Fault;
use operation::Operation;
use table::{Stated, classes, is_as_stated};

/// How many cells there are, so that none gets lost unnoticed.
const CELLS: usize = 2428;

/// Cells that run at the same time: most of them wait for something that hangs.
const THREADS: usize = 32;

struct Cell<'a> {
    fault: &'a Fault,
    operation: Operation,
    adapter: Adapter,
    lasting: Lasting,
    stated: &'static str,
}

/// Every cell that applies, fault by fault.
fn cells(faults: &[Fault]) -> Vec<Cell<'_>> {
    let mut cells = Vec::new();
    for class in classes() {
        for name in class.faults {
            let fault = faults.iter().find(|fault| fault.name == *name).expect("a fault with that name");
            for row in &class.rows {
                let Stated::Outcomes { passes, stays } = row.stated else { continue };
                for (lasting, stated) in [(Lasting::Passes, passes), (Lasting::Stays, stays)] {
                    for adapter in Adapter::BOTH {
                        cells.push(Cell { fault, operation: row.operation, adapter, lasting, stated });
                    }
                }
            }
        }
    }
    cells
}

/// Runs a cell; gives back what is wrong with it.
fn check(cell: &Cell<'_>) -> Vec<String> {
    let Cell { fault, operation, adapter, lasting, stated } = *cell;
    let seen = catch_unwind(AssertUnwindSafe(|| cell::run(fault, operation, adapter, lasting)));
    let mut wrong = match seen {
        Ok(seen) if is_as_stated(stated, &seen.words) => seen.broken,
        Ok(seen) => {
            let mut wrong = seen.broken;
            wrong.push(format!("stated {stated:?}, seen {:?}", seen.words));
            wrong
        }
        Err(_) => vec!["it panicked, as is said above".to_owned()],
    };
    for words in &mut wrong {
        *words = format!("{:?}, {lasting:?}, {operation:?}, {adapter:?}: {words}", fault.name);
    }
    wrong
}

#[test]
fn every_cell_is_as_stated() {
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
        println!("{name:28} {run:3} cells, {:3} as stated", run - bad);
    }
    println!("{:28} {} cells, {} as stated", "all", cells.len(), cells.len() - wrong.len());
    let wrong: Vec<_> = wrong.into_iter().flat_map(|(_, found)| found).collect();
    assert!(wrong.is_empty(), "{} statements do not hold:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cells.len(), CELLS);
}

#[test]
fn every_fault_and_every_operation_is_in_the_table_once() {
    let mut stated = BTreeSet::new();
    for class in classes() {
        for name in class.faults {
            assert!(stated.insert(name.to_string()), "{name} is in the table twice");
        }
        assert!(!class.faults.is_empty() && !class.means.is_empty(), "{}", class.title);
        assert_eq!(class.rows.each_ref().map(|row| row.operation), Operation::ALL, "{}", class.title);
        for row in &class.rows {
            if let Stated::Not(because) = row.stated {
                assert!(because.len() > 20, "{}, {:?}: say why not", class.title, row.operation);
            }
        }
    }
    let made: Vec<_> = fault::all().into_iter().map(|fault| fault.name).collect();
    assert_eq!(made.iter().cloned().collect::<BTreeSet<_>>(), stated);
    assert_eq!(made.len(), stated.len(), "two faults have the same name");
}
