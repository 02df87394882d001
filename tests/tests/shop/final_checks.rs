//! The checks at the end of a simulation.

use super::shop::Row;
use super::world::World;

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
            assert!(
                completed || !paid || (exceptions[number] && order.shown.len() > 1),
                "rule 2: order {number} was paid, but not completed"
            );
            assert!(paid || !completed, "rule 3: order {number} was completed, but not paid");
            if order.shown.len() > 1 {
                self.tally.count("shown two invoices");
            }
        }
    }
}
