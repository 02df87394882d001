//! Posts a webhook over a socket, and sees what comes of it.

use std::error::Error;
use std::io;
use std::time::Duration;

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

/// How much of an answer's body is read, so that a receiver can write it to its end. Nobody looks at it.
const MAX_BODY: usize = 64 * 1024;

/// Posts to one receiver. It follows no redirect, and sends no key.
pub(crate) struct Poster {
    client: Client<Connector, Full<Bytes>>,
    timeout: Duration,
}

impl Poster {
    /// # Errors
    /// If the receiver's URL or certificates are such that nothing could be posted.
    pub(crate) fn new(webhook: &Webhook) -> io::Result<Self> {
        let mut client = Client::builder(TokioExecutor::new());
        // Nothing may be sent twice behind the outbox's back.
        client.pool_max_idle_per_host(0).retry_canceled_requests(false).http1_title_case_headers(true);
        Ok(Self { client: client.build(connector(webhook)?), timeout: webhook.timeout })
    }

    pub(super) async fn post(&self, due: DueWebhook) {
        let (head, body) = due.request().clone().into_parts();
        let uri = head.uri.clone();
        let request = Request::from_parts(head, Full::new(Bytes::from(body)));
        let limit = self.timeout;
        match timeout(limit, self.client.request(request)).await {
            Ok(Ok(answer)) => {
                due.answered(answer.status());
                // Whether that succeeds changes nothing.
                let _ = timeout(limit, Limited::new(answer.into_body(), MAX_BODY).collect()).await;
            }
            Ok(Err(error)) => due.unanswered(post_error::describe(&error, &uri)),
            Err(_) => due.unanswered(format!("no answer within {limit:?}; it may have arrived")),
        }
    }
}

fn invalid(why: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(not(feature = "tls"))]
fn connector(webhook: &Webhook) -> io::Result<Connector> {
    if webhook.url.scheme_str() == Some("https") {
        return Err(invalid("a webhook to an https address needs the feature `tls`"));
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

/// Whom the receiver's certificate must come from.
#[cfg(feature = "tls")]
fn roots(webhook: &Webhook) -> io::Result<rustls::RootCertStore> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use strike_core::{InvalidInput, check_certificates};

    let Some(pem) = &webhook.ca_certificate else {
        return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    };
    let rule = "one or more certificates in PEM, each of them whole";
    let wrong = || invalid(InvalidInput::new("ca certificate", rule));
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|_| wrong())?).map_err(|_| wrong())?;
    }
    check_certificates(pem, roots.len()).map_err(invalid)?;
    Ok(roots)
}
