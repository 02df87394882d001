//! Payments, webhooks and forged webhooks.

use super::plan::START;
use super::world::{Event, World};

impl World {
    /// Decides whether and when a customer pays a charge.
    pub(super) fn customer(&mut self, row: usize) {
        let left = self.host.expires(row).saturating_sub(START + self.time);
        let after = match self.rng.u8(0..10) {
            0 | 1 => return,
            // At once, while the shop may still be creating.
            2 | 3 => self.rng.u64(0..500),
            // In the last second before expiry.
            4 => left.saturating_sub(self.rng.u64(1..1000)),
            // After expiry.
            5 => left + self.rng.u64(0..600_000),
            _ => self.rng.u64(0..left + 1),
        };
        let began = START + self.time + after;
        // A payment may take some time, up to the grace period.
        let duration = match self.rng.u8(0..4) {
            0 if !self.host.is_real() => self.rng.u64(0..self.plan.grace),
            _ => 0,
        };
        self.after(after + duration, Event::PayerPays { row, began });
    }

    pub(super) fn pay(&mut self, row: usize, began: u64) {
        if !self.host.pay(row, began, START + self.time) {
            self.tally.count("rejected payments");
            return;
        }
        let body = event(self.host.actual()[row].id.as_str());
        let times = self.rng.u8(0..3);
        if times == 0 {
            self.tally.count("lost webhooks");
        }
        for _ in 0..times {
            let after = if self.rng.bool() { self.rng.u64(0..500) } else { self.rng.u64(0..120_000) };
            self.after(after, Event::Webhook(body.clone()));
        }
    }

    /// Sends a forged webhook, which says that a charge was paid.
    pub(super) fn forge_webhook(&mut self) {
        let known = self.host.actual().len();
        let id = match self.rng.u8(0..3) {
            0 if known > 0 => self.host.actual()[self.rng.usize(0..known)].id.as_str().to_owned(),
            1 => "../charges?page=0".to_owned(),
            _ => super::service::Service::id(self.rng.usize(1_000_000..2_000_000)),
        };
        self.tally.count("forged webhooks");
        let body = event(&id);
        self.after(0, Event::Webhook(body));
    }
}

fn event(id: &str) -> Vec<u8> {
    format!(r#"{{"object":"event","data":{{"id":"{id}","object":"charge","paid":true}}}}"#).into_bytes()
}
