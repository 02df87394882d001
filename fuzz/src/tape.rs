//! Bytes as a series of decisions.

/// What is left of the bytes.
#[derive(Debug)]
pub(crate) struct Tape<'a>(&'a [u8]);

impl<'a> Tape<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// The next byte, if there is one.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number below that, and 0 beyond the end.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte().unwrap_or_default()) % end
    }

    /// Four bytes as a number.
    pub(crate) fn number(&mut self) -> u32 {
        (0..4).fold(0, |sum, _| (sum << 8) | u32::from(self.byte().unwrap_or_default()))
    }

    /// Some bytes, as many as the next one says.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let wanted = self.below(256).min(self.0.len());
        let (bytes, rest) = self.0.split_at(wanted);
        self.0 = rest;
        bytes
    }

    /// Everything up to the next line break.
    pub(crate) fn line(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == b'\n').unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        line
    }
}
