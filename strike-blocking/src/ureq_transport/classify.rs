//! Converts ureq's errors to `TransportError`: the kind of failure, and whether the request may
//! have been sent.
//!
//! ureq's own errors are never returned as sources. Some contain a URL, and rustls names the host
//! in certificate errors. The source is a text instead, or an I/O error without its payload.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use rustls::CertificateError;
use strike_core::{Delivery, TransportError, TransportErrorKind as Kind};
use ureq::{Error, Timeout};

/// A description of the underlying failure. It contains no URL, no host and no key.
type Cause = Box<dyn StdError + Send + Sync>;

/// An error from before the request was sent. It is passed through ureq inside
/// `ureq::Error::Other`.
struct BeforeSend {
    kind: Kind,
    cause: Option<Cause>,
}

impl fmt::Debug for BeforeSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BeforeSend").field(&self.kind).finish()
    }
}

impl fmt::Display for BeforeSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())
    }
}

impl StdError for BeforeSend {}

/// Marks an error as one from before the request was sent. An error that is already marked is not
/// changed.
pub(super) fn mark_unsent(error: Error, looking_up: bool) -> Error {
    if matches!(&error, Error::Other(inner) if inner.is::<BeforeSend>()) {
        return error;
    }
    let kind = connect_kind(&error, looking_up);
    Error::Other(Box::new(BeforeSend { kind, cause: cause(&error) }))
}

/// An I/O error of a connection. It is passed through ureq inside `ureq::Error::Other`.
///
/// If a response body ends with the connection, ureq treats a connection reset as the regular end
/// of the body. It does not do that for a wrapped error.
#[derive(Debug)]
struct Broken(io::Error);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Broken {}

/// Wraps an I/O error, so that ureq reports it even if the body ends with the connection.
pub(super) fn wrap_io(error: Error) -> Error {
    match error {
        Error::Io(error) => Error::Other(Box::new(Broken(error))),
        other => other,
    }
}

/// The part of the response that was being read when an error occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before the end of the response headers.
    Head,
    /// In the response body.
    Body,
}

/// Converts an error of ureq.
pub(super) fn classify(error: Error, phase: Phase) -> TransportError {
    let error = match error {
        Error::Other(inner) => match inner.downcast::<BeforeSend>() {
            Ok(before) => return report(before.kind, Delivery::Unsent, before.cause),
            Err(inner) => Error::Other(inner),
        },
        other => other,
    };
    let cause = cause(&error);
    match unsent_kind(&error) {
        Some(kind) => report(kind, Delivery::Unsent, cause),
        None => report(after_sending(&error, phase), Delivery::MaybeSent, cause),
    }
}

fn report(kind: Kind, delivery: Delivery, cause: Option<Cause>) -> TransportError {
    let error = TransportError::new(kind, delivery);
    match cause {
        Some(cause) => error.with_source(cause),
        None => error,
    }
}

/// Returns the kind of a failure to resolve the host name (`looking_up`) or to connect, including
/// the TLS handshake.
fn connect_kind(error: &Error, looking_up: bool) -> Kind {
    if matches!(error, Error::Timeout(_)) {
        return Kind::Timeout;
    }
    if let Some(Kind::Setup) = unsent_kind(error) {
        return Kind::Setup;
    }
    if looking_up {
        return Kind::Dns;
    }
    match io_error(error) {
        _ if tls_error(error).is_some() => Kind::Tls,
        Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => Kind::ConnectionRefused,
        Some(error) if error.kind() == io::ErrorKind::TimedOut => Kind::Timeout,
        _ => Kind::Connect,
    }
}

/// Returns the kind of an error that ureq reports only before it sends, or `None` if it may have
/// sent the request.
fn unsent_kind(error: &Error) -> Option<Kind> {
    match error {
        Error::BadUri(_)
        | Error::Http(_)
        | Error::RequireHttpsOnly(_)
        | Error::InvalidProxyUrl
        | Error::TlsRequired
        | Error::Pem(_)
        | Error::Tls(_) => Some(Kind::Setup),
        Error::HostNotFound => Some(Kind::Dns),
        Error::ConnectionFailed | Error::ConnectProxyFailed(_) => Some(Kind::Connect),
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => Some(Kind::Timeout),
        _ => None,
    }
}

fn after_sending(error: &Error, phase: Phase) -> Kind {
    if matches!(error, Error::Timeout(_)) {
        return Kind::Timeout;
    }
    if phase == Phase::Body {
        return Kind::Cut;
    }
    if tls_error(error).is_some() {
        // The handshake has succeeded, so this is no certificate error. The server sent invalid TLS
        // data.
        return Kind::Protocol;
    }
    match (io_error(error), error) {
        (Some(error), _) => match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected => Kind::Closed,
            io::ErrorKind::TimedOut => Kind::Timeout,
            _ => Kind::Other,
        },
        (None, Error::Protocol(_) | Error::LargeResponseHeader(..)) => Kind::Protocol,
        _ => Kind::Other,
    }
}

fn io_error(error: &Error) -> Option<&io::Error> {
    match error {
        Error::Io(error) => Some(error),
        Error::Other(inner) => inner.downcast_ref::<Broken>().map(|broken| &broken.0),
        _ => None,
    }
}

/// Returns the TLS error, if there is one. rustls wraps its errors in I/O errors, whose `source()`
/// skips them.
fn tls_error(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Rustls(error) => Some(error),
        error => io_error(error)?.get_ref()?.downcast_ref(),
    }
}

/// Returns a description of an error, without URL, host and key.
fn cause(error: &Error) -> Option<Cause> {
    if let Some(error) = tls_error(error) {
        return Some(in_words(error).into());
    }
    if let Some(error) = io_error(error) {
        // Drop the payload, which could contain anything.
        let bare = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
        return Some(bare.into());
    }
    match error {
        Error::Timeout(_) | Error::Protocol(_) | Error::LargeResponseHeader(..) => {
            Some(error.to_string().into())
        }
        Error::ConnectProxyFailed(_) => Some("the proxy did not open a tunnel".into()),
        Error::Tls(_) => Some("the host name is not valid for TLS".into()),
        Error::RequireHttpsOnly(_) => Some("the transport is configured for https only".into()),
        _ => None,
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
