//! Converts reqwest's errors to `TransportError`.
//!
//! reqwest's own errors are never returned as sources. They contain the URL, and rustls names the
//! host in certificate errors. The source is a text instead, or an I/O error without its payload.

use std::error::Error as StdError;
use std::io;

use rustls::CertificateError;
use strike_core::{Delivery, TransportError, TransportErrorKind as Kind};

/// A description of the underlying failure. It contains no URL, no host and no key.
type Cause = Box<dyn StdError + Send + Sync>;

/// Converts an error that occurred before the end of the response headers. `unsent` is true if the
/// request was certainly not sent.
pub(super) fn in_head(error: &reqwest::Error, unsent: bool) -> TransportError {
    let sources = Sources::of(error);
    let (kind, delivery) = if unsent {
        (before_sending(error, &sources), Delivery::Unsent)
    } else {
        (after_sending(error, &sources), Delivery::MaybeSent)
    };
    report(kind, delivery, sources.cause())
}

/// Converts an error that occurred in the response body.
pub(super) fn in_body(error: &reqwest::Error) -> TransportError {
    let kind = if error.is_timeout() { Kind::Timeout } else { Kind::Cut };
    report(kind, Delivery::MaybeSent, Sources::of(error).cause())
}

/// Returns the error of an exchange that took too long.
pub(super) fn timeout(unsent: bool) -> TransportError {
    TransportError::new(Kind::Timeout, if unsent { Delivery::Unsent } else { Delivery::MaybeSent })
}

fn report(kind: Kind, delivery: Delivery, cause: Option<Cause>) -> TransportError {
    let error = TransportError::new(kind, delivery);
    match cause {
        Some(cause) => error.with_source(cause),
        None => error,
    }
}

fn before_sending(error: &reqwest::Error, sources: &Sources<'_>) -> Kind {
    if error.is_builder() {
        return Kind::Setup;
    }
    // Check for a timeout before DNS errors: a lookup that takes too long is a timeout.
    if error.is_timeout() {
        return Kind::Timeout;
    }
    if error.is_dns() {
        return Kind::Dns;
    }
    match sources.io.map(io::Error::kind) {
        _ if sources.tls.is_some() => Kind::Tls,
        Some(io::ErrorKind::ConnectionRefused) => Kind::ConnectionRefused,
        Some(io::ErrorKind::TimedOut) => Kind::Timeout,
        _ if error.is_connect() => Kind::Connect,
        // A pooled connection that was closed before the request was written.
        Some(_) => Kind::Closed,
        None if sources.hyper.is_some() => Kind::Closed,
        None => Kind::Other,
    }
}

fn after_sending(error: &reqwest::Error, sources: &Sources<'_>) -> Kind {
    if error.is_timeout() {
        return Kind::Timeout;
    }
    if sources.ended_by_http2 {
        return Kind::Closed;
    }
    if sources.tls.is_some() || sources.hyper.is_some_and(hyper::Error::is_parse) {
        // The handshake has succeeded, so this is no certificate error. The server sent invalid TLS
        // data.
        return Kind::Protocol;
    }
    match sources.io.map(io::Error::kind) {
        Some(
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected,
        ) => Kind::Closed,
        Some(io::ErrorKind::TimedOut) => Kind::Timeout,
        Some(_) => Kind::Other,
        None => match sources.hyper {
            Some(error) if error.is_incomplete_message() || error.is_closed() || error.is_canceled() => {
                Kind::Closed
            }
            _ => Kind::Other,
        },
    }
}

/// The errors in the source chain of a reqwest error that decide the kind of failure.
#[derive(Default)]
struct Sources<'a> {
    io: Option<&'a io::Error>,
    tls: Option<&'a rustls::Error>,
    hyper: Option<&'a hyper::Error>,
    /// Whether the server has ended the stream or its connection, without an error of the protocol.
    ended_by_http2: bool,
}

impl<'a> Sources<'a> {
    fn of(error: &'a reqwest::Error) -> Self {
        let mut sources = Self::default();
        let mut next = error.source();
        while let Some(error) = next {
            next = error.source();
            if let Some(io) = error.downcast_ref::<io::Error>() {
                sources.io = Some(io);
                // `source()` skips the error inside an I/O error, and rustls wraps its errors
                // there.
                next = io.get_ref().map(|inner| inner as &(dyn StdError + 'static));
            } else if let Some(tls) = error.downcast_ref() {
                sources.tls = Some(tls);
            } else if let Some(hyper) = error.downcast_ref() {
                sources.hyper = Some(hyper);
            }
            #[cfg(feature = "http2")]
            if let Some(h2) = error.downcast_ref::<h2::Error>() {
                sources.ended_by_http2 = h2.is_remote() && (h2.is_go_away() || h2.is_reset());
            }
        }
        sources
    }

    /// Returns a description of the failure, without URL, host and key.
    fn cause(&self) -> Option<Cause> {
        if let Some(tls) = self.tls {
            return Some(in_words(tls).into());
        }
        if let Some(io) = self.io {
            // Drop the payload, which could contain anything.
            let bare = io.raw_os_error().map_or_else(|| io.kind().into(), io::Error::from_raw_os_error);
            return Some(bare.into());
        }
        self.hyper.map(|hyper| hyper.to_string().into())
    }
}

/// Describes a TLS error without the host name, which rustls includes for certificates of another
/// host.
fn in_words(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return error.to_string();
    };
    let reason = match reason {
        CertificateError::UnknownIssuer => "its issuer is not trusted",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another host"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet",
        CertificateError::Revoked => "it was revoked",
        CertificateError::BadSignature => "its signature is wrong",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not a server certificate"
        }
        _ => "it is not valid",
    };
    format!("the server's certificate was rejected: {reason}")
}
