//! Many sandboxes in one process, used from threads and from inside a runtime.

use strike_sandbox::{RunningSandbox, Sandbox};
use tokio::task::yield_now;

use crate::wire::{Connection, list, post};

const MANY: u64 = 50;

fn start() -> RunningSandbox {
    Sandbox::builder().api_key("sk_demo").start().expect("a free port")
}

/// Makes a charge over the socket, which must be the only one.
fn use_it(sandbox: &RunningSandbox, amount: u64) {
    let mut connection = Connection::open(sandbox.address());
    let charge = connection.send(&post(amount)).body;
    assert!(charge.contains(&format!("\"amount\" : {amount},")), "{charge}");
    assert_eq!(connection.send(&list()).body, format!("[ {charge} ]"));
}

#[test]
fn fifty_sandboxes_on_threads_are_independent() {
    let sandboxes: Vec<_> = (0..MANY).map(|_| start()).collect();
    std::thread::scope(|scope| {
        for (sandbox, amount) in sandboxes.iter().zip(1..) {
            scope.spawn(move || use_it(sandbox, amount));
        }
    });
    assert!(sandboxes.iter().all(|sandbox| sandbox.charges() == 1));
    // Stopped from as many threads, too.
    std::thread::scope(|scope| {
        for sandbox in sandboxes {
            scope.spawn(move || drop(sandbox));
        }
    });
}

#[test]
fn fifty_sandboxes_run_inside_a_tokio_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (1..=MANY)
            .map(|amount| {
                tokio::spawn(async move {
                    let sandbox = start();
                    // All of them are started before the first is used, and used before the first is dropped.
                    yield_now().await;
                    // This blocks the runtime's only thread: the answers come from the sandbox's own.
                    use_it(&sandbox, amount);
                    yield_now().await;
                    drop(sandbox);
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("it ended well");
        }
    });
}
