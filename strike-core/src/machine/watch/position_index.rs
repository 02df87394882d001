//! Estimates where in the list a charge is, from the pages that were read.

use crate::values::UnixMillis;

/// A row that was read: the creation time of its charge, and the number of rows before it.
#[derive(Debug, Clone, Copy)]
struct Mark {
    created: u64,
    offset: u32,
}

/// The positions of the first and the last row of each page that was read, newest first. A page
/// takes two marks of 16 bytes.
///
/// The list is sorted by creation time, newest first, and new charges are added at its front. So
/// the position of a charge can be interpolated between two marks. If a row has moved back, all
/// rows after it have moved back as far.
#[derive(Debug, Default)]
pub(super) struct PositionIndex {
    marks: Vec<Mark>,
}

/// The estimated position of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// About this many rows are before it.
    About(u32),
    /// It is older than all rows that were read. About this many rows are before it, if older
    /// charges were created as often as those.
    Beyond(u32),
}

impl PositionIndex {
    /// Returns the estimated position of a charge with this creation time.
    pub(super) fn position(&self, created: UnixMillis) -> Position {
        let created = created.as_millis();
        let older = self.marks.partition_point(|mark| mark.created > created);
        match (older.checked_sub(1).and_then(|before| self.marks.get(before)), self.marks.get(older)) {
            (None, None) => Position::Beyond(0),
            (None, Some(_)) => Position::About(0),
            (Some(newer), None) => {
                let newest = self.marks.first().unwrap_or(newer);
                Position::Beyond(newer.offset.saturating_add(rows_until(created, newer, newest, newer)))
            }
            (Some(newer), Some(older)) => {
                Position::About(newer.offset.saturating_add(rows_until(created, newer, newer, older)))
            }
        }
    }

    /// Drops the marks older than the oldest pending charge, except the first of them.
    pub(super) fn forget_before(&mut self, oldest: UnixMillis) {
        let needed = self.marks.partition_point(|mark| mark.created >= oldest.as_millis());
        self.marks.truncate(needed.saturating_add(1));
    }

    /// Adds a page: the creation times of its first and last row, and the number of rows before
    /// each.
    pub(super) fn add_page(&mut self, first: (UnixMillis, u32), last: (UnixMillis, u32)) {
        let mark = |(created, offset): (UnixMillis, u32)| Mark { created: created.as_millis(), offset };
        let (first, last) = (mark(first), mark(last));
        let shift = match self.position(UnixMillis::from_millis(last.created)) {
            Position::About(offset) => i64::from(last.offset) - i64::from(offset),
            Position::Beyond(_) => 0,
        };
        let newer =
            self.marks.partition_point(|mark| mark.created > first.created && mark.offset < first.offset);
        let older = self.marks.partition_point(|mark| mark.created >= last.created);
        self.marks.splice(newer..older.max(newer), [first, last]);
        for mark in self.marks.iter_mut().skip(newer.saturating_add(2)) {
            let moved = u32::try_from(i64::from(mark.offset) + shift).unwrap_or_default();
            let moved = moved.max(last.offset.saturating_add(1));
            if shift == 0 && moved == mark.offset {
                return;
            }
            mark.offset = moved;
        }
    }
}

/// Returns how many rows after `newer` an older charge with this creation time is, at least 1, if
/// charges were created as often as between `from` and `to`.
fn rows_until(created: u64, newer: &Mark, from: &Mark, to: &Mark) -> u32 {
    let span = u128::from(from.created.saturating_sub(to.created));
    let rows = u128::from(to.offset.saturating_sub(from.offset));
    let distance = u128::from(newer.created.saturating_sub(created));
    u32::try_from((rows * distance).checked_div(span).unwrap_or_default()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::{Position, PositionIndex};
    use crate::values::UnixMillis;

    fn millis(created: u64) -> UnixMillis {
        UnixMillis::from_millis(created)
    }

    #[test]
    fn positions_are_interpolated_between_rows_that_were_read() {
        let mut index = PositionIndex::default();
        assert_eq!(index.position(millis(5)), Position::Beyond(0));
        index.add_page((millis(1000), 0), (millis(910), 9));
        assert_eq!(index.position(millis(2000)), Position::About(0));
        assert_eq!(index.position(millis(950)), Position::About(5));
        assert_eq!(index.position(millis(909)), Position::Beyond(10));
        index.add_page((millis(900), 10), (millis(810), 19));
        index.forget_before(millis(950));
        assert_eq!(
            (index.position(millis(950)), index.position(millis(905))),
            (Position::About(5), Position::Beyond(10))
        );
    }

    #[test]
    fn rows_behind_a_row_that_moved_move_too() {
        let mut index = PositionIndex::default();
        index.add_page((millis(1000), 0), (millis(910), 9));
        index.add_page((millis(900), 10), (millis(810), 19));
        // Five charges were created in between.
        index.add_page((millis(1050), 0), (millis(960), 9));
        assert_eq!(index.position(millis(910)), Position::About(14));
        assert_eq!(index.position(millis(810)), Position::About(24));
        // A page further back shows that seven were created.
        index.add_page((millis(930), 14), (millis(840), 23));
        assert_eq!(index.position(millis(810)), Position::About(26));
        assert_eq!(index.position(millis(1050)), Position::About(0));
    }

    #[test]
    fn equal_times_and_deleted_rows_are_handled() {
        let mut index = PositionIndex::default();
        index.add_page((millis(7), 0), (millis(7), 9));
        index.add_page((millis(7), 10), (millis(7), 19));
        assert_eq!(index.position(millis(6)), Position::Beyond(20));
        index.add_page((millis(9), 0), (millis(8), 9));
        index.add_page((millis(6), 10), (millis(5), 19));
        index.add_page((millis(5), 3), (millis(4), 5));
        assert_eq!(index.position(millis(3)), Position::Beyond(6));
    }
}
