//! The buffers of a connection. They grow with their content, up to a limit.
//!
//! ureq's own buffers are allocated and cleared in full size for each connection. That takes longer
//! than a request.

use ureq::unversioned::transport::Buffers;

/// The size of the output buffer. Longer requests are sent in several pieces.
const OUTPUT: usize = 16 << 10;

/// The space for a piece of a chunked request body. No request of this SDK has one.
const CHUNK: usize = 10 << 10;

/// Bytes that were received and not yet consumed, and bytes that are to be sent.
#[derive(Debug)]
pub(super) struct GrowingBuffers {
    /// Received bytes up to `filled`, and then perhaps space for more.
    input: Vec<u8>,
    filled: usize,
    consumed: usize,
    limit: usize,
    /// Whether ureq could use some of the input when it last looked.
    progress: bool,
    output: Vec<u8>,
    /// The number of bytes at the start of `output` that are to be sent.
    unsent: usize,
    /// ureq asks for it with each request body, also if the body has no chunks.
    chunk: Vec<u8>,
}

impl GrowingBuffers {
    /// Creates buffers that hold at most `limit` received bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            input: Vec::new(),
            filled: 0,
            consumed: 0,
            limit,
            progress: false,
            output: Vec::new(),
            unsent: 0,
            chunk: Vec::new(),
        }
    }

    /// Returns how many received bytes fit.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.filled.saturating_sub(self.consumed))
    }

    /// Returns the vector to append received bytes to. Call [`appended`](Self::appended) afterwards.
    pub(super) fn received(&mut self) -> &mut Vec<u8> {
        self.discard_consumed();
        self.input.truncate(self.filled);
        &mut self.input
    }

    /// Records the bytes that were appended to [`received`](Self::received).
    pub(super) fn appended(&mut self) {
        self.filled = self.input.len();
    }

    /// Keeps the first bytes of the output for the next [`take_unsent`](Self::take_unsent). Returns
    /// false if there is little space left, so that they should be sent now.
    pub(super) fn keep_unsent(&mut self, amount: usize) -> bool {
        self.unsent = self.unsent.saturating_add(amount).min(self.output.len());
        self.unsent < OUTPUT / 2
    }

    /// Returns the bytes that are to be sent, and forgets them.
    pub(super) fn take_unsent(&mut self) -> &[u8] {
        let unsent = std::mem::take(&mut self.unsent);
        self.output.get(..unsent).unwrap_or_default()
    }

    fn discard_consumed(&mut self) {
        if self.consumed > 0 {
            self.input.copy_within(self.consumed..self.filled, 0);
            self.filled = self.filled.saturating_sub(self.consumed);
            self.consumed = 0;
        }
    }

    fn prepare_output(&mut self) {
        if self.output.is_empty() {
            self.output.resize(OUTPUT, 0);
        }
    }
}

impl Buffers for GrowingBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.prepare_output();
        self.output.get_mut(self.unsent..).unwrap_or_default()
    }

    fn input(&self) -> &[u8] {
        self.input.get(self.consumed..self.filled).unwrap_or_default()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.discard_consumed();
        self.input.resize(self.limit.max(self.filled), 0);
        self.input.get_mut(self.filled..).unwrap_or_default()
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled = self.filled.saturating_add(amount).min(self.input.len());
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.consumed = self.consumed.saturating_add(amount).min(self.filled);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.prepare_output();
        self.chunk.resize(CHUNK, 0);
        (&mut self.chunk, self.output.get_mut(self.unsent..).unwrap_or_default())
    }

    fn can_use_input(&self) -> bool {
        self.progress && !self.input().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(buffers: &mut GrowingBuffers, bytes: &[u8]) {
        buffers.received().extend_from_slice(bytes);
        buffers.appended();
    }

    #[test]
    fn consumed_input_makes_room_for_more() {
        let mut buffers = GrowingBuffers::new(10);
        receive(&mut buffers, b"01234567");
        assert_eq!(buffers.room(), 2);
        buffers.input_consume(6);
        assert_eq!((buffers.input(), buffers.room(), buffers.can_use_input()), (&b"67"[..], 8, true));
        receive(&mut buffers, b"89");
        assert_eq!(buffers.input(), b"6789");
        buffers.input_consume(0);
        assert!(!buffers.can_use_input());
    }

    #[test]
    fn space_for_more_input_is_not_input() {
        let mut buffers = GrowingBuffers::new(10);
        receive(&mut buffers, b"01");
        assert_eq!(buffers.input_append_buf().len(), 8);
        receive(&mut buffers, b"2");
        assert_eq!(buffers.input(), b"012");
        buffers.input_append_buf()[..2].copy_from_slice(b"34");
        buffers.input_appended(2);
        assert_eq!(buffers.input(), b"01234");
    }

    #[test]
    fn pieces_of_the_output_are_sent_together() {
        let mut buffers = GrowingBuffers::new(10);
        for piece in [&b"head"[..], b"body"] {
            buffers.output()[..piece.len()].copy_from_slice(piece);
            assert!(buffers.keep_unsent(piece.len()));
        }
        assert_eq!(buffers.take_unsent(), b"headbody");
        assert_eq!(buffers.take_unsent(), b"");
        assert!(!buffers.keep_unsent(OUTPUT / 2));
    }
}
