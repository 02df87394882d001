//! A connection as hyper holds it: it notices when the client goes quiet after an answer, or stops reading one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::room::{Place, Stage};
use super::stream::Stream;

/// How long a client may leave an answer unread.
const UNREAD: Duration = Duration::from_secs(30);

pub(super) struct Line {
    stream: Stream,
    place: Arc<Place>,
    idle: Patience,
    unread: Patience,
}

impl Line {
    /// A line on which the client may be quiet for so long after an answer.
    pub(super) fn new(stream: Stream, place: Arc<Place>, idle: Duration) -> Self {
        Self { stream, place, idle: Patience::of(idle), unread: Patience::of(UNREAD) }
    }

    pub(super) fn into_stream(self) -> Stream {
        self.stream
    }

    /// What a write came to; one that cannot go on for too long is given up.
    fn written<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.unread.ends();
            return outcome;
        }
        self.unread.is_over(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        let before = into.filled().len();
        let outcome = Pin::new(&mut line.stream).poll_read(context, into);
        if line.place.stage() != Stage::Idle {
            return outcome;
        }
        match outcome {
            // To hyper, and so to the client, the end of the connection between two requests.
            Poll::Pending => line.idle.is_over(context).map(Ok),
            Poll::Ready(outcome) => {
                if into.filled().len() > before {
                    line.place.comes_to(Stage::Asking);
                    line.idle.ends();
                }
                Poll::Ready(outcome)
            }
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let line = self.get_mut();
        let outcome = Pin::new(&mut line.stream).poll_write(context, bytes);
        line.written(context, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let line = self.get_mut();
        let outcome = Pin::new(&mut line.stream).poll_write_vectored(context, slices);
        line.written(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        let outcome = Pin::new(&mut line.stream).poll_flush(context);
        if matches!(outcome, Poll::Ready(Ok(()))) && line.place.stage() == Stage::Answered {
            line.place.comes_to(Stage::Idle);
            line.idle.ends();
            // From now on: hyper may not read again before something happens.
            if line.idle.is_over(context).is_ready() {
                context.waker().wake_by_ref();
            }
        }
        line.written(context, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        let outcome = Pin::new(&mut line.stream).poll_shutdown(context);
        line.written(context, outcome)
    }
}

/// A time that begins when it is first asked about.
struct Patience {
    time: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    runs: bool,
}

impl Patience {
    const fn of(time: Duration) -> Self {
        Self { time, timer: None, runs: false }
    }

    fn is_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.time)));
        if !self.runs {
            self.runs = true;
            // A time too long for the clock is as good as the longest that tokio takes, which `sleep` knows.
            match Instant::now().checked_add(self.time) {
                Some(end) => timer.as_mut().reset(end),
                None => timer.set(sleep(self.time)),
            }
        }
        timer.as_mut().poll(context)
    }

    /// The next question begins it anew.
    const fn ends(&mut self) {
        self.runs = false;
    }
}

/// A body that tells when it is over, whether it was sent whole or given up.
pub(super) struct Told<B> {
    body: B,
    place: Arc<Place>,
}

impl<B> Told<B> {
    pub(super) const fn new(body: B, place: Arc<Place>) -> Self {
        Self { body, place }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Told<B> {
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

impl<B> Drop for Told<B> {
    fn drop(&mut self) {
        self.place.comes_to(Stage::Answered);
    }
}
