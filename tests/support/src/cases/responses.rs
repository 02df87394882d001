//! Successful exchanges: what the server receives and what the transport returns.

use strike_core::{HttpResponse, Reply};

use crate::{KEY, Server, TransportFactory, expect_status, get, post};

const PATH: &str = "/api/v1/charges";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

/// Sends a GET to a server that writes these bytes and then closes.
fn exchange(factory: &impl TransportFactory, response: impl AsRef<[u8]> + Send + Sync + 'static) -> Reply {
    let server = Server::start(move |mut peer| {
        peer.answer(&response);
    });
    let reply = factory.transport()(get(&server.url("http", PATH)));
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
    reply
}

pub fn headers_of_interim_responses_are_dropped(factory: &impl TransportFactory) {
    for interim in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"]
    {
        let reply = exchange(factory, format!("{interim}{OK}"));
        let reply = expect_status(reply, 200, "[]");
        assert!(!reply.headers().contains_key("link"));
    }
}

pub fn a_large_head_is_accepted(factory: &impl TransportFactory) {
    let filler: String = (0..60).map(|n| format!("X-Filler-{n}: {}\r\n", "x".repeat(500))).collect();
    let reply = exchange(factory, format!("HTTP/1.1 200 OK\r\n{filler}Content-Length: 2\r\n\r\n[]"));
    assert_eq!(expect_status(reply, 200, "[]").headers().len(), 61);
}

/// Returns the request line, the sorted headers with names in lower case, and the body.
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

pub fn requests_arrive_unchanged_on_one_connection(factory: &impl TransportFactory) {
    let server = Server::start(|mut peer| while peer.answer(OK) {});
    let transport = factory.transport();
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
    assert_eq!(server.connections(), 1, "the next exchange should use the same connection");
}

pub fn an_empty_post_has_content_length_zero(factory: &impl TransportFactory) {
    let server = Server::start(|mut peer| while peer.answer(OK) {});
    let mut exchange = post(&server.url("http", PATH));
    exchange.request.body_mut().clear();
    expect_status(factory.transport()(exchange), 200, "[]");
    let (_, headers, body) = lines(&server.requests()[0]);
    assert!(headers.contains(&"content-length: 0".to_string()), "{headers:?}");
    assert_eq!(body, "");
}

/// After `Connection: close`, the next exchange uses a new connection.
pub fn connection_close_is_respected(factory: &impl TransportFactory) {
    let server = Server::start(|mut peer| {
        peer.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]");
        peer.hang();
    });
    let transport = factory.transport();
    for _ in 0..2 {
        let _: HttpResponse = expect_status(transport(post(&server.url("http", PATH))), 200, "[]");
    }
    assert_eq!((server.connections(), server.requests().len()), (2, 2));
}
