//! What is compared: each contender does pairs of a create and a get.

use std::sync::Arc;

use strike_async::ReqwestTransportBuilder;
use strike_core::ChargeId;
use tokio::runtime::{Builder, Runtime};

use crate::ours::{async_client, blocking_client};
use crate::raw::{RawAsync, RawBlocking};
use crate::server::{Address, order};

/// A client that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Async,
    /// With a new connection for each create, as by default.
    AsyncFresh,
    /// On the runtime of the caller, instead of a thread of its own.
    AsyncOnRuntime,
    /// With HTTP/2, which needs TLS.
    AsyncHttp2,
    RawAsync,
    Blocking,
    BlockingFresh,
    RawBlocking,
    RawBlockingTimeout,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Async,
        Self::AsyncFresh,
        Self::AsyncOnRuntime,
        Self::AsyncHttp2,
        Self::RawAsync,
        Self::Blocking,
        Self::BlockingFresh,
        Self::RawBlocking,
        Self::RawBlockingTimeout,
    ];

    /// Returns the name in a table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Async => "strike-async",
            Self::AsyncFresh => "strike-async, creates on new connections",
            Self::AsyncOnRuntime => "strike-async on the caller's runtime",
            Self::AsyncHttp2 => "strike-async with HTTP/2",
            Self::RawAsync => "reqwest",
            Self::Blocking => "strike-blocking",
            Self::BlockingFresh => "strike-blocking, creates on new connections",
            Self::RawBlocking => "ureq",
            Self::RawBlockingTimeout => "ureq with a timeout",
        }
    }

    /// Returns the kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|kind| format!("{kind:?}") == name).unwrap()
    }
}

/// A client, ready for calls.
pub enum Contender {
    Async(Runtime, strike_async::Client),
    RawAsync(Runtime, RawAsync),
    Blocking(strike_blocking::Client),
    RawBlocking(RawBlocking),
}

/// The settings of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    pub tls: bool,
    /// Whether an async client is called from a runtime with one thread, or with several.
    pub one_thread: bool,
}

impl Contender {
    #[must_use]
    pub fn new(kind: Kind, setting: Setting, server: &Address) -> Self {
        let (plain, tls) = (server.plain.port(), server.tls.port());
        let base = match setting.tls {
            false => format!("http://127.0.0.1:{plain}/api/v1/"),
            true => format!("https://localhost:{tls}/api/v1/"),
        };
        let authority = &server.authority;
        let runtime = || {
            let mut builder =
                if setting.one_thread { Builder::new_current_thread() } else { Builder::new_multi_thread() };
            builder.enable_all().build().unwrap()
        };
        match kind {
            Kind::Async => Self::Async(runtime(), async_client(&base, authority, true, |builder| builder)),
            Kind::AsyncFresh => {
                Self::Async(runtime(), async_client(&base, authority, false, |builder| builder))
            }
            Kind::AsyncOnRuntime => {
                let runtime = runtime();
                let handle = runtime.handle().clone();
                Self::Async(runtime, async_client(&base, authority, true, |builder| builder.runtime(handle)))
            }
            Kind::AsyncHttp2 => {
                Self::Async(runtime(), async_client(&base, authority, true, ReqwestTransportBuilder::http2))
            }
            Kind::RawAsync => Self::RawAsync(runtime(), RawAsync::new(base, authority)),
            Kind::Blocking => Self::Blocking(blocking_client(&base, authority, true)),
            Kind::BlockingFresh => Self::Blocking(blocking_client(&base, authority, false)),
            Kind::RawBlocking => Self::RawBlocking(RawBlocking::new(base, authority, false)),
            Kind::RawBlockingTimeout => Self::RawBlocking(RawBlocking::new(base, authority, true)),
        }
    }

    /// Makes this many pairs of a create and a get. An async client has `in_flight` tasks that each
    /// make a share of them.
    pub fn pairs(&self, pairs: usize, in_flight: usize) {
        match self {
            Self::Async(runtime, client) => runtime.block_on(tasks(pairs, in_flight, || {
                let client = client.clone();
                move || {
                    let client = client.clone();
                    async move {
                        let charge = client.create(order()).await.unwrap();
                        client.get(charge.id()).await.unwrap();
                    }
                }
            })),
            Self::RawAsync(runtime, client) => {
                let client = Arc::new(client.clone());
                runtime.block_on(tasks(pairs, in_flight, || {
                    let client = client.clone();
                    move || {
                        let client = client.clone();
                        async move {
                            let charge = client.create().await.unwrap();
                            client.get(&charge.id).await.unwrap();
                        }
                    }
                }));
            }
            Self::Blocking(client) => {
                for _ in 0..pairs {
                    let charge = client.create(order()).unwrap();
                    let _: &ChargeId = client.get(charge.id()).unwrap().id();
                }
            }
            Self::RawBlocking(client) => {
                for _ in 0..pairs {
                    let charge = client.create().unwrap();
                    client.get(&charge.id).unwrap();
                }
            }
        }
    }
}

async fn tasks<P, F>(pairs: usize, in_flight: usize, task: impl Fn() -> P)
where
    P: Fn() -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    if in_flight == 1 {
        let pair = task();
        for _ in 0..pairs {
            pair().await;
        }
        return;
    }
    let share = pairs.div_ceil(in_flight);
    let tasks: Vec<_> = (0..in_flight)
        .map(|_| {
            let pair = task();
            tokio::spawn(async move {
                for _ in 0..share {
                    pair().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
