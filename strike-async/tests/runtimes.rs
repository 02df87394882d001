//! The async client works in any runtime, in several at once, in one after another, and without
//! tokio.
#![cfg(feature = "reqwest")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use strike_async::strike_core::{Delivery, TransportErrorKind};
use strike_async::{AsyncTransport, ConnectionUse, ReqwestTransport, Timer, TokioTimer};
use strike_test_support::{Server, expect, expect_status, get, post};
use tokio::runtime::{Builder, Runtime};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

fn server() -> Server {
    Server::start(|mut peer| while peer.answer(OK) {})
}

/// Every kind of tokio runtime, including those without sockets and without timers.
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

/// A minimal executor, independent of tokio.
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
fn transport_works_in_every_runtime_while_others_are_idle() {
    let server = server();
    let transport = ReqwestTransport::new().unwrap();
    let runtimes = runtimes();
    for runtime in runtimes.iter().chain(&runtimes) {
        expect_status(runtime.block_on(transport.exchange(get(&server.url("http", "/")))), 200, "[]");
    }
    assert_eq!(server.connections(), 1, "all runtimes should use the same connection");
}

#[test]
fn transport_works_after_the_previous_runtime_was_dropped() {
    let server = server();
    let transport = runtimes()[0].block_on(async { ReqwestTransport::new().unwrap() });
    for runtime in runtimes() {
        expect_status(runtime.block_on(transport.exchange(get(&server.url("http", "/")))), 200, "[]");
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn transport_and_timer_work_without_tokio() {
    let server = server();
    let transport = ReqwestTransport::new().unwrap();
    expect_status(block_on(transport.exchange(get(&server.url("http", "/")))), 200, "[]");
    block_on(TokioTimer::new().wait(Duration::from_millis(1)));
}

#[test]
fn creates_succeed_with_a_new_runtime_per_call() {
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
fn transport_can_be_shared_by_runtimes_in_several_threads() {
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
fn timer_works_in_every_runtime() {
    let timer = TokioTimer::new();
    for runtime in runtimes() {
        let before = timer.now().monotonic;
        runtime.block_on(timer.wait(Duration::from_millis(2)));
        assert!(timer.now().monotonic - before >= Duration::from_millis(2));
    }
}

#[test]
fn transport_works_after_all_earlier_ones_were_dropped() {
    let server = server();
    for _ in 0..3 {
        let transport = ReqwestTransport::new().unwrap();
        expect_status(block_on(transport.exchange(get(&server.url("http", "/")))), 200, "[]");
    }
    assert_eq!(server.connections(), 3);
}

#[test]
fn connections_run_on_the_given_runtime() {
    let server = server();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let transport = ReqwestTransport::builder().runtime(runtime.handle().clone()).build().unwrap();
    // From outside of the runtime, and from within.
    expect_status(block_on(transport.exchange(get(&server.url("http", "/")))), 200, "[]");
    expect_status(runtime.block_on(transport.exchange(get(&server.url("http", "/")))), 200, "[]");
    assert_eq!(server.connections(), 1);
    drop(runtime);
    let reply = block_on(transport.exchange(get(&server.url("http", "/"))));
    expect(reply, TransportErrorKind::Lost, Delivery::MaybeSent);
}

#[test]
fn runtime_with_one_thread_is_rejected() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let built = ReqwestTransport::builder().runtime(runtime.handle().clone()).build();
    assert!(built.unwrap_err().to_string().contains("runtime"));
}
