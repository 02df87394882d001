//! A sequence of choices, and the step to the next sequence.

/// One sequence of choices.
pub(super) struct Path {
    /// Each choice with the number of alternatives.
    pub(super) choices: Vec<(usize, usize)>,
    pub(super) position: usize,
    pub(super) depth: usize,
}

impl Path {
    /// Returns the next choice, or `None` beyond the depth.
    pub(super) fn choose(&mut self, of: usize) -> Option<usize> {
        if self.position == self.choices.len() {
            if self.position == self.depth {
                return None;
            }
            self.choices.push((0, of));
        }
        let (choice, known) = self.choices[self.position];
        assert_eq!(known, of, "a machine must be deterministic");
        self.position += 1;
        Some(choice)
    }

    /// Advances to the next sequence. Returns false after the last one.
    pub(super) fn advance(&mut self) -> bool {
        self.position = 0;
        while let Some((choice, of)) = self.choices.pop() {
            if choice + 1 < of {
                self.choices.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}
