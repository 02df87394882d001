//! Measures requests per second, compared with a bare hyper server that sends the same bytes.
//!
//! Run it with `cargo bench -p strike-sandbox --bench load`. One thread sends requests over four keep-alive
//! connections. Rounds for the two servers alternate, so that other load on the machine affects both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use strike_sandbox::Sandbox;

const CONNECTIONS: usize = 4;
const ROUNDS: usize = 21;
const KEY: &str = "Basic c2tfZGVtbzo="; // base64 of `sk_demo:`
const FORM: &str = "amount=4200&currency=btc&description=services+rendered";

fn main() {
    let sandbox = Sandbox::builder().api_key("sk_demo").seed(7).start().unwrap();
    let request = |path: &str, body: &str| {
        let builder = Request::builder().method(if body.is_empty() { "GET" } else { "POST" });
        let builder = builder.uri(path).header(AUTHORIZATION, KEY);
        builder
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.as_bytes().to_vec())
            .unwrap()
    };
    let mut last = String::new();
    for _ in 0..1000 {
        last = String::from_utf8(sandbox.respond(&request("/api/v1/charges", FORM)).into_body()).unwrap();
    }
    let get = format!("/api/v1/charges/{}", last.split('"').nth(3).unwrap());

    #[cfg(feature = "sqlite")]
    let folder = tempfile::tempdir().unwrap();
    #[cfg(feature = "sqlite")]
    let data = || Sandbox::builder().api_key("sk_demo").data(folder.path().join("charges"));
    #[cfg(feature = "sqlite")]
    let stored = data().start().unwrap();

    println!("| request | sandbox, per second | bare hyper, per second | ratio |");
    println!("| --- | ---: | ---: | ---: |");
    for (name, path, body, count) in [
        ("get", get.as_str(), "", 4000),
        ("list of 30", "/api/v1/charges", "", 2000),
        ("create", "/api/v1/charges", FORM, 1000),
        #[cfg(feature = "sqlite")]
        ("create, stored in a file", "/api/v1/charges", FORM, 100),
    ] {
        #[cfg(feature = "sqlite")]
        let sandbox = if name.contains("stored") { &stored } else { &sandbox };
        let bare = bare_server(sandbox.respond(&request(path, body)));
        let method = if body.is_empty() { "GET" } else { "POST" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {KEY}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (mut ours, mut theirs) = (open(sandbox.address()), open(bare));
        let mut rounds: Vec<_> = (0..ROUNDS)
            .map(|_| (round(&mut ours, &request, count), round(&mut theirs, &request, count)))
            .collect();
        let ratio = median(&mut rounds, |(ours, theirs)| ours / theirs);
        let (ours, theirs) = (median(&mut rounds, |it| it.0), median(&mut rounds, |it| it.1));
        println!("| {name} | {ours:.0} | {theirs:.0} | {ratio:.2} |");
    }

    let mut starts: Vec<_> = (0..200).map(|_| timed(|| drop(Sandbox::builder().start().unwrap()))).collect();
    starts.sort();
    println!(
        "\nStarting and dropping a sandbox: {:?} (median of {})",
        starts[starts.len() / 2],
        starts.len()
    );

    #[cfg(feature = "sqlite")]
    {
        let charges = stored.charges();
        drop(stored);
        println!("Opening a file of {charges} charges: {:?}", timed(|| drop(data().open().unwrap())));
    }

    let mut signing = Vec::new();
    for _ in 0..1000 {
        let request = request("/api/v1/charges", FORM);
        signing.push(timed(|| drop(sandbox.respond(&request))));
    }
    signing.sort();
    println!("Creating a charge in memory, signature included: {:?}", signing[signing.len() / 2]);
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(rounds: &mut [(f64, f64)], value: impl Fn(&(f64, f64)) -> f64) -> f64 {
    rounds.sort_by(|a, b| value(a).total_cmp(&value(b)));
    value(&rounds[rounds.len() / 2])
}

fn open(address: SocketAddr) -> Vec<BufReader<TcpStream>> {
    let open = |_| {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        BufReader::with_capacity(64 * 1024, stream)
    };
    (0..CONNECTIONS).map(open).collect()
}

/// Returns the requests per second, with one request at a time on each connection.
fn round(connections: &mut [BufReader<TcpStream>], request: &str, count: usize) -> f64 {
    let took = timed(|| {
        for _ in 0..count / CONNECTIONS {
            for connection in &mut *connections {
                connection.get_mut().write_all(request.as_bytes()).unwrap();
            }
            for connection in &mut *connections {
                read(connection);
            }
        }
    });
    f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64()
}

fn read(connection: &mut BufReader<TcpStream>) {
    let (mut line, mut length) = (String::new(), 0);
    connection.read_line(&mut line).unwrap();
    assert!(line.contains("200"), "{line}");
    while line != "\r\n" {
        line.clear();
        connection.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    connection.read_exact(&mut vec![0; length]).unwrap();
}

/// Starts a server that reads each request and sends this response.
fn bare_server(response: Response<Vec<u8>>) -> SocketAddr {
    let response = response.map(Bytes::from);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let response = response.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let response = response.clone();
                    async move {
                        let _ = request.into_body().collect().await;
                        Ok::<_, Infallible>(response.map(Full::new))
                    }
                });
                let mut http = http1::Builder::new();
                tokio::spawn(http.title_case_headers(true).serve_connection(TokioIo::new(stream), service));
            }
        });
    });
    address
}
