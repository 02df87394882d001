//! The checks at the end of a simulation.

use super::plan::START;
use super::shop::Row;
use super::world::World;

/// A payment that arrives at least this long before the expiry is seen by the last read, in
/// milliseconds. The read begins 5 s before the expiry.
const LAST_LOOK: u64 = 6000;

/// How long delays after earlier faults may last, in milliseconds.
const SETTLING: u64 = 120_000;

impl World {
    /// Checks the rules.
    pub(super) fn check(&mut self) {
        assert!(
            !self.down && self.memory.jobs.is_empty(),
            "rule 4: machines are left: {:?}",
            self.memory.jobs
        );
        for trace in &self.traces {
            if let Err(violation) = trace.check(&self.host) {
                panic!("order {}: {violation}", trace.order);
            }
        }
        let mut exceptions = vec![false; self.orders.len()];
        for trace in self.traces.iter().filter(|trace| trace.is_exception(&self.host)) {
            exceptions[trace.order] = true;
        }
        for (number, order) in self.orders.iter().enumerate() {
            self.tally.count("orders");
            if exceptions[number] {
                self.tally.count("exceptions from rule 1");
            }
            assert!(
                matches!(self.database.rows[number], Row::Over),
                "rule 4: order {number} is incomplete: {:?}",
                self.database.rows[number]
            );
            let paid = order.shown.iter().any(|row| self.host.actual()[*row].paid);
            let completed = self.database.completed.contains(&number);
            let is_hidden = order.shown.iter().any(|row| self.is_hidden(*row));
            if is_hidden && paid && !completed {
                self.tally.count("payments that LNbits hides");
            }
            assert!(
                completed || !paid || is_hidden || (exceptions[number] && order.shown.len() > 1),
                "rule 2: order {number} was paid, but not completed"
            );
            assert!(paid || !completed, "rule 3: order {number} was completed, but not paid");
            if order.shown.len() > 1 {
                self.tally.count("shown two invoices");
            }
        }
    }

    /// Returns true if LNbits hides a payment, and the shop may have had no chance to see it. It has
    /// one without faults: the read shortly before the expiry.
    fn is_hidden(&self, row: usize) -> bool {
        let last_look = self.host.expires(row) - LAST_LOOK;
        let never_disturbed = self.plan.faults == 0 && self.plan.crashes == 0;
        let settled = if never_disturbed { 0 } else { self.plan.calm_at.max(self.started) + SETTLING };
        let is_calm = last_look >= START + settled;
        let has_time = self.orders.len() <= 40 && self.plan.pace <= 20;
        let is_early = self.host.actual()[row].paid_at <= last_look;
        self.host.actual()[row].paid
            && self.host.hides(row, self.plan.grace)
            && !(is_calm && has_time && is_early)
    }
}
