//! A connection's stream with two timeouts: the client is idle after a response, or does not read a response.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::connection_limit::{Slot, Stage};
use super::stream::Stream;

/// How long a write may wait for the client to read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct TimedStream {
    stream: Stream,
    slot: Arc<Slot>,
    idle: Timer,
    write: Timer,
}

impl TimedStream {
    /// Wraps a stream. `idle` is how long the client may send nothing after a response.
    pub(super) fn new(stream: Stream, slot: Arc<Slot>, idle: Duration) -> Self {
        Self { stream, slot, idle: Timer::new(idle), write: Timer::new(WRITE_TIMEOUT) }
    }

    pub(super) fn into_stream(self) -> Stream {
        self.stream
    }

    /// Passes on the outcome of a write. A write that is pending for too long becomes an error.
    fn with_write_timeout<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write.stop();
            return outcome;
        }
        self.write.poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(context, into);
        if this.slot.stage() != Stage::Idle {
            return outcome;
        }
        match outcome {
            // After the timeout, an empty read: hyper takes it for the end of the connection and closes it.
            Poll::Pending => this.idle.poll(context).map(Ok),
            Poll::Ready(outcome) => {
                if into.filled().len() > before {
                    this.slot.set_stage(Stage::ReadingHead);
                    this.idle.stop();
                }
                Poll::Ready(outcome)
            }
        }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.with_write_timeout(context, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.with_write_timeout(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(context);
        if matches!(outcome, Poll::Ready(Ok(()))) && this.slot.stage() == Stage::Flushing {
            this.slot.set_stage(Stage::Idle);
            this.idle.stop();
            // Start the idle timer here, since hyper may not poll a read until something happens.
            if this.idle.poll(context).is_ready() {
                context.waker().wake_by_ref();
            }
        }
        this.with_write_timeout(context, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(context);
        this.with_write_timeout(context, outcome)
    }
}

/// A timer that starts with the first poll.
struct Timer {
    duration: Duration,
    /// When it is due. `None` while it is stopped.
    end: Option<Instant>,
    /// Wakes the connection at the end, or earlier.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    const fn new(duration: Duration) -> Self {
        Self { duration, end: None, sleep: None }
    }

    /// Is ready once the duration has passed since the first poll.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // If it is too long for the clock, `sleep` uses the longest time that tokio supports.
        let after = |time| Instant::now().checked_add(time).unwrap_or_else(|| sleep(time).deadline());
        let end = *self.end.get_or_insert_with(|| after(self.duration));
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(end)));
        loop {
            ready!(sleep.as_mut().poll(context));
            if Instant::now() >= end {
                return Poll::Ready(());
            }
            // It was set before the latest stop. To set it again only now is cheaper than with each
            // request.
            sleep.as_mut().reset(end);
        }
    }

    /// Stops the timer. The next poll starts it again.
    const fn stop(&mut self) {
        self.end = None;
    }
}

/// A response's body. Dropping it, sent or not, moves the connection to [`Stage::Flushing`].
pub(super) struct TrackedBody<B> {
    body: B,
    slot: Arc<Slot>,
}

impl<B> TrackedBody<B> {
    pub(super) const fn new(body: B, slot: Arc<Slot>) -> Self {
        Self { body, slot }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for TrackedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for TrackedBody<B> {
    fn drop(&mut self) {
        self.slot.set_stage(Stage::Flushing);
    }
}
