//! What the HTTP clients below tell a log, at its most talkative, while a key passes through them.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};
use strike_core::{List, NewCharge, RetryPolicy};
use strike_sandbox::Sandbox;
use strike_tests::ClosedPort;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Subscriber};

use crate::secrets::{KEY, assert_silent, endpoint, proxy_url};

/// All that was told, by whichever way.
static TOLD: Mutex<String> = Mutex::new(String::new());

fn tell(target: &str, words: &str) {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(told, "{target}: {words}").unwrap();
}

struct Listener;

impl Log for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        tell(record.target(), &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Writes the fields of an event or a span out.
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
        tell(span.metadata().target(), &fields.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &SpanRecord<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        tell("a span", &fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        tell(event.metadata().target(), &fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn the_clients_below_tell_no_log_the_key() {
    log::set_logger(&Listener).unwrap();
    log::set_max_level(LevelFilter::Trace);
    tracing::subscriber::set_global_default(Listener).unwrap();

    let sandbox = Sandbox::builder().api_key(KEY).start().unwrap();
    let at = endpoint(sandbox.base_url());
    let closed = ClosedPort::take().unwrap();
    let proxy = proxy_url(closed.port());
    let away = endpoint("https://no-such-host.invalid/");
    let no_tls = endpoint(&sandbox.base_url().replace("http:", "https:"));
    let order = || NewCharge::satoshis(4200, "overheard");
    let once = RetryPolicy::never();

    let client = strike_blocking::Client::new(at.clone()).unwrap();
    let charge = client.create(order()).unwrap();
    client.get(charge.id()).unwrap();
    strike_blocking::Client::builder(no_tls.clone()).retry(once).build().unwrap().list(0).unwrap_err();
    let proxied = strike_blocking::UreqTransport::builder().proxy(&proxy).build().unwrap();
    let proxied =
        strike_blocking::Client::builder(away.clone()).transport(proxied).retry(once).build().unwrap();
    proxied.send(List::page(0)).unwrap_err();
    let by_ureq = TOLD.lock().unwrap().clone();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = strike_async::Client::new(at).unwrap();
        let charge = client.create(order()).await.unwrap();
        client.get(charge.id()).await.unwrap();
        strike_async::Client::builder(no_tls).retry(once).build().unwrap().list(0).await.unwrap_err();
        let proxied = strike_async::ReqwestTransport::builder().proxy(&proxy).build().unwrap();
        let proxied = strike_async::Client::builder(away).transport(proxied).retry(once).build().unwrap();
        proxied.send(List::page(0)).await.unwrap_err();
    });
    let told = TOLD.lock().unwrap().clone();

    // It did listen.
    for (told, talker) in
        [(&by_ureq, "ureq"), (&by_ureq, "rustls"), (&told, "reqwest"), (&told, "hyper_util")]
    {
        assert!(told.contains(&format!("{talker}::")), "{talker} has told nothing: {told}");
    }
    for line in told.lines() {
        assert_silent("a log", line);
    }
}
