//! Counts every workload, and prints the table of docs/performance.md. With `--check`, compares it
//! with that page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark"
)]

use std::env;
use std::fs;
use std::process::{Command, ExitCode};

use strike_perf::workloads::{self, Workload};

/// How far the instructions may be from those of the page, in percent.
const TOLERANCE: u64 = 3;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/performance.md");

/// The figures of a row, for one unit of work.
#[derive(Debug, PartialEq)]
struct Figures {
    instructions: u64,
    allocations: String,
}

fn main() -> ExitCode {
    let rows: Vec<_> = workloads::all().map(|workload| (workload, count(workload))).collect();
    println!("| work | instructions | bar | allocations | bar |");
    println!("| --- | --- | --- | --- | --- |");
    for (workload, figures) in &rows {
        println!("{}", row(workload, figures));
    }
    if env::args().nth(1).as_deref() != Some("--check") {
        return ExitCode::SUCCESS;
    }
    let page = fs::read_to_string(PAGE).unwrap();
    let differs = |(workload, figures): &&(&Workload, Figures)| !is_on_page(&page, workload, figures);
    let differences: Vec<_> = rows.iter().filter(differs).collect();
    for (workload, _) in &differences {
        eprintln!("docs/performance.md has other figures for: {}", workload.unit);
    }
    if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn row(workload: &Workload, figures: &Figures) -> String {
    let Figures { instructions, allocations } = figures;
    let (bar, allocations_bar) = workload.bars;
    format!("| {} | {instructions} | {bar} | {allocations} | {allocations_bar} |", workload.unit)
}

/// Returns true if the page has a row with nearly these figures.
fn is_on_page(page: &str, workload: &Workload, figures: &Figures) -> bool {
    let name = format!("| {} |", workload.unit);
    let Some(line) = page.lines().find(|line| line.starts_with(&name)) else { return false };
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [_, _, instructions, bar, allocations, allocations_bar, _] = cells[..] else { return false };
    let Ok(instructions) = instructions.parse::<u64>() else { return false };
    let distance = instructions.abs_diff(figures.instructions) * 100;
    distance <= instructions * TOLERANCE
        && allocations == figures.allocations
        && (bar, allocations_bar) == workload.bars
}

/// Counts the difference between many and few units of work, so that the start of the program does
/// not count.
fn count(workload: &Workload) -> Figures {
    let (few, many) = if workload.units == 1 { (100, 1_100) } else { (5, 55) };
    let (first, second) = (run(workload, few), run(workload, many));
    let units = u64::try_from((many - few) * workload.units).unwrap();
    let hundredths = (second.1 - first.1) * 100 / units;
    let allocations = match hundredths % 100 {
        0 => format!("{}", hundredths / 100),
        rest => format!("{}.{rest:02}", hundredths / 100),
    };
    Figures { instructions: (second.0 - first.0) / units, allocations }
}

/// Runs a workload under callgrind. Returns its instructions and its allocations.
fn run(workload: &Workload, times: usize) -> (u64, u64) {
    let program = env::current_exe().unwrap().with_file_name("workload");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        // Valgrind counts `rep movsb`, which copies large texts, as an instruction for each byte.
        .env("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=1073741824")
        .arg(program)
        .args([workload.name, &times.to_string()])
        .output()
        .expect("valgrind should be installed");
    let report = String::from_utf8(output.stderr).unwrap();
    let collected = report.lines().find_map(|line| line.split_once("Collected : ")).expect(&report).1;
    let allocations = String::from_utf8(output.stdout).unwrap();
    (collected.trim().parse().unwrap(), allocations.trim().parse().unwrap())
}
