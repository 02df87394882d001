//! No key, password, preimage or payment request leaks into traces, errors, `Debug` or tables.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};

use strike_orders::Desk;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::world::{Database, Till, Trouble, World, notification, tea};

/// Every trace of all tests in this process, since the first test of this file has started.
static TRACES: Mutex<String> = Mutex::new(String::new());

/// Collects the fields of spans and events as text.
struct Collector;

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

fn note(target: &str, record: impl FnOnce(&mut Fields<'_>)) {
    let mut traces = TRACES.lock().unwrap_or_else(PoisonError::into_inner);
    traces.push_str(target);
    record(&mut Fields(&mut traces));
    traces.push('\n');
}

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        note(span.metadata().target(), |fields| span.record(fields));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        note("record", |fields| values.record(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        note(event.metadata().target(), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

async fn traces_and_tables_of_a_whole_life_hold_no_secret(db: Database) {
    // Another test may have set it before.
    let _ = tracing::subscriber::set_global_default(Collector);
    let world = World::new(db).await;
    let instance = world.instance().await;
    let troubles = [Trouble::Error("an error".to_owned()), Trouble::Panic("a panic".to_owned())];
    let running = instance.run(&Till::with(troubles));
    let paid = instance.place("paid-order", tea()).await.unwrap();
    world.pay(&paid);
    world.until_sold(&["paid paid-order 1"]).await;
    let hint = notification(&paid);
    instance.on(|desk| async move { desk.hint(&hint).await.unwrap() }).await;
    let old = instance.place("expired-order", tea()).await.unwrap();
    world.expire(&old);
    world.until_sold(&["paid paid-order 1", "expired expired-order 1"]).await;
    let new = instance.renew("expired-order", tea()).await.unwrap();
    instance.desk.stop();
    running.await.unwrap().unwrap();

    let preimage = hex(world.host.sandbox.charge(paid.charge().id()).unwrap().preimage().unwrap());
    let key = world.host.sandbox.api_key();
    let traces = TRACES.lock().unwrap().clone();
    assert!(traces.contains("paid-order"), "the desk should trace the names of orders");
    for secret in [key, preimage.as_str(), new.payment_request(), paid.payment_request(), "lntb"] {
        assert!(!traces.contains(secret), "a trace holds {secret}");
    }
    let tables = world
        .db
        .texts(
            "SELECT mirror || coalesce(payment_request, '') || coalesce(handler_error, '') \
             || coalesce(create_error, '') || coalesce(reason, '') FROM strike_charges",
        )
        .await
        .join("\n");
    assert!(tables.contains(paid.payment_request()), "the shop needs the invoice");
    for secret in [key, preimage.as_str()] {
        assert!(!tables.contains(secret), "a table holds {secret}");
    }
    let debug = format!("{:?}", instance.desk);
    assert!(!debug.contains(key) && !debug.contains(&world.db.url()), "{debug}");
}

/// Connects to a database that does not exist, and checks that no text shows the password.
async fn assert_password_is_hidden(url: &str) {
    let world = World::new(Database::sqlite()).await;
    let client = world.instance().await.desk.client().clone();
    let builder = Desk::builder(client.clone());
    assert!(!format!("{builder:?}").contains("hunter2"));
    let error = Desk::connect(url, client).await.unwrap_err();
    let mut texts = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        write!(texts, " {error} {error:?}").unwrap();
        source = error.source();
    }
    assert!(!texts.contains("hunter2"), "{texts}");
}

#[tokio::test]
async fn errors_do_not_show_the_password_of_the_database() {
    for url in [
        "postgres://shop:hunter2@127.0.0.1:notaport/orders",
        "postgres://shop:hunter2@[/orders",
        "postgres://127.0.0.1/orders?password=hunter2&sslmode=invalid",
        "mysql://shop:hunter2@localhost/orders",
        "shop:hunter2@localhost",
        "sqlite://no/such/folder/orders.db?password=hunter2",
    ] {
        assert_password_is_hidden(url).await;
    }
}

on_both![traces_and_tables_of_a_whole_life_hold_no_secret];
