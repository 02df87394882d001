//! Changes as server-sent events: `GET /sandbox/events`. The service answers how things stand; on a socket that answer
//! does not end, and every change adds to it.

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
/// How many may follow at once; each holds a connection open.
const MOST_WATCHERS: usize = 64;
/// After so long without a change a comment is sent, so that nothing on the way takes the stream for dead.
const QUIET: Duration = Duration::from_secs(15);

/// The first event: how many changes there were until now.
pub(crate) fn respond(service: &Service, request: &HttpRequest) -> Result<Document, ErrorResponse> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(ErrorResponse::method_not_allowed(&["GET", "HEAD"]));
    }
    // A foreign page could not read it, but could keep the places taken.
    if !guard::is_no_foreign_page(request) {
        return Err(ErrorResponse::new(StatusCode::FORBIDDEN, "not for a page of another origin"));
    }
    let changes = service.changes();
    if changes.watchers() >= MOST_WATCHERS {
        let message = format!("{MOST_WATCHERS} follow the events already: close a page");
        return Err(ErrorResponse::new(StatusCode::SERVICE_UNAVAILABLE, message));
    }
    Ok(Document { content_type: CONTENT_TYPE, body: event(changes.count()) })
}

fn event(change: u64) -> String {
    let data = serde_json::json!({ "change": change });
    format!("event: change\ndata: {data}\n\n")
}

/// A body that begins with how things stand, and goes on for as long as someone reads it.
pub(crate) struct Events {
    first: Option<Bytes>,
    next: Pin<Box<dyn Future<Output = Option<Next>> + Send>>,
}

/// What to send next, and where to learn what comes after it.
type Next = (Bytes, watch::Receiver<u64>);

impl Events {
    /// The body of a response that goes on with events, if it is one.
    pub(crate) fn after(response: &mut HttpResponse, changes: &Changes) -> Option<Self> {
        let headers = response.headers_mut();
        if headers.get(header::CONTENT_TYPE)? != CONTENT_TYPE {
            return None;
        }
        // The answer to HEAD has no body to go on with.
        if response.body().is_empty() {
            return None;
        }
        response.headers_mut().remove(header::CONTENT_LENGTH);
        // The count as it is now that changes are watched: one that came since the answer was made must not be lost.
        let mut changes = changes.watch();
        let first = event(*changes.borrow_and_update()).into();
        Some(Self { first: Some(first), next: Box::pin(next(changes)) })
    }
}

/// The next thing to tell; nothing, once nobody is left who could change anything.
async fn next(mut changes: watch::Receiver<u64>) -> Option<Next> {
    let text = match timeout(QUIET, changes.changed()).await {
        Ok(changed) => {
            changed.ok()?;
            event(*changes.borrow_and_update()).into()
        }
        Err(_) => Bytes::from_static(b": nothing new\n\n"),
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
