//! Describes why a webhook could not be posted, in plain words instead of the HTTP library's error
//! chain.

use std::error::Error;
use std::io;

use strike_core::http::Uri;

/// Describes an error of the HTTP client for
/// [`WebhookDelivery::error`](crate::WebhookDelivery::error).
pub(super) fn describe(error: &(dyn Error + 'static), uri: &Uri) -> String {
    let endpoint = endpoint(uri);
    let mut cause = Some(error);
    let (mut is_dns, mut last) = (false, error);
    while let Some(error) = cause {
        let described = describe_http(error, &endpoint).or_else(|| describe_io(error, &endpoint));
        #[cfg(feature = "tls")]
        let described = described.or_else(|| describe_tls(error, &endpoint));
        if let Some(described) = described {
            return described;
        }
        // The library does not export this error's type.
        is_dns |= error.to_string() == "dns error";
        last = error;
        cause = cause_of(error);
    }
    if is_dns {
        return format!("the host name {} cannot be resolved: {last}", uri.host().unwrap_or_default());
    }
    format!("cannot post to {endpoint}: {last}")
}

/// Returns the cause of an error. `source` of an I/O error would skip the error that it wraps.
fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn endpoint(uri: &Uri) -> String {
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    format!("{}:{}", uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(default))
}

fn describe_http(error: &(dyn Error + 'static), endpoint: &str) -> Option<String> {
    let error = error.downcast_ref::<hyper::Error>()?;
    if error.is_incomplete_message() {
        return Some(closed(endpoint));
    }
    error.is_parse().then(|| format!("{endpoint} sent invalid HTTP; the webhook may have arrived"))
}

fn describe_io(error: &(dyn Error + 'static), endpoint: &str) -> Option<String> {
    let error = error.downcast_ref::<io::Error>()?;
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Some(format!("nothing listens on {endpoint}: connection refused"))
        }
        io::ErrorKind::TimedOut => Some(format!("cannot reach {endpoint}: connection timed out")),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Some(format!("cannot reach {endpoint}: no route to the host"))
        }
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(closed(endpoint)),
        _ => None,
    }
}

#[cfg(feature = "tls")]
fn describe_tls(error: &(dyn Error + 'static), endpoint: &str) -> Option<String> {
    Some(match error.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(why) => {
            format!("the certificate of {endpoint} is not trusted: {}", describe_certificate(why))
        }
        other => format!("the TLS handshake with {endpoint} failed: {other}"),
    })
}

#[cfg(feature = "tls")]
fn describe_certificate(error: &rustls::CertificateError) -> String {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, UnknownIssuer,
    };

    match error {
        UnknownIssuer => "it is signed by an unknown authority".to_owned(),
        Expired | ExpiredContext { .. } => "it has expired".to_owned(),
        NotValidForName | NotValidForNameContext { .. } => "it is for another host name".to_owned(),
        other => other.to_string(),
    }
}

fn closed(endpoint: &str) -> String {
    format!("{endpoint} closed the connection without a response; the webhook may have arrived")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error of the HTTP client, with the causes of a failed connection.
    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: io::Error,
    }

    #[test]
    fn connection_errors_are_described_in_plain_words() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let unknown = io::Error::other("Name or service not known");
        for (text, source, url, expected) in [
            (
                "tcp connect error",
                refused,
                "http://127.0.0.1:9/hook",
                "nothing listens on 127.0.0.1:9: connection refused",
            ),
            (
                "dns error",
                unknown,
                "https://shop.invalid/hook",
                "the host name shop.invalid cannot be resolved: Name or service not known",
            ),
            (
                "other",
                io::Error::from(io::ErrorKind::TimedOut),
                "https://[::1]/hook",
                "cannot reach [::1]:443: connection timed out",
            ),
            (
                "other",
                io::Error::other("out of luck"),
                "http://127.0.0.1/",
                "cannot post to 127.0.0.1:80: out of luck",
            ),
        ] {
            let error = Layer { text, source };
            assert_eq!(describe(&error, &url.parse().expect("a URL")), expected);
        }
    }
}
