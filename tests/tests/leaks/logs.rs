//! The HTTP clients' logs, at trace level, contain no key.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};
use strike_core::{List, NewCharge, RetryPolicy};
use strike_tests::{ClosedPort, Dialect, secrets};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Subscriber};

use crate::secrets::{assert_no_secret, endpoint, proxy_url};

/// Everything that was logged, through `log` or `tracing`.
static LOGGED: Mutex<String> = Mutex::new(String::new());

fn write_log(target: &str, message: &str) {
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(logged, "{target}: {message}").unwrap();
}

struct Listener;

impl Log for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        write_log(record.target(), &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Formats the fields of an event or a span.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        write_log(span.metadata().target(), &fields.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &SpanRecord<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        write_log("a span", &fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        write_log(event.metadata().target(), &fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn logs_of_the_http_clients_contain_no_key() {
    log::set_logger(&Listener).unwrap();
    log::set_max_level(LevelFilter::Trace);
    tracing::subscriber::set_global_default(Listener).unwrap();

    let sandbox = secrets::sandbox().start().unwrap();
    let closed = ClosedPort::take().unwrap();
    let proxy = proxy_url(closed.port());
    let unreachable = endpoint("https://no-such-host.invalid/");
    let plain_http = endpoint(&sandbox.base_url().replace("http:", "https:"));
    let endpoint = endpoint(sandbox.base_url());
    let order = || NewCharge::satoshis(4200, "tea");
    let once = RetryPolicy::never();

    let client = strike_blocking::Client::new(endpoint.clone()).unwrap();
    let charge = client.create(order()).unwrap();
    client.get(charge.id()).unwrap();
    strike_blocking::Client::builder(plain_http.clone()).retry(once).build().unwrap().list(0).unwrap_err();
    let proxied = strike_blocking::UreqTransport::builder().proxy(&proxy).build().unwrap();
    let proxied =
        strike_blocking::Client::builder(unreachable.clone()).transport(proxied).retry(once).build().unwrap();
    proxied.send(List::page(0)).unwrap_err();
    let origin = sandbox.base_url().trim_end_matches("/api/v1/");
    let endpoint_in = |dialect| secrets::endpoint_in(dialect, origin).unwrap();
    for dialect in [Dialect::Phoenixd, Dialect::Lnbits] {
        let client = strike_blocking::Client::new(endpoint_in(dialect)).unwrap();
        // The sandbox does not speak LNbits' dialect, but it gets the key.
        assert_eq!(client.create(order()).is_ok(), dialect == Dialect::Phoenixd);
        assert_eq!(client.list(0).is_ok(), dialect == Dialect::Phoenixd);
    }
    let logged_by_ureq = LOGGED.lock().unwrap().clone();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = strike_async::Client::new(endpoint).unwrap();
        let charge = client.create(order()).await.unwrap();
        client.get(charge.id()).await.unwrap();
        strike_async::Client::builder(plain_http).retry(once).build().unwrap().list(0).await.unwrap_err();
        let proxied = strike_async::ReqwestTransport::builder().proxy(&proxy).build().unwrap();
        let proxied =
            strike_async::Client::builder(unreachable).transport(proxied).retry(once).build().unwrap();
        proxied.send(List::page(0)).await.unwrap_err();
        for dialect in [Dialect::Phoenixd, Dialect::Lnbits] {
            let client = strike_async::Client::new(endpoint_in(dialect)).unwrap();
            assert_eq!(client.create(order()).await.is_ok(), dialect == Dialect::Phoenixd);
            assert_eq!(client.list(0).await.is_ok(), dialect == Dialect::Phoenixd);
        }
    });
    // phoenixd's lists hold the preimages of unpaid charges.
    let preimages: Vec<_> =
        sandbox.list_all().iter().map(|charge| sandbox.pay(charge.id()).unwrap().preimage_hex()).collect();
    assert_eq!(preimages.len(), 4);
    let logged = LOGGED.lock().unwrap().clone();

    // The listener did receive messages from these crates.
    for (logged, library) in [
        (&logged_by_ureq, "ureq"),
        (&logged_by_ureq, "rustls"),
        (&logged, "reqwest"),
        (&logged, "hyper_util"),
    ] {
        assert!(logged.contains(&format!("{library}::")), "{library} has logged nothing: {logged}");
    }
    for line in logged.lines() {
        assert_no_secret("a log", line);
        assert!(!preimages.iter().any(|preimage| line.contains(preimage)), "a log has a preimage: {line}");
    }
}
