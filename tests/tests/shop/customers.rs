//! Payments, the events of LNbits' node, webhooks and forged webhooks.

use strike_core::UnixMillis;
use strike_tests::Dialect;
use strike_tests::lnbits::Kind;

use super::plan::START;
use super::webhooks;
use super::world::{Event, World};

impl World {
    /// Decides whether and when a customer pays a charge.
    pub(super) fn customer(&mut self, row: usize) {
        let left = self.host.expires(row).saturating_sub(START + self.time);
        let after = match self.rng.u8(0..10) {
            0 | 1 => return,
            // At once, while the shop may still be creating.
            2 | 3 => self.rng.u64(0..500),
            // In the last second before expiry, or some seconds before that.
            4 if self.rng.bool() => left.saturating_sub(self.rng.u64(1..1000)),
            4 => left.saturating_sub(self.rng.u64(6000..30_000)),
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
        let has_event = self.prepare_lnbits(row);
        if !self.host.pay(row, began, START + self.time) {
            self.tally.count("rejected payments");
            return;
        }
        let webhook = webhooks::genuine(self.plan.dialect, self.host.actual()[row].id.as_str());
        // LNbits sends a webhook only if it gets its node's event.
        let times = if has_event { self.rng.u8(0..3) } else { 0 };
        if times == 0 {
            self.tally.count("lost webhooks");
        }
        for _ in 0..times {
            let after = if self.rng.bool() { self.rng.u64(0..500) } else { self.rng.u64(0..120_000) };
            self.after(after, Event::Webhook(webhook.clone()));
        }
    }

    /// Decides whether the same wallet pays, and whether LNbits gets its node's event of the payment.
    /// Returns true if it gets it at once.
    fn prepare_lnbits(&mut self, row: usize) -> bool {
        if self.plan.dialect != Dialect::Lnbits {
            return true;
        }
        let hash = &self.host.actual()[row].hash.clone();
        if self.rng.u8(0..8) == 0 {
            self.tally.count("wallets that paid themselves");
            self.host.lnbits.mark(hash, Kind::SelfPaid);
        }
        match self.rng.u8(0..4) {
            0 | 1 => {
                self.tally.count("lost events");
                self.host.lnbits.withhold(hash);
                false
            }
            2 => {
                self.tally.count("late events");
                self.host.lnbits.withhold(hash);
                let after = self.rng.u64(0..120_000);
                self.after(after, Event::NodeReportsLate(row));
                false
            }
            _ => true,
        }
    }

    pub(super) fn late_event(&mut self, row: usize) {
        let actual = &self.host.actual()[row];
        if actual.paid {
            let hash = actual.hash.clone();
            self.host.lnbits.deliver(&hash, UnixMillis::from_millis(START + self.time));
        }
    }

    /// Turns the charge of another customer into a payment that is not a charge of this SDK.
    pub(super) fn make_foreign(&mut self, row: usize) {
        match (self.plan.dialect, self.rng.u8(0..4)) {
            (Dialect::Phoenixd, 0) => drop(self.host.on_chain.insert(row)),
            (Dialect::Lnbits, kind @ (0 | 1)) => {
                let hash = self.host.actual()[row].hash.clone();
                self.host.lnbits.mark(&hash, if kind == 0 { Kind::Fractional } else { Kind::OpenAmount });
            }
            _ => {}
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
        let webhook = webhooks::forged(self.plan.dialect, &id);
        self.after(0, Event::Webhook(webhook));
    }
}
