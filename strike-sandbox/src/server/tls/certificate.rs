//! Creates a certificate authority and the server's certificate, new at every start.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use data_encoding::HEXLOWER;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use strike_core::UnixMillis;

use crate::guard::SERVICE_HOSTS;

/// The certificate is valid from a day ago, since a client's clock may be behind.
const BEFORE: Duration = Duration::from_secs(86_400);
/// One year. Apple's systems reject certificates that are valid for more than 825 days.
const AFTER: Duration = Duration::from_secs(365 * 86_400);

/// The server's certificate and the authority that clients must trust.
pub(super) struct Created {
    /// The authority's certificate in PEM.
    pub(super) authority: String,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// Creates an authority and a certificate that are valid at all of the given moments.
///
/// The authority's private key is discarded when this returns.
pub(super) fn create(address: IpAddr, moments: &[UnixMillis]) -> Result<Created, Error> {
    let mut params = valid_at(moments);
    let key = KeyPair::generate()?;
    // A unique name: a client that trusts an earlier authority then reports an unknown issuer, not a bad signature.
    let name = format!("Strike sandbox {}", HEXLOWER.encode(&params.key_identifier(&key)));
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);

    let mut params = valid_at(moments);
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.subject_alt_names = names(address)?;
    // `ExplicitNoCa` adds the subject key identifier, which strict clients require.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let chain = vec![params.signed_by(&key, &issuer)?.der().clone()];
    Ok(Created { authority, chain, key: key.into() })
}

fn names(address: IpAddr) -> Result<Vec<SanType>, Error> {
    let mut names = vec![SanType::DnsName("localhost".try_into()?)];
    for name in SERVICE_HOSTS {
        names.push(SanType::DnsName(name.try_into()?));
    }
    let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    if !address.is_unspecified() && !addresses.contains(&address) {
        addresses.push(address);
    }
    names.extend(addresses.into_iter().map(SanType::IpAddress));
    Ok(names)
}

/// Returns parameters without a name, whose validity covers all of the moments.
fn valid_at(moments: &[UnixMillis]) -> CertificateParams {
    let epoch = date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let since = |moment: &UnixMillis| Duration::from_millis(moment.as_millis());
    let first = moments.iter().map(since).min().unwrap_or_default();
    let last = moments.iter().map(since).max().unwrap_or_default();
    // Cannot overflow: a sandbox's clock stops in the year 3058, and certificate dates reach 9999.
    params.not_before = epoch + first.saturating_sub(BEFORE);
    params.not_after = epoch + last.saturating_add(AFTER);
    params
}
