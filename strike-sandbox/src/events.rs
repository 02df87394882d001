//! `GET /sandbox/events`: a stream of server-sent events, one for each change.
//!
//! In memory the response contains only the current number of changes. A running server keeps the
//! response open and adds an event for each change.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use strike_core::http::{Method, StatusCode, header};
use strike_core::{HttpRequest, HttpResponse};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::changes::Changes;
use crate::guard;
use crate::response::{Document, ErrorResponse};
use crate::service::Service;

const CONTENT_TYPE: &str = "text/event-stream";
/// The largest number of open event streams. Each one holds a connection.
const MAX_WATCHERS: usize = 64;
/// The interval of keep-alive comments. Without them a proxy may close an idle stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Returns the first event, with the number of changes so far.
pub(crate) fn respond(service: &Service, request: &HttpRequest) -> Result<Document, ErrorResponse> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(ErrorResponse::method_not_allowed(&["GET", "HEAD"]));
    }
    // A page of another origin could not read the stream, but it could use up all streams.
    if !guard::is_same_origin(request) {
        return Err(ErrorResponse::new(StatusCode::FORBIDDEN, "not for a page of another origin"));
    }
    let changes = service.changes();
    // The dispatcher of webhooks watches too.
    if changes.watchers() > MAX_WATCHERS {
        let message = format!("all {MAX_WATCHERS} event streams are in use; close a page of the sandbox");
        return Err(ErrorResponse::new(StatusCode::SERVICE_UNAVAILABLE, message));
    }
    Ok(Document { content_type: CONTENT_TYPE, body: event(changes.count()) })
}

fn event(change: u64) -> String {
    let data = serde_json::json!({ "change": change });
    format!("event: change\ndata: {data}\n\n")
}

/// A response body that sends events until the client disconnects.
pub(crate) struct Events {
    first: Option<Bytes>,
    next: Pin<Box<dyn Future<Output = Option<Next>> + Send>>,
}

/// The next bytes to send, and the receiver for the changes after them.
type Next = (Bytes, watch::Receiver<u64>);

impl Events {
    /// Turns the response to `GET /sandbox/events` into a stream. `None` for other responses.
    pub(crate) fn after(response: &mut HttpResponse, changes: &Changes) -> Option<Self> {
        let headers = response.headers_mut();
        if headers.get(header::CONTENT_TYPE)? != CONTENT_TYPE {
            return None;
        }
        // A response to HEAD has no body.
        if response.body().is_empty() {
            return None;
        }
        response.headers_mut().remove(header::CONTENT_LENGTH);
        // Read the count again after subscribing. Otherwise a change after the response was made
        // would be lost.
        let mut changes = changes.watch();
        let first = event(*changes.borrow_and_update()).into();
        Some(Self { first: Some(first), next: Box::pin(next(changes)) })
    }
}

/// Waits for the next event or keep-alive comment. `None` if the sandbox was dropped.
async fn next(mut changes: watch::Receiver<u64>) -> Option<Next> {
    let text = match timeout(KEEP_ALIVE, changes.changed()).await {
        Ok(changed) => {
            changed.ok()?;
            event(*changes.borrow_and_update()).into()
        }
        Err(_) => Bytes::from_static(b": keep-alive\n\n"),
    };
    Some((text, changes))
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some((text, changes)) = ready!(self.next.as_mut().poll(context)) else {
            return Poll::Ready(None);
        };
        self.next = Box::pin(next(changes));
        Poll::Ready(Some(Ok(Frame::data(text))))
    }
}
