//! The spans and events of the feature `tracing`: one span for each call, one event for each attempt.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use strike_core::{ApiKey, Endpoint, NewCharge, RetryPolicy};
use strike_sandbox::{RunningSandbox, Sandbox};
use strike_tests::ClosedPort;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const KEY: &str = "sk_CanaryCanaryCanary1234567";

/// Collects the client's own spans and events as text.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<String>>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() != "latency_ms" {
            write!(self.0, " {}={value:?}", field.name()).unwrap();
        }
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "strike"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = "span".to_owned();
        span.record(&mut Fields(&mut text));
        self.0.lock().unwrap().push(text);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = "event".to_owned();
        event.record(&mut Fields(&mut text));
        self.0.lock().unwrap().push(text);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn collect(run: impl FnOnce()) -> Vec<String> {
    let collector = Collector::default();
    tracing::subscriber::with_default(collector.clone(), run);
    let lines = collector.0.lock().unwrap().clone();
    assert!(lines.iter().all(|line| !line.contains("Canary") && !line.contains("lntb")), "{lines:?}");
    lines
}

fn endpoint(base_url: &str) -> Endpoint {
    Endpoint::new(base_url, ApiKey::new(KEY).unwrap(), strike_core::Network::Testnet).unwrap()
}

fn sandbox() -> RunningSandbox {
    Sandbox::builder().api_key(KEY).start().unwrap()
}

const TRACES: [&str; 5] = [
    r#"span call="create""#,
    r#"event message=response operation="create charge" attempt=1 status=200"#,
    r#"span call="list""#,
    r#"event message=no response operation="list charges" attempt=1 error="the host refused the connection" delivery=Unsent"#,
    r#"event message=no response operation="list charges" attempt=2 error="the host refused the connection" delivery=Unsent"#,
];

#[test]
fn the_blocking_client_emits_a_span_per_call_and_an_event_per_attempt() {
    let (sandbox, closed) = (sandbox(), ClosedPort::take().unwrap());
    let nobody = endpoint(&format!("http://127.0.0.1:{}/", closed.port()));
    let lines = collect(|| {
        use strike_blocking::Client;
        Client::new(endpoint(sandbox.base_url())).unwrap().create(NewCharge::satoshis(4200, "tea")).unwrap();
        let twice = RetryPolicy::default().attempts(2);
        Client::builder(nobody).retry(twice).build().unwrap().list(0).unwrap_err();
    });
    assert_eq!(lines, TRACES);
}

#[test]
fn the_async_client_emits_a_span_per_call_and_an_event_per_attempt() {
    let (sandbox, closed) = (sandbox(), ClosedPort::take().unwrap());
    let nobody = endpoint(&format!("http://127.0.0.1:{}/", closed.port()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lines = collect(|| {
        use strike_async::Client;
        runtime.block_on(async {
            let client = Client::new(endpoint(sandbox.base_url())).unwrap();
            client.create(NewCharge::satoshis(4200, "tea")).await.unwrap();
            let twice = RetryPolicy::default().attempts(2);
            Client::builder(nobody).retry(twice).build().unwrap().list(0).await.unwrap_err();
        });
    });
    assert_eq!(lines, TRACES);
}
