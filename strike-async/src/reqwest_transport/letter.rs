//! A request body that knows whether anybody has opened it, and can be withdrawn until then.
//!
//! reqwest's errors do not always tell whether a request left: when the time for the whole exchange runs out,
//! the error is the same while connecting as it is while waiting for an answer. But HTTP/1 asks a body whether
//! it is empty right before it writes the head, and nobody asks earlier. So a letter that was not asked, and is
//! withdrawn in that state, was not sent. Should the question come after the withdrawal, in another thread, the
//! letter declares a body without a length and breaks off before its first byte: such a request is not whole,
//! and no server can act upon it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

const SEALED: u8 = 0;
const OPENED: u8 = 1;
const WITHDRAWN: u8 = 2;

/// The body.
pub(super) struct Letter {
    content: Option<Bytes>,
    state: Arc<AtomicU8>,
}

/// The sender's hold on a [`Letter`].
pub(super) struct Receipt(Arc<AtomicU8>);

impl Letter {
    pub(super) fn new(content: Vec<u8>) -> (Self, Receipt) {
        let state = Arc::new(AtomicU8::new(SEALED));
        let content = Some(content).filter(|content| !content.is_empty()).map(Bytes::from);
        (Self { content, state: state.clone() }, Receipt(state))
    }

    /// Opens it, unless it was withdrawn.
    fn open(&self) -> bool {
        let before = self.state.compare_exchange(SEALED, OPENED, Ordering::AcqRel, Ordering::Acquire);
        before != Err(WITHDRAWN)
    }
}

impl Receipt {
    /// Takes the letter back; false if it was opened, and may have been sent.
    pub(super) fn withdraw(&self) -> bool {
        let before = self.0.compare_exchange(SEALED, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire);
        before != Err(OPENED)
    }
}

impl Body for Letter {
    type Data = Bytes;
    type Error = Withdrawn;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Withdrawn>>> {
        if !self.open() {
            return Poll::Ready(Some(Err(Withdrawn)));
        }
        Poll::Ready(self.content.take().map(|content| Ok(Frame::data(content))))
    }

    fn is_end_stream(&self) -> bool {
        self.open() && self.content.is_none()
    }

    /// Does not open it: reqwest asks for the size long before it connects.
    fn size_hint(&self) -> SizeHint {
        if self.state.load(Ordering::Acquire) == WITHDRAWN {
            return SizeHint::default();
        }
        let length = self.content.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

/// The letter was withdrawn before it was sent.
#[derive(Debug)]
pub(super) struct Withdrawn;

impl fmt::Display for Withdrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request was withdrawn")
    }
}

impl std::error::Error for Withdrawn {}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn next(letter: &mut Letter) -> Option<Result<Bytes, Withdrawn>> {
        match Pin::new(letter).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(frame) => frame.map(|frame| frame.map(|frame| frame.into_data().unwrap())),
            Poll::Pending => panic!("a letter is always ready"),
        }
    }

    #[test]
    fn once_opened_it_cannot_be_withdrawn() {
        let (mut letter, receipt) = Letter::new(b"amount=1".to_vec());
        assert_eq!(letter.size_hint().exact(), Some(8));
        assert!(!letter.is_end_stream());
        assert!(!receipt.withdraw());
        assert_eq!(next(&mut letter).unwrap().unwrap(), "amount=1");
        assert!(next(&mut letter).is_none());
        assert!(letter.is_end_stream());
    }

    #[test]
    fn asking_for_the_size_does_not_open_it() {
        let (letter, receipt) = Letter::new(Vec::new());
        assert_eq!(letter.size_hint().exact(), Some(0));
        assert!(receipt.withdraw());
        assert!(receipt.withdraw());
    }

    #[test]
    fn once_withdrawn_it_is_never_a_whole_request() {
        for content in [&b""[..], b"amount=1"] {
            let (mut letter, receipt) = Letter::new(content.to_vec());
            assert!(receipt.withdraw());
            assert!(!letter.is_end_stream());
            assert_eq!(letter.size_hint().exact(), None);
            assert!(next(&mut letter).unwrap().is_err());
        }
    }

    #[test]
    fn an_empty_one_is_no_body() {
        let (letter, _receipt) = Letter::new(Vec::new());
        assert!(letter.is_end_stream());
    }
}
