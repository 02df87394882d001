//! Answers with 200 that are not what they should be, or come with something in front or behind.

use std::sync::LazyLock;

use strike_core::HttpResponse;
use strike_core::http::{HeaderValue, StatusCode, header};
use strike_tests::secrets;

use super::Fault;
use crate::behind::{Behind, render, render_kept};
use crate::bomb;

/// How many brackets there are in each other.
const DEPTH: usize = 10_000;

static BOMB: LazyLock<Vec<u8>> = LazyLock::new(bomb::gzip);

pub fn faults() -> Vec<Fault> {
    let mut faults = vec![
        raw("100 before the answer", |answer, _| {
            [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), whole(answer)].concat()
        }),
        raw("103 before the answer", |answer, _| {
            [b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n".to_vec(), whole(answer)].concat()
        }),
        raw("body longer than declared", |answer, _| [whole(answer), vec![b' '; 100]].concat()),
        Fault::script("a forged answer behind the body", |mut peer, behind| {
            while let Some(request) = peer.request() {
                let answer = behind.answer(&request);
                let mut forged = answer.clone();
                *forged.body_mut() = edited(forged.body(), "\"paid\" : false", "\"paid\" : true ");
                let (head, body) = render_kept(answer);
                peer.write([head, body, whole(forged)].concat());
            }
        })
        .unpaid(),
        raw("huge body, declared", |mut answer, _| {
            answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("10000000000"));
            *answer.body_mut() = spaces();
            whole(answer)
        }),
        raw("huge body, undeclared", |mut answer, _| {
            answer.headers_mut().remove(header::CONTENT_LENGTH);
            *answer.body_mut() = spaces();
            whole(answer)
        }),
        raw("huge body in chunks", |mut answer, _| {
            answer.headers_mut().remove(header::CONTENT_LENGTH);
            answer.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            let spaces = spaces();
            *answer.body_mut() = [format!("{:x}\r\n", spaces.len()).into_bytes(), spaces].concat();
            whole(answer)
        }),
        raw("compressed bomb", |mut answer, _| {
            answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            resized(answer, BOMB.clone())
        }),
        raw("204", |mut answer, _| {
            *answer.status_mut() = StatusCode::NO_CONTENT;
            answer.headers_mut().remove(header::CONTENT_LENGTH);
            answer.body_mut().clear();
            whole(answer)
        }),
    ];
    faults.extend([
        body("empty 200", |_| Vec::new()),
        body("invalid JSON", |body| body[..body.len() / 2].to_vec()),
        body("HTML with 200", |_| html()),
        body("nested 10,000 deep", |_| ["[".repeat(DEPTH), "]".repeat(DEPTH)].concat().into_bytes()),
        body("invalid UTF-8", |body| {
            // A list that lags is empty.
            let at = body.windows(3).position(|three| three == b"tea").unwrap_or(1);
            [&body[..at], b"\xff", &body[at..]].concat()
        }),
        body("duplicate keys", |body| edited(body, "\"paid\" :", "\"paid\" : true, \"paid\" :")),
        body("another amount", |body| edited(body, "\"amount\" : 4200", "\"amount\" : 4201")),
        body("wrong types", |body| edited(body, "\"amount\" : 4200", "\"amount\" : \"4200\"")),
        body("numbers beyond u64", |body| {
            edited(body, "\"amount\" : 4200", "\"amount\" : 18446744073709551616")
        }),
    ]);
    faults
}

/// Bytes made of the service's answer.
fn raw(name: &str, make: impl Fn(HttpResponse, &Behind) -> Vec<u8> + Send + Sync + 'static) -> Fault {
    Fault::script(name, move |mut peer, behind| {
        if let Some(request) = peer.request() {
            let answer = behind.answer(&request);
            peer.write(make(answer, behind));
        }
    })
}

/// The service's answer with another body.
fn body(name: &str, make: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Fault {
    raw(name, move |answer, _| {
        let body = make(answer.body());
        resized(answer, body)
    })
}

fn whole(answer: HttpResponse) -> Vec<u8> {
    let (head, body) = render(answer);
    [head, body].concat()
}

pub fn resized(mut answer: HttpResponse, body: Vec<u8>) -> Vec<u8> {
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *answer.body_mut() = body;
    whole(answer)
}

/// A body in which the first of something has become something else; in an empty list there may be none.
fn edited(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(body).unwrap();
    assert!(text.contains(from) || !text.contains('"'), "{from} is not in {text}");
    text.replacen(from, to, 1).into_bytes()
}

/// More than any limit here.
fn spaces() -> Vec<u8> {
    vec![b' '; 4 << 20]
}

/// A page as a proxy shows it; this one shows the key, too.
pub fn html() -> Vec<u8> {
    format!("<!doctype html><title>Oops</title><p>{} is unwell</p>", secrets::KEY).into_bytes()
}
