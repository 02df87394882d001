//! Answers with a status that is no success.

use strike_core::HttpResponse;
use strike_core::http::header;
use strike_tests::secrets;

use super::Fault;
use super::answers::{html, resized};
use crate::behind::Behind;

pub fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    for code in [301_u16, 302, 307, 308] {
        for (which, place) in ["host", "port", "scheme"].into_iter().enumerate() {
            faults.push(status(format!("{code} to another {place}"), code, move |answer, behind| {
                let to = format!("{}/api/v1/charges", behind.elsewhere[which]);
                answer.headers_mut().insert(header::LOCATION, to.parse().unwrap());
                html()
            }));
        }
    }
    for code in [401_u16, 403, 404, 409] {
        faults.push(status(code.to_string(), code, move |_, _| api_error(code)));
    }
    faults.push(status("404 from a proxy", 404, |_, _| html()));
    let absurd = "9".repeat(30);
    for (name, retry_after) in [
        ("429", None),
        ("429, in seconds", Some("7".to_owned())),
        ("429, negative", Some("-7".to_owned())),
        ("429, absurd", Some(absurd)),
    ] {
        faults.push(status(name, 429, move |answer, _| {
            if let Some(value) = &retry_after {
                answer.headers_mut().insert(header::RETRY_AFTER, value.parse().unwrap());
            }
            api_error(429)
        }));
    }
    faults.push(status("429, at a date", 429, |answer, behind| {
        let date = std::time::UNIX_EPOCH + std::time::Duration::from_secs(behind.unix_seconds() + 7);
        answer.headers_mut().insert(header::RETRY_AFTER, httpdate::fmt_http_date(date).parse().unwrap());
        api_error(429)
    }));
    for code in [500_u16, 502, 503, 504] {
        faults.push(status(format!("{code} with text"), code, |_, _| {
            format!("upstream of {} failed", secrets::KEY).into_bytes()
        }));
        faults.push(status(format!("{code} with HTML"), code, |_, _| html()));
        faults.push(status(format!("{code} with JSON"), code, move |_, _| api_error(code)));
    }
    faults
}

/// The service's headers, with that status, and a body that may go with more headers.
fn status(
    name: impl Into<String>,
    code: u16,
    dress: impl Fn(&mut HttpResponse, &Behind) -> Vec<u8> + Send + Sync + 'static,
) -> Fault {
    Fault::script(name, move |mut peer, behind| {
        if let Some(request) = peer.request() {
            let mut answer = behind.answer(&request);
            *answer.status_mut() = code.try_into().unwrap();
            let body = dress(&mut answer, behind);
            peer.write(resized(answer, body));
        }
    })
}

/// An error as the API has it; its words repeat the key.
fn api_error(code: u16) -> Vec<u8> {
    format!("{{ \"code\" : {code}, \"message\" : \"no, {}\" }}", secrets::KEY).into_bytes()
}
