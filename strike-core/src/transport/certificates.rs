//! Whether a file of CA certificates was read whole. Core reads no PEM; whoever does asks here afterwards.

use crate::values::InvalidInput;

const FIELD: &str = "ca certificate";

/// Checks that as many certificates were read from a text in PEM as begin there, and at least one.
///
/// Readers of PEM pass over what they do not recognise: a block behind a byte order mark or behind spaces, one that
/// begins on the line on which another ends, a `TRUSTED CERTIFICATE`. An authority that falls out so is missed only when
/// a connection fails. For adapters and custom transports, which all give the same rule.
///
/// # Errors
/// [`InvalidInput`] for the field `ca certificate`, which says how many begin and how many were read, or what the text is
/// instead. It shows nothing of the text.
///
/// ```
/// use strike_core::check_certificates;
///
/// let pem = "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n";
/// assert!(check_certificates(pem.as_bytes(), 1).is_ok());
///
/// let indented = format!("{pem}  {pem}");
/// let error = check_certificates(indented.as_bytes(), 1).unwrap_err();
/// assert!(error.to_string().contains("2 certificates begin and 1 can be read"));
/// ```
pub fn check_certificates(pem: &[u8], read: usize) -> Result<(), InvalidInput> {
    let begun = begun(pem);
    if begun == 0 {
        return Err(InvalidInput::new(FIELD, "one or more certificates in PEM").found(instead(pem)));
    }
    if begun != read {
        let found = format!("a text in which {begun} certificates begin and {read} can be read");
        let rule = "certificates in PEM that can all be read, each with `-----BEGIN CERTIFICATE-----` at the start of \
                    a line, without a byte order mark or spaces before it";
        return Err(InvalidInput::new(FIELD, rule).found(found));
    }
    Ok(())
}

/// How many certificates begin, in whatever form.
fn begun(pem: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pem).to_ascii_uppercase();
    let is_certificate = |label: &&str| {
        // `TRUSTED CERTIFICATE` and `X509 CERTIFICATE` are some, and `CERTIFICATE REQUEST` is none.
        let (label, rest) = label.split_at(label.find(['-', '\n', '\r']).unwrap_or(label.len()));
        label.trim_end().ends_with("CERTIFICATE") && rest.starts_with("--")
    };
    text.split("BEGIN ").skip(1).filter(is_certificate).count()
}

/// What a text is in which no certificate begins.
fn instead(pem: &[u8]) -> &'static str {
    match pem {
        [] => "empty",
        // A sequence, as every certificate is.
        [0x30, ..] => "DER; convert it with `openssl x509 -inform der`",
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => "UTF-16; save it as UTF-8",
        _ if String::from_utf8_lossy(pem).contains("PRIVATE KEY") => "a private key",
        _ => "a text in which none begins",
    }
}
