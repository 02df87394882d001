//! Checks that every CA certificate of a PEM file was read. The transports parse the PEM; core only
//! counts.

use crate::values::InvalidInput;

const FIELD: &str = "ca certificate";

/// Checks that `read` is the number of certificates in a PEM text, and that there is at least one.
///
/// Call it after you have parsed the PEM in a custom transport. PEM parsers silently skip blocks
/// that they do not recognize, and a skipped certificate only shows later, when a connection fails.
/// They skip for example:
///
/// - a block after a byte order mark or after spaces,
/// - a block that begins on the line on which another one ends,
/// - a `TRUSTED CERTIFICATE`.
///
/// # Errors
/// Returns [`InvalidInput`] for the field `ca certificate`. It contains both numbers, or what the
/// text is instead of PEM. It does not contain the text.
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
    let present = count_certificates(pem);
    if present == 0 {
        return Err(InvalidInput::new(FIELD, "one or more certificates in PEM").found(describe(pem)));
    }
    if present != read {
        let found = format!("a text in which {present} certificates begin and {read} can be read");
        let rule = "certificates in PEM that can all be read, each with `-----BEGIN CERTIFICATE-----` at the start of \
                    a line, without a byte order mark or spaces before it";
        return Err(InvalidInput::new(FIELD, rule).found(found));
    }
    Ok(())
}

/// Counts the blocks that begin a certificate, including those that PEM parsers skip.
fn count_certificates(pem: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pem).to_ascii_uppercase();
    let is_certificate = |label: &&str| {
        // Counts `TRUSTED CERTIFICATE` and `X509 CERTIFICATE`, but not `CERTIFICATE REQUEST`.
        let (label, rest) = label.split_at(label.find(['-', '\n', '\r']).unwrap_or(label.len()));
        label.trim_end().ends_with("CERTIFICATE") && rest.starts_with("--")
    };
    text.split("BEGIN ").skip(1).filter(is_certificate).count()
}

/// Describes a file without PEM certificates, for the error.
fn describe(pem: &[u8]) -> &'static str {
    match pem {
        [] => "empty",
        // The tag of an ASN.1 sequence. Every DER certificate starts with it.
        [0x30, ..] => "DER; convert it with `openssl x509 -inform der`",
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => "UTF-16; save it as UTF-8",
        _ if String::from_utf8_lossy(pem).contains("PRIVATE KEY") => "a private key",
        _ => "a text without certificates",
    }
}
