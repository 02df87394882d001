//! What must be true when nothing happens any more.

use super::shop::Row;
use super::world::World;

impl World {
    /// Holds everything against the laws, when nothing happens any more.
    pub(super) fn check(&mut self) {
        assert!(
            !self.down && self.memory.jobs.is_empty(),
            "law 4: machines are left: {:?}",
            self.memory.jobs
        );
        for trace in &self.traces {
            if let Err(broken) = trace.check(&self.host) {
                panic!("order {}: {broken}", trace.order);
            }
        }
        let mut excused = vec![false; self.orders.len()];
        for trace in self.traces.iter().filter(|trace| trace.is_excused(&self.host)) {
            excused[trace.order] = true;
        }
        for (number, order) in self.orders.iter().enumerate() {
            self.tally.count("orders");
            if excused[number] {
                self.tally.count("beyond law 1's condition");
            }
            assert!(
                matches!(self.database.rows[number], Row::Over),
                "law 4: order {number} is left half-way: {:?}",
                self.database.rows[number]
            );
            let paid = order.shown.iter().any(|row| self.host.truths()[*row].paid);
            let completed = self.database.completed.contains(&number);
            assert!(
                completed || !paid || (excused[number] && order.shown.len() > 1),
                "law 2: order {number} was paid, and not completed"
            );
            assert!(paid || !completed, "law 3: order {number} was completed, and not paid");
            if order.shown.len() > 1 {
                self.tally.count("shown two invoices");
            }
        }
    }
}
