//! Handles webhooks safely.
//!
//! When a charge is paid, the server posts a webhook to a URL of your shop. Only phoenixd signs it, and a signed
//! webhook can be replayed. So do not trust its contents: use it only to learn which charge to read.
//! [`Endpoint::read_webhook`](crate::Endpoint::read_webhook) reads the webhooks of every backend, and verifies the
//! signature of phoenixd's. [`parse`] reads the Strike API's `{"object":"event","data":{...the charge...}}`. Both return
//! a [`Notification`] with an id and nothing else.
//!
//! A receiver does this:
//!
//! 1. Read at most [`MAX_BODY`] bytes, and pass them to `read_webhook` with the headers.
//! 2. Respond with 200 at once, and do the rest afterwards. The sender may not wait, and may not retry.
//! 3. Ignore ids that your shop never created, because each read costs a request.
//! 4. Read the charge: `client.confirm(&notification)`. Only that response says whether it is paid.
//! 5. Complete the order once; [`CompletionGuard`] helps.
//! 6. Also poll or watch the charge until its invoice expires, because a webhook can get lost.
//!
//! ```
//! use strike_core::{ChargeId, webhook};
//!
//! let notification = webhook::parse(br#"{"object":"event","data":{"id":"ch_1","paid":true},"extra":[]}"#)?;
//! assert_eq!(notification.id().as_str(), "ch_1");
//! let get = notification.confirm(); // an operation: `client.send(get)` reads the charge
//! # let _ = get;
//!
//! assert!(webhook::parse(br#"{"object":"event","data":{"id":"../admin"}}"#).is_err());
//! # Ok::<(), webhook::InvalidWebhook>(())
//! ```

mod guard;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use guard::{CompletedCharges, Completion, CompletionError, CompletionGuard, RecentCompletions};

use crate::protocol::Get;
use crate::redaction::text;
use crate::values::ChargeId;

/// The largest body that [`parse`] accepts, in bytes: 64 KiB. A charge takes about 1 KiB.
pub const MAX_BODY: usize = 64 * 1024;

/// A webhook's claim that a charge has changed. Anyone can send one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Notification(ChargeId);

impl Notification {
    pub(crate) const fn new(id: ChargeId) -> Self {
        Self(id)
    }

    /// Returns the id of the charge to read. The charge may not exist, or may not be your shop's.
    #[must_use]
    pub const fn id(&self) -> &ChargeId {
        &self.0
    }

    /// Returns the operation that reads the charge. Its response says whether the charge is paid.
    #[must_use]
    pub fn confirm(&self) -> Get {
        Get::new(self.0.clone())
    }
}

/// Why a body is not a valid webhook. The error never contains the body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidWebhook {
    /// It is larger than [`MAX_BODY`]. Respond with status 413.
    TooLarge,
    /// It is not a JSON object with `"object": "event"` and an object `data` with an `id`, each once. Respond with
    /// status 400.
    NotAnEvent,
    /// Its signature is missing or wrong. Respond with status 401.
    BadSignature,
    /// The endpoint has no webhook secret, so the signature cannot be verified. Respond with status 500.
    NoSecret,
    /// Its `data.id` is not a valid charge id. Respond with status 400.
    BadId,
}

impl fmt::Display for InvalidWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the body is larger than {MAX_BODY} bytes"),
            Self::NotAnEvent => {
                f.write_str("the body is not a JSON object with `object`: `event` and a `data.id`")
            }
            Self::BadSignature => {
                f.write_str("the signature is missing, or not that of this body; check the webhook secret")
            }
            Self::NoSecret => {
                f.write_str("the endpoint has no webhook secret; set `EndpointBuilder::webhook_secret`")
            }
            Self::BadId => f.write_str("`data.id` is not a valid charge id"),
        }
    }
}

impl Error for InvalidWebhook {}

/// Parses the body of a webhook. Unknown keys are ignored.
///
/// # Errors
/// [`InvalidWebhook`] says what is wrong. A body above [`MAX_BODY`] is rejected without being parsed.
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

/// Parses a JSON object. serde would also accept an array with the right values.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, InvalidWebhook> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|_| InvalidWebhook::NotAnEvent)
    } else {
        Err(InvalidWebhook::NotAnEvent)
    }
}
