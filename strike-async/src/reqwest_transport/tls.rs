//! The TLS configuration: rustls with ring, and the certificates to trust.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use strike_core::{InvalidInput, check_certificates};

/// Returns a TLS configuration that trusts the chosen roots.
#[cfg_attr(
    not(feature = "platform-verifier"),
    expect(
        unused_variables,
        reason = "nothing but the given certificates and Mozilla's roots can be trusted"
    )
)]
pub(super) fn trusted(
    certificates: &[Vec<u8>],
    platform_verifier: bool,
) -> Result<ClientConfig, InvalidInput> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| InvalidInput::new("TLS provider", "one that supports TLS 1.2 or 1.3"))?;
    let roots = if !certificates.is_empty() {
        parse_certificates(certificates)?
    } else {
        #[cfg(feature = "platform-verifier")]
        if platform_verifier {
            use rustls_platform_verifier::BuilderVerifierExt as _;
            return Ok(config
                .with_platform_verifier()
                .map_err(|_| InvalidInput::new("platform verifier", "available on this system"))?
                .with_no_client_auth());
        }
        webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
    };
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn parse_certificates(pems: &[Vec<u8>]) -> Result<RootCertStore, InvalidInput> {
    let wrong = || InvalidInput::new("ca certificate", "one or more complete certificates in PEM");
    let mut roots = RootCertStore::empty();
    for pem in pems {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|_| wrong())?).map_err(|_| wrong())?;
        }
        check_certificates(pem, roots.len().saturating_sub(before))?;
    }
    Ok(roots)
}
