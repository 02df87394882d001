//! A connection as ureq sees it, over the one that ureq's connector has opened.
//!
//! - It masks response headers that ureq must not act on.
//! - It reports every I/O error to ureq.
//! - It sends head and body of a request together.

use std::mem;

use ureq::config::Config;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::buffers::GrowingBuffers;
use super::classify::wrap_io;
use super::mask::{self, Mask};

#[derive(Debug)]
pub(super) struct Connection {
    inner: Box<dyn Transport>,
    buffers: GrowingBuffers,
    mask: Mask,
    /// Whether ureq has asked if the connection is open since the last request.
    idle: bool,
}

impl Connection {
    pub(super) fn new(inner: Box<dyn Transport>, config: &Config) -> Self {
        // ureq gives up when the head of a response is longer than its limit.
        let limit = config.input_buffer_size().max(config.max_response_header_size());
        let limit = limit.saturating_add(config.input_buffer_size()).saturating_add(mask::LONGEST);
        Self { inner, buffers: GrowingBuffers::new(limit), mask: Mask::default(), idle: false }
    }

    /// Sends what is left of the request.
    fn flush(&mut self, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let mut output = self.buffers.take_unsent();
        while !output.is_empty() {
            let room = self.inner.buffers().output();
            let (piece, rest) = output.split_at(output.len().min(room.len()));
            if let Some(room) = room.get_mut(..piece.len()) {
                room.copy_from_slice(piece);
            }
            self.inner.transmit_output(piece.len(), timeout)?;
            output = rest;
        }
        Ok(())
    }

    /// Moves received bytes through the mask to the buffer that ureq reads from.
    fn take_input(&mut self) {
        let arrived = self.inner.buffers().input();
        // Leave room for the start of a line that the mask holds back and outputs later.
        let amount = arrived.len().min(self.buffers.room().saturating_sub(mask::LONGEST));
        self.mask.apply(arrived.get(..amount).unwrap_or_default(), self.buffers.received());
        self.buffers.appended();
        self.inner.buffers().input_consume(amount);
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.idle = false;
        self.mask.expect_head();
        if self.buffers.keep_unsent(amount) { Ok(()) } else { self.flush(timeout) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.flush(timeout)?;
        let more = self.inner.maybe_await_input(timeout).map_err(wrap_io)?;
        if more {
            self.take_input();
        } else {
            self.mask.end(self.buffers.received());
            self.buffers.appended();
        }
        Ok(more)
    }

    /// Asks the operating system only when ureq takes the connection out of its pool, and not when
    /// ureq puts it there. Whatever happened before is then seen, too.
    fn is_open(&mut self) -> bool {
        let pooled = mem::replace(&mut self.idle, true);
        self.inner.buffers().input().is_empty() && (!pooled || self.inner.is_open())
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
