//! Posts webhooks over HTTP and reports the outcome.

use std::error::Error;
use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use super::due::DueWebhook;
use super::post_error;
use super::webhook::Webhook;

#[cfg(feature = "tls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
type Connector = HttpConnector;

/// The largest part of a response body that is read. It is discarded, but the receiver can finish
/// writing.
const MAX_BODY: usize = 64 * 1024;

/// Checks a receiver before the sandbox starts.
///
/// # Errors
/// Fails if the URL needs a feature that is not enabled, or if the certificates are invalid.
pub(crate) fn check(webhook: &Webhook) -> io::Result<()> {
    client(webhook).map(drop)
}

/// Sends a webhook and reports the outcome.
pub(super) async fn post(due: DueWebhook) {
    let Some(webhook) = due.receiver() else { return };
    let client = match client(&webhook) {
        Ok(client) => client,
        Err(error) => return due.unanswered(error.to_string()),
    };
    let (head, body) = due.request().clone().into_parts();
    let uri = head.uri.clone();
    let request = Request::from_parts(head, Full::new(Bytes::from(body)));
    let limit = webhook.timeout;
    match timeout(limit, client.request(request)).await {
        Ok(Ok(response)) => {
            due.answered(response.status());
            // An error does not matter, because the body is discarded.
            let _ = timeout(limit, Limited::new(response.into_body(), MAX_BODY).collect()).await;
        }
        Ok(Err(error)) => due.unanswered(post_error::describe(&error, &uri)),
        Err(_) => due.unanswered(format!("no response within {limit:?}; the webhook may have arrived")),
    }
}

/// Creates an HTTP client for one receiver. It does not follow redirects and sends no API key.
///
/// Each webhook uses a connection of its own, so there is nothing to share between two of them.
fn client(webhook: &Webhook) -> io::Result<Client<Connector, Full<Bytes>>> {
    let mut client = Client::builder(TokioExecutor::new());
    // Only the outbox decides about retries.
    client.pool_max_idle_per_host(0).retry_canceled_requests(false).http1_title_case_headers(true);
    Ok(client.build(connector(webhook)?))
}

fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

#[cfg(not(feature = "tls"))]
fn connector(webhook: &Webhook) -> io::Result<Connector> {
    if webhook.url.scheme_str() == Some("https") {
        return Err(invalid("a webhook with an https URL needs the feature `tls`"));
    }
    Ok(HttpConnector::new())
}

#[cfg(feature = "tls")]
fn connector(webhook: &Webhook) -> io::Result<Connector> {
    use std::sync::Arc;

    use rustls::ClientConfig;
    use rustls::crypto::ring;

    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .with_root_certificates(roots(webhook)?)
        .with_no_client_auth();
    Ok(hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .build())
}

/// Returns the root certificates that the receiver's certificate must be signed by.
#[cfg(feature = "tls")]
fn roots(webhook: &Webhook) -> io::Result<rustls::RootCertStore> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use strike_core::{InvalidInput, check_certificates};

    let Some(pem) = &webhook.ca_certificate else {
        return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    };
    let rule = "one or more complete certificates in PEM";
    let wrong = || invalid(InvalidInput::new("ca certificate", rule));
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|_| wrong())?).map_err(|_| wrong())?;
    }
    check_certificates(pem, roots.len()).map_err(invalid)?;
    Ok(roots)
}
