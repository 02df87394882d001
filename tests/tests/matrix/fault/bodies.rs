//! Responses with status 200 and an unusable body, or with extra data before or after the response.

use std::sync::LazyLock;

use strike_core::HttpResponse;
use strike_core::http::{HeaderValue, StatusCode, header};
use strike_tests::secrets;

use super::Fault;
use super::wording::Wording;
use crate::gzip_bomb;
use crate::service::{Service, render, render_kept};

/// How deep the brackets are nested.
const DEPTH: usize = 10_000;

static BOMB: LazyLock<Vec<u8>> = LazyLock::new(gzip_bomb::compressed_spaces);

pub fn faults() -> Vec<Fault> {
    let mut faults = vec![
        raw("100 before the response", |response, _| {
            [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), whole(response)].concat()
        }),
        raw("103 before the response", |response, _| {
            [b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n".to_vec(), whole(response)].concat()
        }),
        raw("body longer than declared", |response, _| [whole(response), vec![b' '; 100]].concat()),
        Fault::script("a forged response after the body", |mut peer, service| {
            while let Some(request) = peer.request() {
                let response = service.respond(&request);
                let mut forged = response.clone();
                *forged.body_mut() = Wording::of(service).paid(forged.body());
                let (head, body) = render_kept(response);
                peer.write([head, body, whole(forged)].concat());
            }
        })
        .unpaid(),
        raw("huge body, declared", |mut response, _| {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("10000000000"));
            *response.body_mut() = spaces();
            whole(response)
        }),
        raw("huge body, undeclared", |mut response, _| {
            response.headers_mut().remove(header::CONTENT_LENGTH);
            *response.body_mut() = spaces();
            whole(response)
        }),
        raw("huge body in chunks", |mut response, _| {
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            let spaces = spaces();
            *response.body_mut() = [format!("{:x}\r\n", spaces.len()).into_bytes(), spaces].concat();
            whole(response)
        }),
        raw("compressed bomb", |mut response, _| {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            resized(response, BOMB.clone())
        }),
        raw("204", |mut response, _| {
            *response.status_mut() = StatusCode::NO_CONTENT;
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response.body_mut().clear();
            whole(response)
        }),
    ];
    faults.extend([
        body("empty 200", |_, _| Vec::new()),
        body("invalid JSON", |body, _| body[..body.len() / 2].to_vec()),
        body("HTML with 200", |_, _| html()),
        body("nested 10,000 deep", |_, _| ["[".repeat(DEPTH), "]".repeat(DEPTH)].concat().into_bytes()),
        body("invalid UTF-8", |body, _| {
            // A lagging list is empty, and does not contain the text.
            let at = body.windows(3).position(|three| three == b"tea").unwrap_or(1);
            [&body[..at], b"\xff", &body[at..]].concat()
        }),
        body("duplicate keys", |body, wording| wording.duplicate_key(body)),
        body("another amount", |body, wording| wording.other_amount(body)),
        body("wrong types", |body, wording| wording.amount(body, "\"4200\"")),
        body("numbers beyond u64", |body, wording| wording.amount(body, "18446744073709551616")),
    ]);
    faults
}

/// Writes bytes made from the service's response.
fn raw(name: &str, make: impl Fn(HttpResponse, &Service) -> Vec<u8> + Send + Sync + 'static) -> Fault {
    Fault::script(name, move |mut peer, service| {
        if let Some(request) = peer.request() {
            let response = service.respond(&request);
            peer.write(make(response, service));
        }
    })
}

/// Writes the service's response with another body.
fn body(name: &str, make: impl Fn(&[u8], &Wording) -> Vec<u8> + Send + Sync + 'static) -> Fault {
    raw(name, move |response, service| {
        let body = make(response.body(), &Wording::of(service));
        resized(response, body)
    })
}

fn whole(response: HttpResponse) -> Vec<u8> {
    let (head, body) = render(response);
    [head, body].concat()
}

pub fn resized(mut response: HttpResponse, body: Vec<u8>) -> Vec<u8> {
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = body;
    whole(response)
}

/// A body larger than any limit in these tests.
fn spaces() -> Vec<u8> {
    vec![b' '; 4 << 20]
}

/// An HTML page as a proxy sends it, with the key in it.
pub fn html() -> Vec<u8> {
    format!("<!doctype html><title>Oops</title><p>{} is unwell</p>", secrets::KEY).into_bytes()
}
