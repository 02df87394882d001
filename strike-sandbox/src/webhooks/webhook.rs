//! Where webhooks go, and what is to happen to them on the way.

use std::time::Duration;

use strike_core::InvalidInput;
use strike_core::http::Uri;
use url::{ParseError, Position, Url};

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
    /// Webhooks to this address, such as `http://127.0.0.1:3000/strike`. What is not ASCII in it is sent as a browser
    /// sends it: percent-encoded, and a host's name in Punycode. A fragment is not sent.
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
    /// to whom no public authority gives one. `SandboxBuilder::start` refuses a text unless
    /// every certificate that begins in it can be read.
    #[cfg(feature = "tls")]
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.ca_certificate = Some(pem.as_ref().to_vec());
        self
    }
}

/// The URL of a receiver, in ASCII: what is outside of it is percent-encoded, a host's name in Punycode, and a fragment
/// left out. The error does not repeat it: what is wrong with it may be a password.
fn receiver(url: &str) -> Result<Uri, InvalidInput> {
    const PORT: &str = "a URL with a port from 1 to 65535 if any";
    let wrong = |rule| InvalidInput::new("webhook", rule);
    let unreadable = || wrong("a URL such as `http://127.0.0.1:3000/strike`");
    // The parser reads a backslash as a slash, leaves line breaks out, and takes several slashes for two.
    if url.is_empty() || url.contains(|sign: char| sign.is_control() || sign == '\\') {
        return Err(unreadable());
    }
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(wrong("a URL that begins with `http://` or `https://`"));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(wrong("a URL without credentials: the service sent none"));
    }
    if authority.is_empty() {
        return Err(unreadable());
    }
    if authority.starts_with(':') {
        return Err(wrong("a URL with a host"));
    }
    let read = Url::parse(url).map_err(|error| match error {
        ParseError::InvalidPort => wrong(PORT),
        _ => unreadable(),
    })?;
    if authority.ends_with(':') || read.port() == Some(0) {
        return Err(wrong(PORT));
    }
    read[..Position::AfterQuery].parse().map_err(|_| unreadable())
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
