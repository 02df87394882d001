//! What ureq's errors say: which kind of failure it was, and whether the request can have left.
//!
//! An error of ureq's is never handed on as it is: some hold a URL, and rustls names the host that a
//! certificate is not for. The cause is put into words, or into an input/output error without its payload.

use std::error::Error as StdError;
use std::io;

use rustls::CertificateError;
use strike_core::{Delivery, TransportError, TransportErrorKind as Kind};
use ureq::{Error, Timeout};

use super::connect::{BeforeSend, Broken};

/// What is told about the failure below.
pub(super) type Cause = Box<dyn StdError + Send + Sync>;

/// How far the exchange had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Up to the end of the answer's head.
    Head,
    /// Inside the answer's body.
    Body,
}

/// Classifies what came out of ureq.
pub(super) fn classify(error: Error, phase: Phase) -> TransportError {
    let error = match error {
        Error::Other(inner) => match inner.downcast::<BeforeSend>() {
            Ok(before) => return report(before.kind, Delivery::Unsent, before.cause),
            Err(inner) => Error::Other(inner),
        },
        other => other,
    };
    let cause = cause(&error);
    match never_left(&error) {
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

/// The kind of a failure to look up (`looking_up`) or to connect, handshake included.
pub(super) fn connect_kind(error: &Error, looking_up: bool) -> Kind {
    if matches!(error, Error::Timeout(_)) {
        return Kind::Timeout;
    }
    if let Some(Kind::Setup) = never_left(error) {
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

/// The kind of an error that ureq has only before it sends; `None` if it may have sent.
fn never_left(error: &Error) -> Option<Kind> {
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
        // The handshake is over, so this is not about trust: what came back makes no sense.
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

/// rustls hands its errors over inside input/output errors, where `source()` does not find them.
fn tls_error(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Rustls(error) => Some(error),
        error => io_error(error)?.get_ref()?.downcast_ref(),
    }
}

/// What may be told about an error: never a URL, a host or a key.
pub(super) fn cause(error: &Error) -> Option<Cause> {
    if let Some(error) = tls_error(error) {
        return Some(in_words(error).into());
    }
    if let Some(error) = io_error(error) {
        // Without its payload, which could be anything.
        let bare = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
        return Some(bare.into());
    }
    match error {
        Error::Timeout(_) | Error::Protocol(_) | Error::LargeResponseHeader(..) => {
            Some(error.to_string().into())
        }
        Error::ConnectProxyFailed(_) => Some("the proxy opened no tunnel".into()),
        Error::Tls(_) => Some("the host is not a name that TLS can check".into()),
        Error::RequireHttpsOnly(_) => Some("the transport is configured for https only".into()),
        _ => None,
    }
}

/// rustls would name the host that a certificate is not for.
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
            "it is not one for servers"
        }
        _ => "it is not valid",
    };
    format!("the server's certificate was refused: {reason}")
}
