//! A certificate authority for one run, and the one certificate that it signs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use data_encoding::HEXLOWER;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use strike_core::UnixMillis;

/// The names of the service: a client that goes by one of them can be led here, by a proxy or a hosts file.
const SERVICE: [&str; 5] = [
    "api.strike.acinq.co",
    "api.dev.strike.acinq.co",
    "api-strike.acinq.co",
    "strike.acinq.co",
    "dev.strike.acinq.co",
];

/// Clocks differ: valid since a day before it was made.
const BEFORE: Duration = Duration::from_secs(86_400);
/// A year. Apple's systems take no certificate that is valid for more than 825 days.
const AFTER: Duration = Duration::from_secs(365 * 86_400);

/// What a server shows, and what its clients trust.
pub(super) struct Made {
    /// In PEM.
    pub(super) authority: String,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// Makes both, good at all of these moments. The authority's key ends with this function.
pub(super) fn make(address: IpAddr, moments: &[UnixMillis]) -> Result<Made, Error> {
    let mut params = valid_at(moments);
    let key = KeyPair::generate()?;
    // No two share a name: to a client that trusts an earlier one, this is a stranger, and not a forger.
    let name = format!("Strike sandbox {}", HEXLOWER.encode(&params.key_identifier(&key)));
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);

    let mut params = valid_at(moments);
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.subject_alt_names = names(address)?;
    // Says that it is none in so many words, which brings the subject's key identifier that strict clients want.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let chain = vec![params.signed_by(&key, &issuer)?.der().clone()];
    Ok(Made { authority, chain, key: key.into() })
}

fn names(address: IpAddr) -> Result<Vec<SanType>, Error> {
    let mut names = vec![SanType::DnsName("localhost".try_into()?)];
    for name in SERVICE {
        names.push(SanType::DnsName(name.try_into()?));
    }
    let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    if !address.is_unspecified() && !addresses.contains(&address) {
        addresses.push(address);
    }
    names.extend(addresses.into_iter().map(SanType::IpAddress));
    Ok(names)
}

/// Parameters without a name, and with a lifetime around the moments.
fn valid_at(moments: &[UnixMillis]) -> CertificateParams {
    let epoch = date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let since = |moment: &UnixMillis| Duration::from_millis(moment.as_millis());
    let first = moments.iter().map(since).min().unwrap_or_default();
    let last = moments.iter().map(since).max().unwrap_or_default();
    // No clock of a sandbox goes beyond the year 3058, and dates go on to 9999.
    params.not_before = epoch + first.saturating_sub(BEFORE);
    params.not_after = epoch + last.saturating_add(AFTER);
    params
}
