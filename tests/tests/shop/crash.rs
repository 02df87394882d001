//! Crashes and restarts of the shop's program.

use strike_core::mirror::Mirror;
use strike_core::{Charge, WatcherSnapshot};

use super::shop::{Memory, Row};
use super::world::{Event, World};

impl World {
    pub(super) fn crash(&mut self) {
        self.tally.count("restarts");
        self.memory = Memory::default();
        self.watcher = self.plan.watcher(&self.machines);
        self.down = true;
        let longest = if self.plan.long_downs { 4 * 3_600_000 } else { 300_000 };
        let down = self.rng.u64(100..longest);
        self.after(down, Event::Restart);
    }

    pub(super) fn restart(&mut self) {
        self.down = false;
        self.started = self.time;
        self.machines = self.plan.machines(self.rng.u64(..));
        self.watcher = self.plan.watcher(&self.machines);
        for post in self.traces.iter_mut().flat_map(|trace| &mut trace.posts) {
            post.reported.get_or_insert(self.time);
        }
        if let Some((kept, live)) = &self.database.watched {
            let watched: WatcherSnapshot = serde_json::from_str(kept).unwrap();
            assert_eq!(watched.len(), live.len());
            self.watcher.restore(watched);
            self.memory.live = live.clone();
        }
        for order in 0..self.orders.len() {
            if self.orders[order].placed > 0 {
                self.resume(order);
            }
        }
        if !self.watcher.is_empty() {
            self.wake_watcher();
        }
    }

    /// Continues an order that was placed before the crash.
    pub(super) fn resume(&mut self, order: usize) {
        let charge: Option<Charge> = match &self.database.rows[order] {
            Row::Charge(kept) => Some(serde_json::from_str(kept).unwrap()),
            Row::Mirror(kept) => serde_json::from_str::<Mirror>(kept).unwrap().charge().cloned(),
            Row::Absent | Row::Over => None,
        };
        match charge {
            Some(charge) if self.plan.restore_only && self.orders[order].watched => {
                // Watched charges are only in the watcher's stored state.
                if let Row::Mirror(kept) = &self.database.rows[order] {
                    self.memory.mirrors.insert(order, serde_json::from_str(kept).unwrap());
                }
                self.memory.charges.insert(charge.id().clone(), (order, charge));
            }
            _ => self.begin(order),
        }
    }
}
