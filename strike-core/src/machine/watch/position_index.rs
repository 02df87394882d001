//! Where in the list a charge is likely to stand, learned from the pages that were read.

use crate::values::UnixMillis;

/// A row that was seen: when its charge was made, and how many rows stood before it.
#[derive(Debug, Clone, Copy)]
struct Mark {
    created: u64,
    offset: u32,
}

/// The first and the last row of each page that was read, newest first. Two marks of 16 bytes a page.
///
/// The list is ordered by time of creation and grows at its head. So a time lies between two marks, and its row is near the
/// same part of the way between their offsets; and when a known row is found further back than before, so are all behind it.
#[derive(Debug, Default)]
pub(super) struct Chart {
    marks: Vec<Mark>,
}

/// What the chart knows of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// About that many rows stand before it.
    About(u32),
    /// It is older than everything that was seen: behind that many rows.
    Behind(u32),
}

impl Chart {
    /// Where a charge of that time is likely to stand.
    pub(super) fn place(&self, created: UnixMillis) -> Place {
        let created = created.as_millis();
        let at = self.marks.partition_point(|mark| mark.created > created);
        match (at.checked_sub(1).and_then(|before| self.marks.get(before)), self.marks.get(at)) {
            (None, None) => Place::Behind(0),
            (None, Some(_)) => Place::About(0),
            (Some(newer), None) => Place::Behind(newer.offset.saturating_add(1)),
            (Some(newer), Some(older)) => {
                let span = u128::from(newer.created.saturating_sub(older.created)).max(1);
                let way = u128::from(newer.created.saturating_sub(created));
                let rows = u128::from(older.offset.saturating_sub(newer.offset));
                let into = u32::try_from(rows * way / span).unwrap_or(u32::MAX);
                Place::About(newer.offset.saturating_add(into))
            }
        }
    }

    /// Forgets all but the first mark behind that time: nobody will ask for it.
    pub(super) fn forget_behind(&mut self, oldest: UnixMillis) {
        let needed = self.marks.partition_point(|mark| mark.created >= oldest.as_millis());
        self.marks.truncate(needed.saturating_add(1));
    }

    /// Takes a page: the times of its first and last row, and how many rows stand before each.
    pub(super) fn observe(&mut self, first: (UnixMillis, u32), last: (UnixMillis, u32)) {
        let mark = |(created, offset): (UnixMillis, u32)| Mark { created: created.as_millis(), offset };
        let (first, last) = (mark(first), mark(last));
        let shift = match self.place(UnixMillis::from_millis(last.created)) {
            Place::About(offset) => i64::from(last.offset) - i64::from(offset),
            Place::Behind(_) => 0,
        };
        let newer =
            self.marks.iter().filter(|mark| mark.created > first.created && mark.offset < first.offset);
        let mut marks: Vec<Mark> = newer.copied().collect();
        marks.extend([first, last]);
        for mark in self.marks.iter().filter(|mark| mark.created < last.created) {
            let moved = u32::try_from(i64::from(mark.offset) + shift).unwrap_or_default();
            marks.push(Mark { created: mark.created, offset: moved.max(last.offset.saturating_add(1)) });
        }
        self.marks = marks;
    }
}

#[cfg(test)]
mod tests {
    use super::{Chart, Place};
    use crate::values::UnixMillis;

    fn at(created: u64) -> UnixMillis {
        UnixMillis::from_millis(created)
    }

    #[test]
    fn a_time_lies_between_the_rows_that_were_seen() {
        let mut chart = Chart::default();
        assert_eq!(chart.place(at(5)), Place::Behind(0));
        chart.observe((at(1000), 0), (at(910), 9));
        assert_eq!(chart.place(at(2000)), Place::About(0));
        assert_eq!(chart.place(at(950)), Place::About(5));
        assert_eq!(chart.place(at(909)), Place::Behind(10));
        chart.observe((at(900), 10), (at(810), 19));
        chart.forget_behind(at(950));
        assert_eq!((chart.place(at(950)), chart.place(at(905))), (Place::About(5), Place::Behind(10)));
    }

    #[test]
    fn what_moved_moves_all_behind_it() {
        let mut chart = Chart::default();
        chart.observe((at(1000), 0), (at(910), 9));
        chart.observe((at(900), 10), (at(810), 19));
        // Five charges were made meanwhile.
        chart.observe((at(1050), 0), (at(960), 9));
        assert_eq!(chart.place(at(910)), Place::About(14));
        assert_eq!(chart.place(at(810)), Place::About(24));
        // A page further back says that it was seven.
        chart.observe((at(930), 14), (at(840), 23));
        assert_eq!(chart.place(at(810)), Place::About(26));
        assert_eq!(chart.place(at(1050)), Place::About(0));
    }

    #[test]
    fn equal_times_and_deleted_rows_do_not_confuse_it() {
        let mut chart = Chart::default();
        chart.observe((at(7), 0), (at(7), 9));
        chart.observe((at(7), 10), (at(7), 19));
        assert_eq!(chart.place(at(6)), Place::Behind(20));
        chart.observe((at(9), 0), (at(8), 9));
        chart.observe((at(6), 10), (at(5), 19));
        chart.observe((at(5), 3), (at(4), 5));
        assert_eq!(chart.place(at(3)), Place::Behind(6));
    }
}
