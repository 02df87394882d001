//! Faults that only phoenixd or only LNbits has: statuses that mean something else, and a response
//! that hides an error.

use strike_core::http::header;

use super::Fault;
use super::statuses::status;

pub fn faults() -> Vec<Fault> {
    let body = |text: &'static str| move |_: &mut _, _: &_| text.as_bytes().to_vec();
    vec![
        status("404 for an unknown endpoint", 404, body("Unknown endpoint (check api doc)")),
        status("404 for an unknown wallet", 404, body(r#"{"detail":"Wallet not found."}"#)),
        status("404 for an unknown path", 404, body(r#"{"detail":"Not Found"}"#)),
        status("200 without details", 200, body(r#"{"paid":false,"preimage":null}"#)),
        status("520, failed", 520, body(r#"{"detail":"Amount too high.","status":"failed"}"#)),
        status("520, pending", 520, body(r#"{"detail":"Node is down.","status":"pending"}"#)),
        status("307 to the installation", 307, |response, _| {
            response.headers_mut().insert(header::LOCATION, "/first_install".parse().unwrap());
            Vec::new()
        }),
    ]
}
