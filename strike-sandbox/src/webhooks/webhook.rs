//! Where webhooks go, and what is to happen to them on the way.

use std::time::Duration;

use strike_core::InvalidInput;
use strike_core::http::Uri;

/// Where a sandbox tells of payments, and what is to happen to the deliveries.
///
/// Unless told otherwise each payment is delivered once, at once, and a failure is not tried again. Whether the service
/// did more is not known: several of its receivers never answered, and were content for years. The options are the
/// faults that a receiver should survive. Delays are counted by the sandbox's clock.
///
/// ```
/// use std::time::Duration;
/// use strike_sandbox::{Sandbox, Webhook};
///
/// let webhook = Webhook::to("http://127.0.0.1:3000/strike")?
///     .repeat(2)
///     .reorder(Duration::from_secs(5))
///     .retry(4, Duration::from_millis(500));
/// let sandbox = Sandbox::builder().webhook(webhook).build();
/// assert!(sandbox.deliveries().is_empty());
///
/// assert!(Webhook::to("ftp://127.0.0.1/strike").is_err());
/// # Ok::<(), strike_core::InvalidInput>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Webhook {
    pub(super) url: Uri,
    pub(super) timeout: Duration,
    pub(super) repeat: u8,
    pub(super) delay: Duration,
    pub(super) reorder: Duration,
    pub(super) drop_every: u32,
    pub(super) drop_percent: u8,
    pub(super) attempts: u32,
    pub(super) backoff: Duration,
    #[cfg(feature = "tls")]
    pub(super) ca_certificate: Option<Vec<u8>>,
}

impl Webhook {
    /// Webhooks to this address, such as `http://127.0.0.1:3000/strike`.
    ///
    /// # Errors
    /// [`InvalidInput`] unless it is an `http://` or `https://` URL with a host, and without credentials.
    pub fn to(url: &str) -> Result<Self, InvalidInput> {
        Ok(Self {
            url: receiver(url)?,
            timeout: Duration::from_secs(10),
            repeat: 1,
            delay: Duration::ZERO,
            reorder: Duration::ZERO,
            drop_every: 0,
            drop_percent: 0,
            attempts: 1,
            backoff: Duration::ZERO,
            #[cfg(feature = "tls")]
            ca_certificate: None,
        })
    }

    /// How long a receiver may take, from the connection to its answer, in real time; 10 seconds unless set.
    ///
    /// A receiver that never answers has the request all the same: such a delivery ends as
    /// [failed](crate::DeliveryState::Failed), and the order may be shipped.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Makes this many deliveries of each payment; 1 unless set. With 0 nobody is told.
    pub const fn repeat(mut self, times: u8) -> Self {
        self.repeat = times;
        self
    }

    /// Delivers this long after the payment; at once unless set.
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Holds each delivery back for a random time up to this, in whole milliseconds, so that they overtake each other.
    pub const fn reorder(mut self, within: Duration) -> Self {
        self.reorder = within;
        self
    }

    /// Loses every `n`-th delivery; none with 0. A lost one is listed, and can be [sent
    /// again](crate::Sandbox::send_again).
    pub const fn drop_every(mut self, n: u32) -> Self {
        self.drop_every = n;
        self
    }

    /// Loses so many deliveries of a hundred, at random; all of them from 100 on.
    pub const fn drop_percent(mut self, percent: u8) -> Self {
        self.drop_percent = percent;
        self
    }

    /// Tries a delivery up to so many times, until the answer has a status of the two hundreds. The second try comes
    /// `backoff` after the failure of the first, and each further one after twice as long a wait. With 0 or 1 it is tried
    /// once.
    pub const fn retry(mut self, attempts: u32, backoff: Duration) -> Self {
        self.attempts = attempts;
        self.backoff = backoff;
        self
    }

    /// Trusts these certificates, one or more in PEM, **instead of** the public roots: for a receiver on this machine,
    /// to whom no public authority gives one. `Builder::start` refuses what is none.
    #[cfg(feature = "tls")]
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.ca_certificate = Some(pem.as_ref().to_vec());
        self
    }
}

/// The URL of a receiver. The error does not repeat it: what is wrong with it may be a password.
fn receiver(url: &str) -> Result<Uri, InvalidInput> {
    let wrong = |rule| InvalidInput::new("webhook", rule);
    let uri: Uri = url.parse().map_err(|_| wrong("a URL such as `http://127.0.0.1:3000/strike`"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("a URL that begins with `http://` or `https://`"));
    }
    let host = uri.authority().ok_or_else(|| wrong("a URL with a host"))?;
    if host.as_str().contains('@') {
        return Err(wrong("a URL without credentials: the service sent none"));
    }
    // The parser lets a port pass that is none.
    let has_port = host.as_str().rsplit_once(':').is_some_and(|(_, after)| !after.contains(']'));
    if host.host().is_empty() || (has_port && host.port_u16().is_none_or(|port| port == 0)) {
        return Err(wrong("a URL with a host, and a port from 1 to 65535 if any"));
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_posted_to_is_a_receiver() {
        for good in [
            "http://127.0.0.1:3000/strike",
            "https://shop.example",
            "HTTP://[::1]:80/?order=17",
            "http://localhost/strike#part",
        ] {
            assert!(Webhook::to(good).is_ok(), "{good}");
        }
        for (bad, part) in [
            ("", "such as"),
            ("/strike", "begins with"),
            ("127.0.0.1:3000", "begins with"),
            ("ftp://shop.example/", "begins with"),
            ("http://", "such as"),
            ("http:///strike", "such as"),
            ("http://:80/", "a host"),
            ("http://shop.example:0/", "65535"),
            ("http://shop.example:65536/", "65535"),
            ("http://shop.example:/", "65535"),
            ("http://me:secret@shop.example/", "credentials"),
            ("http://shop example/", "such as"),
        ] {
            let error = Webhook::to(bad).expect_err(bad).to_string();
            assert!(error.starts_with("webhook must be a URL") && error.contains(part), "{bad}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
