//! A refused connection is reported as unsent.

use std::io;

use strike_core::Delivery;

use crate::Rule;
use crate::checker::{Checker, describe};
use crate::request::TestRequest;
use crate::server::RefusedPort;

pub(crate) fn run(checker: &mut Checker) -> io::Result<()> {
    let refused = RefusedPort::take()?;
    for request in TestRequest::both() {
        let scenario = format!("{} to a port that refuses connections", request.method);
        if let Some((reply, _)) = checker.exchange(&scenario, request.to_exchange(refused.address)?)? {
            let passed = matches!(&reply, Err(error) if error.delivery() == Delivery::Unsent);
            checker.record(
                Rule::RefusedIsUnsent,
                &scenario,
                passed,
                describe(&reply),
                "an error that says Unsent",
            );
        }
    }
    Ok(())
}
