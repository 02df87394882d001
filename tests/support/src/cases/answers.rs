//! What is an answer: every status, exactly as it came; and what the server gets to see.

use std::io::Write as _;
use std::time::Duration;

use strike_core::{HttpResponse, Reply};

use crate::{KEY, Lab, Server, expect_status, get, post};

const PATH: &str = "/api/v1/charges";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

/// One GET to a server that answers with these bytes and then closes.
fn answer(lab: &impl Lab, response: impl AsRef<[u8]> + Send + Sync + 'static) -> Reply {
    let server = Server::start(move |mut peer| {
        peer.answer(&response);
    });
    let reply = lab.transport()(get(&server.url("http", PATH)));
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
    reply
}

pub fn every_status(lab: &impl Lab) {
    for status in [200, 201, 400, 401, 404, 408, 413, 417, 425, 429, 500, 502, 503, 599] {
        expect_status(
            answer(lab, format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n[]")),
            status,
            "[]",
        );
    }
}

pub fn redirects(lab: &impl Lab) {
    let elsewhere = Server::start(|mut peer| while peer.answer(OK) {});
    for status in [300, 301, 302, 303, 304, 307, 308] {
        for exchange in [get, post] {
            let to = elsewhere.url("http", "/elsewhere");
            let server = Server::start(move |mut peer| {
                peer.answer(format!(
                    "HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
                ));
            });
            let reply = expect_status(lab.transport()(exchange(&server.url("http", PATH))), status, "");
            assert_eq!(reply.headers()["location"], elsewhere.url("http", "/elsewhere"));
            assert_eq!(server.requests().len(), 1);
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

pub fn a_redirect_has_its_body(lab: &impl Lab) {
    let response = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 5\r\n\r\nmoved";
    expect_status(answer(lab, response), 302, "moved");
}

pub fn no_content(lab: &impl Lab) {
    expect_status(answer(lab, "HTTP/1.1 204 No Content\r\n\r\n"), 204, "");
}

pub fn ends_with_the_connection(lab: &impl Lab) {
    expect_status(answer(lab, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[1]"), 200, "[1]");
}

pub fn chunks(lab: &impl Lab) {
    let body = "3\r\n[1,\r\n2;note=x\r\n2]\r\n0\r\nX-Trailer: y\r\n\r\n";
    let response = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    expect_status(answer(lab, response), 200, "[1,2]");
}

pub fn interim_answers(lab: &impl Lab) {
    for interim in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"]
    {
        let reply = answer(lab, format!("{interim}{OK}"));
        let reply = expect_status(reply, 200, "[]");
        assert!(!reply.headers().contains_key("link"));
    }
}

pub fn large_head(lab: &impl Lab) {
    let filler: String = (0..60).map(|n| format!("X-Filler-{n}: {}\r\n", "x".repeat(500))).collect();
    let reply = answer(lab, format!("HTTP/1.1 200 OK\r\n{filler}Content-Length: 2\r\n\r\n[]"));
    assert_eq!(expect_status(reply, 200, "[]").headers().len(), 61);
}

/// What the answer says of itself arrives untouched, repeated and odd headers included.
pub fn headers_arrive(lab: &impl Lab) {
    let response =
        "HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 0\r\n\r\n";
    let reply = expect_status(answer(lab, response), 429, "");
    assert_eq!(reply.headers()["retry-after"], "7");
    assert_eq!(reply.headers().get_all("x-two").iter().collect::<Vec<_>>(), ["a", "b"]);
}

/// Compressed bytes are handed over as they are, and their label with them.
pub fn compressed(lab: &impl Lab) {
    let bytes = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03not really";
    let mut response = Vec::new();
    write!(response, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bytes.len())
        .unwrap();
    response.extend_from_slice(bytes);
    let reply = expect_status(answer(lab, response), 200, bytes);
    assert_eq!(reply.headers()["content-encoding"], "gzip");
}

/// A body beyond the limit: one byte more than was wanted is read, and nobody waits for the rest.
fn too_large(lab: &impl Lab, head: &'static str, chunk: &'static str) {
    let server = Server::start(move |mut peer| {
        peer.answer(head);
        for _ in 0..8 {
            peer.write(chunk);
        }
        peer.hang();
    });
    let mut exchange = get(&server.url("http", PATH));
    exchange.max_body = 10;
    exchange.timeout = Duration::from_secs(5);
    expect_status(lab.transport()(exchange), 500, "01234567890");
}

pub fn declared_too_large(lab: &impl Lab) {
    too_large(lab, "HTTP/1.1 500 X\r\nContent-Length: 10000000000\r\n\r\n", "0123456789");
}

pub fn undeclared_too_large(lab: &impl Lab) {
    too_large(lab, "HTTP/1.1 500 X\r\nConnection: close\r\n\r\n", "0123456789");
}

pub fn chunked_too_large(lab: &impl Lab) {
    too_large(lab, "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n", "a\r\n0123456789\r\n");
}

pub fn at_the_limit(lab: &impl Lab) {
    for max_body in [2, usize::MAX] {
        let server = Server::start(|mut peer| while peer.answer(OK) {});
        let mut exchange = get(&server.url("http", PATH));
        exchange.max_body = max_body;
        exchange.timeout = if max_body == 2 { exchange.timeout } else { Duration::MAX };
        expect_status(lab.transport()(exchange), 200, "[]");
    }
}

/// A request's lines, its header names in lower case, sorted: their order is the library's.
fn lines(request: &str) -> (String, Vec<String>, String) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n").map(|line| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
        None => line.to_string(),
    });
    let first = lines.next().unwrap();
    let mut headers: Vec<_> = lines.collect();
    headers.sort();
    (first, headers, body.to_string())
}

pub fn exact_requests(lab: &impl Lab) {
    let server = Server::start(|mut peer| while peer.answer(OK) {});
    let transport = lab.transport();
    let path = "/api//v1/charges/ch_%2F%c3~!$&'()*+,;=:@?page=0&size=30&q=%20a+b";
    expect_status(transport(get(&server.url("http", path))), 200, "[]");
    expect_status(transport(post(&server.url("http", PATH))), 200, "[]");
    expect_status(transport(get(&server.url("http", ""))), 200, "[]");
    let [first, second, third] = server.requests().try_into().unwrap();
    let common = [
        "accept: application/json".to_string(),
        format!("authorization: {KEY}"),
        format!("host: {}", server.addr()),
        "user-agent: strike-rust/test".to_string(),
    ];
    assert_eq!(lines(&first), (format!("GET {path} HTTP/1.1"), common.to_vec(), String::new()));
    assert_eq!(lines(&third), ("GET / HTTP/1.1".to_string(), common.to_vec(), String::new()));
    let mut headers = common.to_vec();
    headers.insert(2, "content-length: 24".to_string());
    headers.insert(3, "content-type: application/x-www-form-urlencoded".to_string());
    let expected = (format!("POST {PATH} HTTP/1.1"), headers, "amount=4200&currency=btc".to_string());
    assert_eq!(lines(&second), expected);
    assert_eq!(server.connections(), 1, "a connection is kept for the next exchange");
}

pub fn an_empty_post_says_so(lab: &impl Lab) {
    let server = Server::start(|mut peer| while peer.answer(OK) {});
    let mut exchange = post(&server.url("http", PATH));
    exchange.request.body_mut().clear();
    expect_status(lab.transport()(exchange), 200, "[]");
    let (_, headers, body) = lines(&server.requests()[0]);
    assert!(headers.contains(&"content-length: 0".to_string()), "{headers:?}");
    assert_eq!(body, "");
}

/// The server says that it will close, so the next exchange gets a new connection.
pub fn connection_close(lab: &impl Lab) {
    let server = Server::start(|mut peer| {
        peer.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]");
        peer.hang();
    });
    let transport = lab.transport();
    for _ in 0..2 {
        let _: HttpResponse = expect_status(transport(post(&server.url("http", PATH))), 200, "[]");
    }
    assert_eq!((server.connections(), server.requests().len()), (2, 2));
}

/// What was not read of one answer never shows in the next.
pub fn an_unread_answer_taints_nothing(lab: &impl Lab) {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.request() {
            let long = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789";
            peer.write(if request.contains("/long") { long } else { OK });
        }
    });
    let transport = lab.transport();
    let mut exchange = get(&server.url("http", "/long"));
    exchange.max_body = 3;
    expect_status(transport(exchange), 200, "0123");
    expect_status(transport(get(&server.url("http", PATH))), 200, "[]");
}
