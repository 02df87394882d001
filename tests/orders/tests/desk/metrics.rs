//! The metrics of a desk and of its requests.

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use strike_async::{Client, RetryPolicy, Schedule};
use strike_orders::{Desk, RequestMetrics};

use crate::world::{Database, Till, Trouble, Wire, World, millis, tea, until};

/// Returns each metric with its labels, such as `strike_orders_ends_total{kind=paid}`.
fn read(snapshotter: &Snapshotter, into: &mut BTreeMap<String, f64>) {
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let labels: Vec<_> =
            key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let value = match value {
            // A snapshot resets counters and histograms.
            DebugValue::Counter(count) => {
                into.get(&name(key.key().name(), &labels)).unwrap_or(&0.0) + count as f64
            }
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(values) => values.len() as f64,
        };
        into.insert(name(key.key().name(), &labels), value);
    }
}

fn name(name: &str, labels: &[String]) -> String {
    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
}

/// The recorder is that of this thread, so the desk runs on the runtime of the test.
async fn metrics_count_invoices_ends_failures_and_requests(db: Database) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let world = World::new(db).await;
    let endpoint = world.host.sandbox.endpoint().unwrap();
    let client = Client::builder_with_transport(endpoint, Wire::new(&world.host)).timer(world.clock.clone());
    let client = client.retry(RetryPolicy::never()).observer(RequestMetrics).build().unwrap();
    let desk = Desk::builder(client).poll_interval(millis(20)).schedule(Schedule::every(millis(20)));
    let desk = desk.connect(&world.db.url()).await.unwrap();
    let (running, till) = (desk.clone(), Till::with([Trouble::Error("no paper".to_owned())]));
    let running =
        tokio::spawn(async move { running.run(async move |event, tx| till.handle(&event, tx).await).await });
    let paid = desk.place("paid", tea()).await.unwrap();
    world.pay(&paid);
    world.until_sold(&["paid paid 1"]).await;
    desk.place("pending", tea()).await.unwrap();
    let mut found = BTreeMap::new();
    until("the gauges", async || {
        read(&snapshotter, &mut found);
        found.get("strike_orders_pending") == Some(&1.0)
            && found.get("strike_orders_oldest_pending_seconds").is_some_and(|age| *age > 0.0)
    })
    .await;
    desk.stop();
    running.await.unwrap().unwrap();
    assert_eq!(found["strike_orders_invoices_total"], 2.0);
    assert_eq!(found["strike_orders_ends_total{kind=paid}"], 1.0);
    assert_eq!(found["strike_orders_handler_failures_total"], 1.0);
    assert!((0.0..60.0).contains(&found["strike_orders_lease_age_seconds"]));
    assert_eq!(found["strike_requests_total{operation=create charge,outcome=2xx}"], 2.0);
    assert!(found.keys().any(|name| name.starts_with("strike_request_seconds")), "{found:?}");
    let texts = found.keys().cloned().collect::<String>();
    assert!(!texts.contains("lntb") && !texts.contains(world.host.sandbox.api_key()), "{texts}");
}

on_both![metrics_count_invoices_ends_failures_and_requests];
