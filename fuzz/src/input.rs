//! Reads fuzz input as a sequence of values.

/// The unread rest of the fuzz input. Values are 0 or empty after the end.
#[derive(Debug)]
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// Returns the next byte, or `None` at the end.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Returns a number below `end`, or 0 at the end of the input.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte().unwrap_or_default()) % end
    }

    /// Returns the next four bytes as a big-endian number. Missing bytes count as 0.
    pub(crate) fn number(&mut self) -> u32 {
        (0..4).fold(0, |sum, _| (sum << 8) | u32::from(self.byte().unwrap_or_default()))
    }

    /// Returns a slice whose length is the next byte.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let wanted = self.below(256).min(self.0.len());
        let (bytes, rest) = self.0.split_at(wanted);
        self.0 = rest;
        bytes
    }

    /// Returns the bytes up to the next line break and skips the line break.
    pub(crate) fn line(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == b'\n').unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        line
    }
}
