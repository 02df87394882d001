//! What is set up wrongly: refused when it is built where possible, and never shown.

use strike_core::{Delivery, ErrorKind, TransportErrorKind};

use crate::certs::Authority;
use crate::{Lab, Setup, check_error, get};

/// Checks that it cannot be built, which field is named, and that nothing given shows.
fn refuses(lab: &impl Lab, setup: Setup, field: &str) {
    let Err(error) = lab.build(setup.clone()) else { panic!("{setup:?} was accepted") };
    let ErrorKind::InvalidInput(input) = error.kind() else { panic!("{error:?}") };
    assert_eq!(input.field(), field);
    let told = format!("{error} {error:?}");
    assert!(!told.contains("hunter2"), "{told}");
}

pub fn bad_certificates(lab: &impl Lab) {
    let good = Authority::new().pem().to_string();
    let broken = good.replace("MI", "!!");
    let not_one = "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n".to_string();
    let key = good.replace("CERTIFICATE", "PRIVATE KEY");
    for bad in [String::new(), "hunter2".to_string(), broken, not_one, key] {
        refuses(lab, Setup::trusting(&bad), "ca certificate");
        let after_a_good_one = Setup { certificates: vec![good.clone(), bad], ..Setup::default() };
        refuses(lab, after_a_good_one, "ca certificate");
    }
}

pub fn bad_proxies(lab: &impl Lab) {
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
        refuses(lab, Setup { proxy: Some(bad.to_string()), ..Setup::default() }, "proxy");
    }
}

/// What cannot be sent at all says so, and that nothing was.
pub fn unusable_urls(lab: &impl Lab) {
    for url in ["/api/v1/charges", "ftp://127.0.0.1/api/v1/charges", "https://-bad..name/api"] {
        let error = lab.transport()(get(url)).expect_err("no answer");
        assert_eq!(error.delivery(), Delivery::Unsent, "{url}: {error:?}");
        let kinds = [TransportErrorKind::Setup, TransportErrorKind::Dns, TransportErrorKind::Connect];
        assert!(kinds.contains(&error.kind()), "{url}: {error:?}");
        check_error(&error);
    }
}
