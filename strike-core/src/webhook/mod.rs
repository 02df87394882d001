//! Webhooks: a POST that says "go and look", and nothing more.
//!
//! The service posts `{"object":"event","data":{...the charge...}}` to a URL of the shop when a charge is paid. Nothing
//! signs it, so anyone who finds the URL can post whatever they like. What it says is therefore worth nothing
//! but a [`Notification`]: the id of a charge that may be worth asking about. A hint has no amount and no `paid`, because
//! nobody vouches for them.
//!
//! A receiver
//!
//! 1. takes at most [`MAX_BODY`] bytes, and [`parse`]s them;
//! 2. answers 200 at once, and looks afterwards: the sender may not wait, and whether it tries again is not known;
//! 3. drops ids that it never had from a create, since every other hint costs a request;
//! 4. [confirms](Notification::confirm): the answer to that says what was paid, and the order is found by the charge's id;
//! 5. completes the order once, which is what [`CompletionGuard`] is for;
//! 6. polls as well, at least until the invoice expires, since a delivery can get lost.
//!
//! ```
//! use strike_core::{ChargeId, webhook};
//!
//! let hint = webhook::parse(br#"{"object":"event","data":{"id":"ch_1","paid":true},"extra":[]}"#)?;
//! assert_eq!(hint.id().as_str(), "ch_1");
//! let get = hint.confirm(); // an operation: `client.send(get)` asks the host
//! # let _ = get;
//!
//! assert!(webhook::parse(br#"{"object":"event","data":{"id":"../admin"}}"#).is_err());
//! # Ok::<(), webhook::InvalidWebhook>(())
//! ```

mod guard;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use guard::{CompletedCharges, Completion, CompletionError, CompletionGuard, RecentCompletions};

use crate::protocol::Get;
use crate::redaction::text;
use crate::values::ChargeId;

/// The largest body that is looked at, in bytes: 64 KiB, far more than a charge takes.
pub const MAX_BODY: usize = 64 * 1024;

/// That a charge may have been paid, as far as anyone on the internet can say so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Notification(ChargeId);

impl Notification {
    /// The charge to ask about. It need not exist, and need not be the shop's.
    #[must_use]
    pub const fn id(&self) -> &ChargeId {
        &self.0
    }

    /// The operation that asks the host about it. What the answer says can be trusted as far as the host can.
    #[must_use]
    pub fn confirm(&self) -> Get {
        Get::new(self.0.clone())
    }
}

/// Why a body is no hint. None of it repeats the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWebhook {
    /// It is larger than [`MAX_BODY`], and was not looked at. The status for it is 413.
    #[error("the body is larger than {MAX_BODY} bytes")]
    TooLarge,
    /// It is not a JSON object with `"object": "event"` and an object `data` with an `id`, each once. The status
    /// for it is 400.
    #[error("the body is not a JSON object with `object`: `event` and a `data.id`")]
    NotAnEvent,
    /// Its id is none that a charge can have. The status for it is 400.
    #[error("the body's `data.id` is not a charge's id")]
    BadId,
}

/// Reads the body of a webhook. Unknown keys are ignored, in whatever shape they come.
///
/// # Errors
/// [`InvalidWebhook`] says why it is no hint. Bodies above [`MAX_BODY`] are refused unread.
pub fn parse(body: &[u8]) -> Result<Notification, InvalidWebhook> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        object: Cow<'a, str>,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    if body.len() > MAX_BODY {
        return Err(InvalidWebhook::TooLarge);
    }
    let text = std::str::from_utf8(text::without_bom(body)).map_err(|_| InvalidWebhook::NotAnEvent)?;
    let event: Event<'_> = object(text)?;
    if event.object != "event" {
        return Err(InvalidWebhook::NotAnEvent);
    }
    let data: Data<'_> = object(event.data.get())?;
    ChargeId::new(data.id).map(Notification).map_err(|_| InvalidWebhook::BadId)
}

/// Reads a JSON object; a list of the right values, which serde would also take, is none.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, InvalidWebhook> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|_| InvalidWebhook::NotAnEvent)
    } else {
        Err(InvalidWebhook::NotAnEvent)
    }
}
