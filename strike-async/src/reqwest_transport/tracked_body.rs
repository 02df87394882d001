//! A request body that records whether the HTTP library has started to send it.
//!
//! reqwest's errors do not always show whether a request was sent. If the whole exchange times out,
//! the error is the same while connecting and while waiting for the response.
//!
//! HTTP/1 calls `is_end_stream` on the body right before it writes the request headers, and not
//! earlier. So if that method was not called, the request was not sent. [`SendGuard::cancel`]
//! checks this and prevents a later send in one atomic step. If another thread sends the request
//! afterwards, the body has no length, and its first frame is an error. The server then gets an
//! incomplete request, which it cannot process.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The body was not used yet.
const UNSENT: u8 = 0;
/// The request may have been sent.
const STARTED: u8 = 1;
/// The request must not be sent any more.
const CANCELLED: u8 = 2;

/// The body of a request. Its [`SendGuard`] shows whether it may have been sent.
pub(super) struct TrackedBody {
    content: Option<Bytes>,
    state: Arc<AtomicU8>,
}

/// Cancels the request of a [`TrackedBody`], unless it may have been sent.
pub(super) struct SendGuard(Arc<AtomicU8>);

impl TrackedBody {
    pub(super) fn new(content: Vec<u8>) -> (Self, SendGuard) {
        let state = Arc::new(AtomicU8::new(UNSENT));
        let content = Some(content).filter(|content| !content.is_empty()).map(Bytes::from);
        (Self { content, state: state.clone() }, SendGuard(state))
    }

    /// Records that sending starts. Returns false if the request was cancelled.
    fn start(&self) -> bool {
        let before = self.state.compare_exchange(UNSENT, STARTED, Ordering::AcqRel, Ordering::Acquire);
        before != Err(CANCELLED)
    }
}

impl SendGuard {
    /// Cancels the request. Returns false if the request may have been sent.
    pub(super) fn cancel(&self) -> bool {
        let before = self.0.compare_exchange(UNSENT, CANCELLED, Ordering::AcqRel, Ordering::Acquire);
        before != Err(STARTED)
    }
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = Cancelled;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cancelled>>> {
        if !self.start() {
            return Poll::Ready(Some(Err(Cancelled)));
        }
        Poll::Ready(self.content.take().map(|content| Ok(Frame::data(content))))
    }

    fn is_end_stream(&self) -> bool {
        self.start() && self.content.is_none()
    }

    /// Does not count as sending, because reqwest calls it long before it connects.
    fn size_hint(&self) -> SizeHint {
        if self.state.load(Ordering::Acquire) == CANCELLED {
            return SizeHint::default();
        }
        let length = self.content.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

/// The error of a body whose request was cancelled before it was sent.
#[derive(Debug)]
pub(super) struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request was cancelled")
    }
}

impl std::error::Error for Cancelled {}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn next(body: &mut TrackedBody) -> Option<Result<Bytes, Cancelled>> {
        match Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(frame) => frame.map(|frame| frame.map(|frame| frame.into_data().unwrap())),
            Poll::Pending => panic!("the body should always be ready"),
        }
    }

    #[test]
    fn started_body_cannot_be_cancelled() {
        let (mut body, guard) = TrackedBody::new(b"amount=1".to_vec());
        assert_eq!(body.size_hint().exact(), Some(8));
        assert!(!body.is_end_stream());
        assert!(!guard.cancel());
        assert_eq!(next(&mut body).unwrap().unwrap(), "amount=1");
        assert!(next(&mut body).is_none());
        assert!(body.is_end_stream());
    }

    #[test]
    fn size_hint_does_not_start_the_body() {
        let (body, guard) = TrackedBody::new(Vec::new());
        assert_eq!(body.size_hint().exact(), Some(0));
        assert!(guard.cancel());
        assert!(guard.cancel());
    }

    #[test]
    fn cancelled_body_is_never_a_complete_request() {
        for content in [&b""[..], b"amount=1"] {
            let (mut body, guard) = TrackedBody::new(content.to_vec());
            assert!(guard.cancel());
            assert!(!body.is_end_stream());
            assert_eq!(body.size_hint().exact(), None);
            assert!(next(&mut body).unwrap().is_err());
        }
    }

    #[test]
    fn empty_body_is_at_its_end() {
        let (body, _guard) = TrackedBody::new(Vec::new());
        assert!(body.is_end_stream());
    }
}
