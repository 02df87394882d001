//! Counting: instructions with callgrind, system calls with strace, CPU time from the kernel.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::contender::{Kind, Setting};
use crate::server::Address;

/// What one request costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub instructions: f64,
    pub allocations: f64,
    /// Not a number where strace is not permitted to trace.
    pub syscalls: f64,
}

/// Counts the cost of a request: the difference between many and few pairs, so that the start of
/// the program and the first connection do not count.
#[must_use]
pub fn count(server: &Address, kind: Kind, setting: Setting, in_flight: usize) -> Cost {
    let (few, many) = (200.max(2 * in_flight), 1_200.max(6 * in_flight));
    let requests = 2.0 * f64::from(u32::try_from(many - few).unwrap());
    let slope = |run: &dyn Fn(usize) -> f64| (run(many) - run(few)) / requests;
    let [tls, one_thread] = [setting.tls, setting.one_thread].map(|flag| flag.to_string());
    let run = |tool: &[&str], pairs: usize| {
        let [pairs, in_flight] = [pairs, in_flight].map(|number| number.to_string());
        run(tool, server, [format!("{kind:?}"), pairs, in_flight, tls.clone(), one_thread.clone()])
    };
    let callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
    Cost {
        instructions: slope(&|pairs| {
            let report = run(&callgrind, pairs).1;
            report.lines().find_map(|line| line.split_once("Collected : ")).unwrap().1.trim().parse().unwrap()
        }),
        allocations: slope(&|pairs| run(&[], pairs).0.lines().next().unwrap().parse().unwrap()),
        syscalls: slope(&|pairs| {
            if !can_trace() {
                return f64::NAN;
            }
            let report = run(&["strace", "-f", "-c", "-U", "calls,name"], pairs).1;
            let total = report.lines().rev().find(|line| line.trim().ends_with("total")).unwrap();
            total.split_whitespace().next().unwrap().parse().unwrap()
        }),
    }
}

/// Returns true if strace works. Some containers forbid it.
#[must_use]
pub fn can_trace() -> bool {
    Command::new("strace").arg("true").output().is_ok_and(|output| output.status.success())
}

/// Returns the bytes that are allocated after many requests: mostly the buffers of connections.
#[must_use]
pub fn memory(server: &Address, kind: Kind, setting: Setting, in_flight: usize) -> usize {
    let [tls, one_thread] = [setting.tls, setting.one_thread].map(|flag| flag.to_string());
    let arguments =
        [format!("{kind:?}"), (20 * in_flight).to_string(), in_flight.to_string(), tls, one_thread];
    run(&[], server, arguments).0.lines().nth(1).unwrap().parse().unwrap()
}

/// Runs the program `client_calls` with a tool. Returns what it and the tool have printed.
fn run(tool: &[&str], server: &Address, arguments: [String; 5]) -> (String, String) {
    let program = std::env::current_exe().unwrap().with_file_name("client_calls");
    let mut words = tool.iter().copied().chain([program.to_str().unwrap()]);
    let output = Command::new(words.next().unwrap())
        .args(words)
        .args([server.plain, server.tls].map(|address| address.to_string()))
        .arg(&server.authority)
        .args(arguments)
        .output()
        .expect("valgrind and strace should be installed");
    let [out, error] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{error}");
    (out, error)
}

/// Returns the CPU time of all threads of this process that are running.
#[must_use]
pub fn cpu_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of_thread = |path: PathBuf| {
        let stat = std::fs::read_to_string(path.join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.filter_map(|task| of_thread(task.unwrap().path())).sum())
}
