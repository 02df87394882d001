//! What reqwest's errors say: which kind of failure it was.
//!
//! An error of reqwest's is never handed on as it is: it holds the URL, and rustls names the host that a
//! certificate is not for. The cause is put into words, or into an input/output error without its payload.

use std::error::Error as StdError;
use std::io;

use rustls::CertificateError;
use strike_core::{Delivery, TransportError, TransportErrorKind as Kind};

type Cause = Box<dyn StdError + Send + Sync>;

/// Classifies a failure before the end of the answer's head; `unsent` if the request is known not to have left.
pub(super) fn in_head(error: &reqwest::Error, unsent: bool) -> TransportError {
    let clues = Clues::of(error);
    let (kind, delivery) = if unsent {
        (before_sending(error, &clues), Delivery::Unsent)
    } else {
        (after_sending(error, &clues), Delivery::MaybeSent)
    };
    report(kind, delivery, clues.cause())
}

/// Classifies a failure inside the answer's body.
pub(super) fn in_body(error: &reqwest::Error) -> TransportError {
    let kind = if error.is_timeout() { Kind::Timeout } else { Kind::Cut };
    report(kind, Delivery::MaybeSent, Clues::of(error).cause())
}

fn report(kind: Kind, delivery: Delivery, cause: Option<Cause>) -> TransportError {
    let error = TransportError::new(kind, delivery);
    match cause {
        Some(cause) => error.with_source(cause),
        None => error,
    }
}

fn before_sending(error: &reqwest::Error, clues: &Clues<'_>) -> Kind {
    if error.is_builder() {
        return Kind::Setup;
    }
    // The name comes before the time: a lookup that takes too long is a matter of time.
    if error.is_timeout() {
        return Kind::Timeout;
    }
    if error.is_dns() {
        return Kind::Dns;
    }
    match clues.io.map(io::Error::kind) {
        _ if clues.tls.is_some() => Kind::Tls,
        Some(io::ErrorKind::ConnectionRefused) => Kind::ConnectionRefused,
        Some(io::ErrorKind::TimedOut) => Kind::Timeout,
        _ if error.is_connect() => Kind::Connect,
        // A kept connection that ended before the request was written on it.
        Some(_) => Kind::Closed,
        None if clues.hyper.is_some() => Kind::Closed,
        None => Kind::Other,
    }
}

fn after_sending(error: &reqwest::Error, clues: &Clues<'_>) -> Kind {
    if error.is_timeout() {
        return Kind::Timeout;
    }
    if clues.tls.is_some() || clues.hyper.is_some_and(hyper::Error::is_parse) {
        // With the handshake over, a TLS error is not about trust: what came back makes no sense.
        return Kind::Protocol;
    }
    match clues.io.map(io::Error::kind) {
        Some(
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected,
        ) => Kind::Closed,
        Some(io::ErrorKind::TimedOut) => Kind::Timeout,
        Some(_) => Kind::Other,
        None => match clues.hyper {
            Some(error) if error.is_incomplete_message() || error.is_closed() || error.is_canceled() => {
                Kind::Closed
            }
            _ => Kind::Other,
        },
    }
}

/// What lies below an error of reqwest's.
#[derive(Default)]
struct Clues<'a> {
    io: Option<&'a io::Error>,
    tls: Option<&'a rustls::Error>,
    hyper: Option<&'a hyper::Error>,
}

impl<'a> Clues<'a> {
    fn of(error: &'a reqwest::Error) -> Self {
        let mut clues = Self::default();
        let mut next = error.source();
        while let Some(error) = next {
            next = error.source();
            if let Some(io) = error.downcast_ref::<io::Error>() {
                clues.io = Some(io);
                // `source()` passes over what an input/output error wraps, and rustls hides there.
                next = io.get_ref().map(|inner| inner as &(dyn StdError + 'static));
            } else if let Some(tls) = error.downcast_ref() {
                clues.tls = Some(tls);
            } else if let Some(hyper) = error.downcast_ref() {
                clues.hyper = Some(hyper);
            }
        }
        clues
    }

    /// What may be told: never a URL, a host or a key.
    fn cause(&self) -> Option<Cause> {
        if let Some(tls) = self.tls {
            return Some(in_words(tls).into());
        }
        if let Some(io) = self.io {
            // Without its payload, which could be anything.
            let bare = io.raw_os_error().map_or_else(|| io.kind().into(), io::Error::from_raw_os_error);
            return Some(bare.into());
        }
        self.hyper.map(|hyper| hyper.to_string().into())
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
