//! The shared transport tests with the reqwest transport.
#![cfg(feature = "reqwest")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use strike_async::{AsyncTransport, ReqwestTransport};
use strike_test_support::{Exchanger, Setup, TransportFactory, cases, each_case};

struct Reqwest;

impl TransportFactory for Reqwest {
    fn build(&self, setup: Setup) -> Result<(Exchanger, String), strike_async::Error> {
        let mut builder = ReqwestTransport::builder();
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
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Ok((Box::new(move |exchange| runtime.block_on(transport.exchange(exchange))), shown))
    }
}

each_case!(crate::Reqwest);

#[test]
fn environment_is_not_read() {
    cases::proxies::environment_is_not_read(&Reqwest, "environment_is_not_read");
}
