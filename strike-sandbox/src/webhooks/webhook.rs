//! [`Webhook`]: the receiver of webhooks, with delays, repeats, losses and retries.

use std::time::Duration;

use strike_core::InvalidInput;
use strike_core::http::Uri;
use url::{ParseError, Position, Url};

/// The receiver of a sandbox's webhooks, and how they are delivered.
///
/// By default each payment is delivered once and at once, and a failure is not retried. It is
/// unknown whether the service retried. Use the options to test whether your receiver handles
/// duplicate, late, reordered and lost webhooks. All delays are measured by the sandbox's clock.
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
    /// Sends webhooks to this URL, such as `http://127.0.0.1:3000/strike`.
    ///
    /// As in a browser, non-ASCII characters are percent-encoded, and host names are converted to
    /// Punycode. A fragment is not sent.
    ///
    /// # Errors
    /// [`InvalidInput`] unless this is an `http://` or `https://` URL with a host and without
    /// credentials.
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

    /// Sets the timeout of an attempt, from connecting to the head of the response. Default: 10
    /// seconds.
    ///
    /// It is measured in real time. After a timeout the delivery is
    /// [failed](crate::DeliveryState::Failed) or retried, although the receiver may have processed
    /// the request.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends each webhook this many times. Default: 1. With 0, no webhooks are sent.
    pub const fn repeat(mut self, times: u8) -> Self {
        self.repeat = times;
        self
    }

    /// Sends webhooks this long after the payment. Default: at once.
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Delays each delivery by a random time up to this one, so that deliveries arrive out of
    /// order.
    ///
    /// The random time is in whole milliseconds.
    pub const fn reorder(mut self, within: Duration) -> Self {
        self.reorder = within;
        self
    }

    /// Drops every `n`-th delivery. Default: 0, which drops none.
    ///
    /// A dropped delivery is listed and can be [sent again](crate::Sandbox::send_again).
    pub const fn drop_every(mut self, n: u32) -> Self {
        self.drop_every = n;
        self
    }

    /// Drops this percentage of deliveries at random. Default: 0. With 100 or more, all are
    /// dropped.
    pub const fn drop_percent(mut self, percent: u8) -> Self {
        self.drop_percent = percent;
        self
    }

    /// Retries a delivery until the receiver responds with a 2xx status. Default: no retries.
    ///
    /// `attempts` is the largest number of attempts, including the first. With 0 or 1 there is no
    /// retry. The first retry happens `backoff` after the failure. The delay doubles for each
    /// further retry.
    pub const fn retry(mut self, attempts: u32, backoff: Duration) -> Self {
        self.attempts = attempts;
        self.backoff = backoff;
        self
    }

    /// Trusts these certificates **instead of** the public roots.
    ///
    /// `pem` contains one or more certificates in PEM. Use this for a receiver with a certificate
    /// that no public authority signed. `SandboxBuilder::start` fails if a certificate is invalid
    /// or incomplete.
    #[cfg(feature = "tls")]
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.ca_certificate = Some(pem.as_ref().to_vec());
        self
    }
}

/// Parses the URL of a receiver. The result is ASCII and has no fragment.
///
/// The error does not contain the URL, because the URL may contain a password.
fn receiver(url: &str) -> Result<Uri, InvalidInput> {
    const PORT: &str = "a URL with a port from 1 to 65535 if any";
    let wrong = |rule| InvalidInput::new("webhook", rule);
    let malformed = || wrong("a URL such as `http://127.0.0.1:3000/strike`");
    // The parser would accept these: it removes line breaks and treats a backslash as a slash.
    if url.is_empty() || url.contains(|character: char| character.is_control() || character == '\\') {
        return Err(malformed());
    }
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(wrong("a URL that begins with `http://` or `https://`"));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(wrong("a URL without credentials: webhooks are sent without them"));
    }
    if authority.is_empty() {
        return Err(malformed());
    }
    if authority.starts_with(':') {
        return Err(wrong("a URL with a host"));
    }
    let parsed = Url::parse(url).map_err(|error| match error {
        ParseError::InvalidPort => wrong(PORT),
        _ => malformed(),
    })?;
    if authority.ends_with(':') || parsed.port() == Some(0) {
        return Err(wrong(PORT));
    }
    parsed[..Position::AfterQuery].parse().map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhook_url_is_converted_to_ascii() {
        for (given, expected) in [
            ("http://127.0.0.1:3000/strike", "http://127.0.0.1:3000/strike"),
            ("http://127.0.0.1/\u{e4}", "http://127.0.0.1/%C3%A4"),
            ("http://127.0.0.1/a b?q=\u{fc} c", "http://127.0.0.1/a%20b?q=%C3%BC%20c"),
            ("http://127.0.0.1/%C3%A4%2f%zz", "http://127.0.0.1/%C3%A4%2f%zz"),
            ("http://127.0.0.1/\"<>`{}|^[]", "http://127.0.0.1/%22%3C%3E%60%7B%7D|^[]"),
            ("http://127.0.0.1/\u{1f4a9}?\u{1f4a9}", "http://127.0.0.1/%F0%9F%92%A9?%F0%9F%92%A9"),
            ("http://B\u{fc}cher.example/", "http://xn--bcher-kva.example/"),
            ("http://shop.example?order=17#part", "http://shop.example/?order=17"),
            ("HTTPS://[::1]:8443/#\u{e4}", "https://[::1]:8443/"),
        ] {
            let webhook = Webhook::to(given).expect(given);
            assert_eq!(webhook.url.to_string(), expected);
            assert!(expected.is_ascii());
        }
    }

    #[test]
    fn only_http_and_https_urls_are_accepted() {
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
            ("http://@shop.example/", "credentials"),
            ("http://me%40:secret@shop.example/", "credentials"),
            ("http://me:secret\\@shop.example/", "such as"),
            ("http://shop.example/a\r\nHost: b", "such as"),
            ("http://xn--a/", "such as"),
            ("http://[::1/", "such as"),
            (" http://shop.example/", "begins with"),
            ("http:shop.example", "begins with"),
        ] {
            let error = Webhook::to(bad).expect_err(bad).to_string();
            assert!(error.starts_with("webhook must be a URL") && error.contains(part), "{bad}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
