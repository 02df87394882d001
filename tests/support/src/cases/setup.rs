//! Invalid options: the builder rejects them if possible, and no error contains them.

use strike_core::{Delivery, ErrorKind, TransportErrorKind};

use crate::certs::Authority;
use crate::{Setup, TransportFactory, check_error, get};

/// Checks that the builder rejects the options, names the field, and does not reveal the value.
fn assert_rejected(factory: &impl TransportFactory, setup: Setup, field: &str) {
    let Err(error) = factory.build(setup.clone()) else { panic!("{setup:?} was accepted") };
    let ErrorKind::InvalidInput(input) = error.kind() else { panic!("{error:?}") };
    assert_eq!(input.field(), field);
    let text = format!("{error} {error:?}");
    assert!(!text.contains("hunter2"), "{text}");
}

pub fn invalid_certificates_are_rejected(factory: &impl TransportFactory) {
    let good = Authority::new().pem().to_string();
    let broken = good.replace("MI", "!!");
    let not_one = "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n".to_string();
    let key = good.replace("CERTIFICATE", "PRIVATE KEY");
    for bad in [String::new(), "hunter2".to_string(), broken, not_one, key] {
        assert_rejected(factory, Setup::trusting(&bad), "ca certificate");
        let after_a_good_one = Setup { certificates: vec![good.clone(), bad], ..Setup::default() };
        assert_rejected(factory, after_a_good_one, "ca certificate");
    }
}

/// PEM parsers skip what they do not recognise. Every given certificate must be trusted, or the text rejected.
pub fn partly_readable_certificates_are_rejected(factory: &impl TransportFactory) {
    let [one, two] = [(); 2].map(|()| Authority::new().pem().to_string());
    let der = |pem: &str| pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>();
    let labelled = |label: &str| two.replace("CERTIFICATE", label);
    for (what, bad) in [
        ("a byte order mark", format!("\u{feff}{one}{two}")),
        ("no line end between two", format!("{}{two}", one.trim_end())),
        ("indented", format!("{one}  {}", two.replace('\n', "\n  "))),
        ("one space", format!("{one} {two}")),
        ("behind a word", format!("{one}ca: {two}")),
        ("trusted", format!("{one}{}", labelled("TRUSTED CERTIFICATE"))),
        ("X509", format!("{one}{}", labelled("X509 CERTIFICATE"))),
        ("in lower case", format!("{one}{}", labelled("certificate").replace("BEGIN", "begin"))),
        ("four dashes", format!("{one}{}", two.replace("-----BEGIN", "----BEGIN"))),
        ("no end", format!("{one}{}", two.split("-----END").next().unwrap_or_default())),
        ("no end of the first", format!("{}{two}", one.split("-----END").next().unwrap_or_default())),
        ("cut in its first line", format!("{one}{}", two.get(..20).unwrap_or_default())),
        ("a byte more behind its last", format!("{one}{}", two.replace("-----END", "AAAA\n-----END"))),
        ("base64 alone", der(&one)),
        ("a request", one.replace("CERTIFICATE", "CERTIFICATE REQUEST")),
    ] {
        let Err(error) = factory.build(Setup::trusting(&bad)) else { panic!("{what}: accepted") };
        let ErrorKind::InvalidInput(input) = error.kind() else { panic!("{what}: {error:?}") };
        assert_eq!(input.field(), "ca certificate", "{what}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains(one.lines().nth(1).unwrap_or_default()), "{what}: {text}");
    }
    let key = one.replace("CERTIFICATE", "PRIVATE KEY");
    for (what, good) in [
        ("two", format!("{one}{two}")),
        ("CRLF", format!("{one}{two}").replace('\n', "\r\n")),
        ("CR", format!("{one}{two}").replace('\n', "\r")),
        ("no line end at the end", format!("{one}{}", two.trim_end())),
        ("names between them", format!("# Begin certificate list\n{one}\nAnother\n=======\n{two}\nthe end")),
        ("with a key", format!("{key}{one}{two}")),
    ] {
        assert!(factory.build(Setup::trusting(&good)).is_ok(), "{what}");
    }
}

pub fn invalid_proxies_are_rejected(factory: &impl TransportFactory) {
    for bad in [
        "",
        "proxy.example",
        "proxy.example:3128",
        "user:hunter2@proxy.example:3128",
        "https://user:hunter2@proxy.example",
        "socks5://user:hunter2@proxy.example",
        "http://user:hunter2@",
        "http://user:hunter2@proxy.example/path",
        "http://user:hunter2@proxy.example?query",
        "http://user:hunter2@proxy.example:99999",
        "http://user:hunter2@proxy example",
    ] {
        assert_rejected(factory, Setup { proxy: Some(bad.to_string()), ..Setup::default() }, "proxy");
    }
}

/// A request that cannot be sent at all is reported as unsent.
pub fn unusable_urls_are_unsent(factory: &impl TransportFactory) {
    for url in ["/api/v1/charges", "ftp://127.0.0.1/api/v1/charges", "https://-bad..name/api"] {
        let error = factory.transport()(get(url)).expect_err("no response");
        assert_eq!(error.delivery(), Delivery::Unsent, "{url}: {error:?}");
        let kinds = [TransportErrorKind::Setup, TransportErrorKind::Dns, TransportErrorKind::Connect];
        assert!(kinds.contains(&error.kind()), "{url}: {error:?}");
        check_error(&error);
    }
}
