//! Responses with a status that is not a success.

use strike_core::HttpResponse;
use strike_core::http::header;
use strike_tests::secrets;

use super::Fault;
use super::bodies::{html, resized};
use super::wording::Wording;
use crate::service::Service;

pub fn faults() -> Vec<Fault> {
    let mut faults = Vec::new();
    for code in [301_u16, 302, 307, 308] {
        for (which, place) in ["host", "port", "scheme"].into_iter().enumerate() {
            faults.push(status(format!("{code} to another {place}"), code, move |response, service| {
                let to = format!("{}/api/v1/charges", service.redirect_targets[which]);
                response.headers_mut().insert(header::LOCATION, to.parse().unwrap());
                html()
            }));
        }
    }
    for code in [401_u16, 403, 404, 409] {
        faults.push(status(code.to_string(), code, move |_, service| Wording::of(service).error(code)));
    }
    faults.push(status("404 from a proxy", 404, |_, _| html()));
    let long_delay = "9".repeat(30);
    for (name, retry_after) in [
        ("429", None),
        ("429, in seconds", Some("7".to_owned())),
        ("429, negative", Some("-7".to_owned())),
        ("429, a long delay", Some(long_delay)),
    ] {
        faults.push(status(name, 429, move |response, service| {
            if let Some(value) = &retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, value.parse().unwrap());
            }
            Wording::of(service).error(429)
        }));
    }
    faults.push(status("429, at a date", 429, |response, service| {
        let date = std::time::UNIX_EPOCH + std::time::Duration::from_secs(service.unix_seconds() + 7);
        response.headers_mut().insert(header::RETRY_AFTER, httpdate::fmt_http_date(date).parse().unwrap());
        Wording::of(service).error(429)
    }));
    for code in [500_u16, 502, 503, 504] {
        faults.push(status(format!("{code} with text"), code, |_, _| {
            format!("upstream of {} failed", secrets::KEY).into_bytes()
        }));
        faults.push(status(format!("{code} with HTML"), code, |_, _| html()));
        faults.push(status(format!("{code} with JSON"), code, move |_, service| {
            Wording::of(service).error(code)
        }));
    }
    faults
}

/// The service's response with another status. The closure returns the body, and may add headers.
pub fn status(
    name: impl Into<String>,
    code: u16,
    edit: impl Fn(&mut HttpResponse, &Service) -> Vec<u8> + Send + Sync + 'static,
) -> Fault {
    Fault::script(name, move |mut peer, service| {
        if let Some(request) = peer.request() {
            let mut response = service.respond(&request);
            *response.status_mut() = code.try_into().unwrap();
            let body = edit(&mut response, service);
            peer.write(resized(response, body));
        }
    })
}
