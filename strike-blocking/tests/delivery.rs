//! The shared transport tests with the ureq transport.
#![cfg(feature = "ureq")]

use strike_blocking::{Transport, UreqTransport};
use strike_test_support::{Exchanger, Setup, TransportFactory, cases, each_case};

struct Ureq;

impl TransportFactory for Ureq {
    fn build(&self, setup: Setup) -> Result<(Exchanger, String), strike_blocking::Error> {
        let mut builder = UreqTransport::builder();
        for certificate in &setup.certificates {
            builder = builder.ca_certificate(certificate);
        }
        if let Some(proxy) = &setup.proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(timeout) = setup.connect_timeout {
            builder = builder.connect_timeout(timeout);
        }
        let shown = format!("{builder:?}");
        let transport = builder.build()?;
        let shown = format!("{shown} {transport:?}");
        Ok((Box::new(move |exchange| transport.exchange(exchange)), shown))
    }
}

each_case!(crate::Ureq);

#[test]
fn environment_is_not_read() {
    cases::proxies::environment_is_not_read(&Ureq, "environment_is_not_read");
}
