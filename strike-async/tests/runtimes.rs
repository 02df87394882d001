//! Where a client can be used: in any runtime, in several, in one after another, and without any.
#![cfg(feature = "reqwest")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use strike_async::{AsyncTransport, ConnectionUse, ReqwestTransport, Timer, TokioTimer};
use strike_test_support::{Server, expect_status, get, post};
use tokio::runtime::{Builder, Runtime};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

fn server() -> Server {
    Server::start(|mut peer| while peer.answer(OK) {})
}

/// Every kind of runtime, among them those without sockets and without timers.
fn runtimes() -> Vec<Runtime> {
    let one_thread = [true, false].map(|all| {
        let mut builder = Builder::new_current_thread();
        if all { builder.enable_all() } else { &mut builder }.build().unwrap()
    });
    let mut only_io = Builder::new_current_thread();
    let mut only_time = Builder::new_current_thread();
    let mut many_threads = Builder::new_multi_thread();
    let mut bare_threads = Builder::new_multi_thread();
    let others = [
        only_io.enable_io().build(),
        only_time.enable_time().build(),
        many_threads.worker_threads(2).enable_all().build(),
        bare_threads.worker_threads(2).build(),
    ];
    one_thread.into_iter().chain(others.map(Result::unwrap)).collect()
}

/// An executor that is not tokio's.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn every_runtime_serves_while_the_one_before_is_idle() {
    let server = server();
    let transport = ReqwestTransport::new().unwrap();
    let runtimes = runtimes();
    for runtime in runtimes.iter().chain(&runtimes) {
        expect_status(runtime.block_on(transport.exchange(get(&server.url("http", "/")))), 200, "[]");
    }
    assert_eq!(server.connections(), 1, "one connection is kept for all of them");
}

#[test]
fn every_runtime_serves_after_the_one_before_has_ended() {
    let server = server();
    let transport = runtimes()[0].block_on(async { ReqwestTransport::new().unwrap() });
    for runtime in runtimes() {
        expect_status(runtime.block_on(transport.exchange(get(&server.url("http", "/")))), 200, "[]");
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn without_a_runtime_it_serves_too() {
    let server = server();
    let transport = ReqwestTransport::new().unwrap();
    expect_status(block_on(transport.exchange(get(&server.url("http", "/")))), 200, "[]");
    block_on(TokioTimer::new().wait(Duration::from_millis(1)));
}

#[test]
fn a_runtime_per_call_loses_no_create() {
    let server = server();
    let transport = ReqwestTransport::new().unwrap();
    for number in 0..400 {
        let mut create = post(&server.url("http", "/"));
        create.connection = if number % 2 == 0 { ConnectionUse::New } else { ConnectionUse::Any };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        expect_status(runtime.block_on(transport.exchange(create)), 200, "[]");
    }
    assert_eq!(server.requests().len(), 400);
}

#[test]
fn runtimes_in_several_threads_share_a_transport() {
    let server = server();
    let transport = ReqwestTransport::new().unwrap();
    thread::scope(|scope| {
        for runtime in runtimes() {
            scope.spawn(|| {
                let runtime = runtime;
                for _ in 0..20 {
                    let reply = runtime.block_on(transport.exchange(post(&server.url("http", "/"))));
                    expect_status(reply, 200, "[]");
                }
            });
        }
    });
    assert_eq!(server.requests().len(), 120);
}

#[test]
fn timer_waits_in_every_runtime() {
    let timer = TokioTimer::new();
    for runtime in runtimes() {
        let before = timer.now().monotonic;
        runtime.block_on(timer.wait(Duration::from_millis(2)));
        assert!(timer.now().monotonic - before >= Duration::from_millis(2));
    }
}

#[test]
fn a_transport_serves_after_every_other_one_is_gone() {
    let server = server();
    for _ in 0..3 {
        let transport = ReqwestTransport::new().unwrap();
        expect_status(block_on(transport.exchange(get(&server.url("http", "/")))), 200, "[]");
    }
    assert_eq!(server.connections(), 3);
}
