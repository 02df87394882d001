//! Requests as Strike clients of 2018 sent them, each in the form of its HTTP library.

use strike_core::UnixMillis;
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::wire::{Connection, Response, id};

fn start() -> RunningSandbox {
    let clock = UnixMillis::from_millis(1_542_221_803_505);
    Sandbox::builder().api_key("sk_demo").seed(7).clock_at(clock).start().expect("a free port")
}

/// Joins the lines of a request head with CRLF and appends the body.
fn request(head: &[&str], body: &str) -> String {
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}

/// Asserts that the response contains a created charge, and returns the charge.
fn charge(response: &Response) -> serde_json::Value {
    assert_eq!(response.status(), 200, "{}", response.body);
    assert!(response.head.contains("\r\nContent-Type: application/json\r\n"), "{}", response.head);
    serde_json::from_str(&response.body).expect("JSON")
}

#[test]
fn microcontroller_client_can_create_and_list() {
    let sandbox = start();
    // The sketch uses plain HTTP, a new connection per request, and the key as user and password.
    let mut connection = Connection::open(sandbox.address());
    let body = "?POST&amount=400&currency=btc&description=sweets";
    let response = connection.send(&request(
        &[
            "POST /api/v1/charges HTTP/1.1",
            "Host: api.strike.acinq.co",
            "User-Agent: ESP32",
            "Authorization: Basic c2tfZGVtbzpza19kZW1v",
            "Content-Type: application/x-www-form-urlencoded",
            "Connection: close",
            &format!("Content-Length: {}", body.len()),
        ],
        // `println` appends an extra line break.
        &format!("{body}\r\n"),
    ));
    assert_eq!(charge(&response)["amount"], 400);
    assert!(connection.is_closed());

    let mut connection = Connection::open(sandbox.address());
    let list = connection.send(&request(
        &[
            "GET /api/v1/charges?size=1 HTTP/1.1",
            "Host: api.strike.acinq.co",
            "User-Agent: ESP32",
            "Authorization: Basic c2tfZGVtbzpza19kZW1v",
            "Content-Type: application/x-www-form-urlencoded",
            "Connection: close",
        ],
        "",
    ));
    // The sketch strips the brackets of the list by hand.
    let inner = list.body.get(1..list.body.len() - 1).expect("a list in brackets");
    let inner: serde_json::Value = serde_json::from_str(inner).expect("one JSON object");
    assert_eq!(inner["id"].as_str(), Some(id(&response.body).as_str()));
    assert_eq!(inner["paid"], false);
}

#[test]
fn php_client_waits_for_100_continue_before_a_long_body() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    // libcurl sends `Expect: 100-continue` for bodies over 1 kB. The padding makes it that long.
    let body = format!("amount=42000&currency=btc&description=Order+17&padding={}", "x".repeat(1100));
    connection.write(
        request(
            &[
                "POST /api/v1/charges HTTP/1.1",
                "Host: api.dev.strike.acinq.co",
                "Authorization: Basic c2tfZGVtbzo=",
                "Accept: */*",
                &format!("Content-Length: {}", body.len()),
                "Content-Type: application/x-www-form-urlencoded",
                "Expect: 100-continue",
            ],
            "",
        )
        .as_bytes(),
    );
    assert_eq!((connection.line(), connection.line()), ("HTTP/1.1 100 Continue\r\n".into(), "\r\n".into()));
    connection.write(body.as_bytes());
    assert_eq!(charge(&connection.read())["description"], "Order 17");
}

#[test]
fn node_clients_can_create() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let form = "amount=4294967&currency=btc&description=1%2520Blockaccino&customer_id=";
    let response = connection.send(&request(
        &[
            "POST /api/v1/charges HTTP/1.1",
            // The credentials have no colon after the key.
            "Authorization: Basic c2tfZGVtbw==",
            "host: api-strike.acinq.co",
            "content-type: application/x-www-form-urlencoded",
            &format!("content-length: {}", form.len()),
            "Connection: close",
        ],
        form,
    ));
    let created = charge(&response);
    assert_eq!(
        (created["description"].as_str(), created.get("customer_id")),
        (Some("1%20Blockaccino"), None)
    );
    assert!(connection.is_closed());

    let mut connection = Connection::open(sandbox.address());
    let json = r#"{"amount":1000000,"currency":"btc","description":"1 Blockaccino"}"#;
    let response = connection.send(&request(
        &[
            "POST //api/v1/charges HTTP/1.1",
            "Accept: application/json, text/plain, */*",
            "Content-Type: application/json;charset=utf-8",
            "User-Agent: axios/0.18.0",
            &format!("Content-Length: {}", json.len()),
            "Host: api.strike.acinq.co",
            "Authorization: Basic c2tfZGVtbzo=",
            "Connection: close",
        ],
        json,
    ));
    assert_eq!(charge(&response)["amount"], 1_000_000);
}

#[test]
fn ruby_client_that_accepts_gzip_gets_an_uncompressed_response() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let json = r#"{"amount":42000,"currency":"btc","description":"1 Blockaccino","customer_id":"o"}"#;
    let head = |line: &str, more: &str| {
        let accept = "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3";
        request(
            &[
                line,
                "Content-Type: application/json",
                accept,
                "Accept: */*",
                "User-Agent: Ruby",
                "Host: api.dev.strike.acinq.co",
                "Authorization: Basic c2tfZGVtbzo=",
                more,
            ],
            "",
        )
    };
    let length = format!("Content-Length: {}", json.len());
    let created = connection.send(&format!("{}{json}", head("POST /api/v1/charges HTTP/1.1", &length)));
    assert_eq!(charge(&created)["customer_id"], "o");
    assert!(!created.head.to_ascii_lowercase().contains("content-encoding"), "{}", created.head);
    let unknown = connection.send(&head("GET /api/v1/charges/-1 HTTP/1.1", "Connection: keep-alive"));
    assert_eq!(
        (unknown.status(), unknown.body.as_str()),
        (404, "{\n  \"code\" : 404,\n  \"message\" : \"not found\"\n}")
    );
}

#[test]
fn go_client_can_create_with_a_chunked_body() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let response = connection.send(&request(
        &[
            "POST /api/v1/charges HTTP/1.1",
            "Host: api.strike.acinq.co",
            "User-Agent: Go-http-client/1.1",
            "Transfer-Encoding: chunked",
            "Authorization: Basic c2tfZGVtbzo=",
            "Content-Type: application/json",
            "Accept-Encoding: gzip",
        ],
        "1e\r\n{\"amount\":7,\"currency\":\"btc\",\"\r\n13\r\ndescription\":\"go\"}\n\r\n0\r\n\r\n",
    ));
    assert_eq!(charge(&response)["description"], "go");
}

#[test]
fn pystrike_can_send_head_and_body_separately() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let form = "amount=4200&currency=btc&description=services%20rendered&customer_id=";
    connection.write(
        request(
            &[
                "POST /api/v1/charges HTTP/1.1",
                "Host: api.strike.acinq.co",
                "Accept-Encoding: identity",
                &format!("Content-Length: {}", form.len()),
                "Authorization: Basic c2tfZGVtbzo=",
                "Content-Type: application/x-www-form-urlencoded",
                "Accept: */*",
                "User-Agent: pystrike v0.5.1",
            ],
            "",
        )
        .as_bytes(),
    );
    connection.write(form.as_bytes());
    let created = connection.read();
    assert_eq!(charge(&created)["description"], "services rendered");
    // It reads a charge and an error on the same connection.
    let read = |tail: &str| {
        let line = format!("GET /api/v1/charges/{tail} HTTP/1.1");
        request(
            &[
                &line,
                "Host: api.strike.acinq.co",
                "Accept-Encoding: identity",
                "Authorization: Basic c2tfZGVtbzo=",
            ],
            "",
        )
    };
    assert_eq!(connection.send(&read(&id(&created.body))).body, created.body);
    let refused = connection.send(&read("ch_unknown"));
    let code: serde_json::Value = serde_json::from_str(&refused.body).expect("JSON");
    assert_eq!(code["code"], 404);
}

#[test]
fn header_names_are_case_insensitive() {
    let sandbox = start();
    let json = r#"{"amount": 1, "currency": "btc", "description": "\u00e9"}"#;
    let length = json.len();
    for (names, agent) in [
        (["Host", "Authorization", "Content-Type", "Content-Length"], "python-requests/2.19.1"),
        (["host", "authorization", "content-type", "content-length"], "reqwest/0.9"),
        (["HOST", "AUTHORIZATION", "CONTENT-TYPE", "CONTENT-LENGTH"], "shouting/1.0"),
    ] {
        let [host, authorization, content_type, content_length] = names;
        let response = Connection::open(sandbox.address()).send(&request(
            &[
                "POST /api/v1/charges HTTP/1.1",
                &format!("{host}: api.strike.acinq.co"),
                &format!("user-agent: {agent}"),
                "accept-encoding: gzip, deflate",
                "accept: */*",
                &format!("{content_length}: {length}"),
                &format!("{content_type}: application/json"),
                &format!("{authorization}:   Basic   c2tfZGVtbzo=  "),
            ],
            json,
        ));
        assert_eq!(charge(&response)["description"], "é", "{agent}");
    }
}

#[test]
fn browser_can_create_from_any_origin() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    let origin = "Origin: http://localhost:3000";
    let preflight = connection.send(&request(
        &[
            "OPTIONS /api/v1/charges HTTP/1.1",
            "Host: api.dev.strike.acinq.co",
            "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: authorization,content-type",
            origin,
            "Sec-Fetch-Site: cross-site",
        ],
        "",
    ));
    assert_eq!((preflight.status(), preflight.body.as_str()), (200, ""));
    assert!(preflight.head.contains("\r\nAccess-Control-Allow-Origin: *\r\n"), "{}", preflight.head);
    let json = r#"{"amount":1,"currency":"btc","description":"a block"}"#;
    let response = connection.send(&request(
        &[
            "POST /api/v1/charges HTTP/1.1",
            "Host: api.dev.strike.acinq.co",
            &format!("Content-Length: {}", json.len()),
            "Authorization: Basic c2tfZGVtbzphIHBhc3N3b3Jk",
            "Content-Type: application/json",
            origin,
            "Sec-Fetch-Site: cross-site",
        ],
        json,
    ));
    assert_eq!(charge(&response)["amount"], 1);
    assert!(response.head.contains("\r\nAccess-Control-Allow-Origin: *\r\n"), "{}", response.head);
}

#[test]
fn http_1_0_connection_closes_unless_keep_alive_is_requested() {
    let sandbox = start();
    let send = |connection: &mut Connection, more: &str| {
        // HTTP/1.0 requests have no Host header.
        let authorization = format!("Authorization: Basic c2tfZGVtbzo={more}");
        let response = connection.send(&request(&["GET /api/v1/charges/ HTTP/1.0", &authorization], ""));
        assert_eq!((response.status(), response.body.as_str()), (200, "[ ]"), "{}", response.head);
        assert!(!response.head.to_ascii_lowercase().contains("transfer-encoding"), "{}", response.head);
        response.head
    };
    let mut connection = Connection::open(sandbox.address());
    send(&mut connection, "");
    assert!(connection.is_closed());

    let mut connection = Connection::open(sandbox.address());
    for _ in 0..2 {
        let head = send(&mut connection, "\r\nConnection: Keep-Alive");
        assert!(head.contains("\r\nConnection: keep-alive\r\n"), "{head}");
    }
}

#[test]
fn unrelated_headers_and_url_forms_are_accepted() {
    let sandbox = start();
    let mut connection = Connection::open(sandbox.address());
    for (target, more) in [
        // A browser, absolute URLs as sent to a proxy, foreign host names and percent-encoding.
        ("/api/v1/charges", "Accept: text/html\r\nHost: strike.acinq.co"),
        ("http://api.strike.acinq.co/api/v1/charges?1", "Host: api.strike.acinq.co"),
        ("https://api.dev.strike.acinq.co//api/v1/charges", "Host: 127.0.0.1"),
        ("/api/v1/charges/?page=0&size=30#part", "Host: evil.example\r\nContent-Type: application/json"),
        ("/%61pi/v1/%63harges", "Host: localhost\r\nCookie: a=b\r\nAccept-Language: *"),
    ] {
        let line = format!("GET {target} HTTP/1.1");
        let response = connection.send(&request(&[&line, more, "Authorization: basic c2tfZGVtbzo="], ""));
        assert_eq!((response.status(), response.body.as_str()), (200, "[ ]"), "{target}");
    }
    // The body of a GET is consumed, so the next request on the connection is parsed correctly.
    let get = request(
        &[
            "GET /api/v1/charges HTTP/1.1",
            "Host: localhost",
            "Authorization: Basic c2tfZGVtbzo=",
            "Content-Length: 2",
        ],
        "{}",
    );
    connection.write(format!("{get}{get}").as_bytes());
    assert_eq!((connection.read().body, connection.read().body), ("[ ]".to_owned(), "[ ]".to_owned()));
}

#[test]
fn curl_can_create_without_a_content_type() {
    let sandbox = start();
    // `curl -H 'Content-Type:' -d ...` omits the header. Some small clients never send it.
    for body in
        ["amount=42&currency=btc&description=x", r#"{"amount":42,"currency":"btc","description":"x"}"#]
    {
        let response = Connection::open(sandbox.address()).send(&request(
            &[
                "POST /api/v1/charges HTTP/1.1",
                "Host: localhost",
                "Authorization: Basic c2tfZGVtbzo=",
                "User-Agent: curl/7.58.0",
                "Accept: */*",
                &format!("Content-Length: {}", body.len()),
            ],
            body,
        ));
        assert_eq!(charge(&response)["amount"], 42);
    }
}
