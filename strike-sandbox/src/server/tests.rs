//! The server's timeouts, over real sockets in virtual time.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::{ConnectionLimit, Limits, Protocol, serve};
use crate::faults::{After, Fault, Match, Plan};
use crate::sandbox::Sandbox;

const LIST: &[u8] = b"GET /api/v1/charges HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2tfZGVtbzo=\r\n\r\n";

async fn connect(plan: Plan, idle: u64) -> TcpStream {
    let sandbox = Sandbox::builder().api_key("sk_demo").faults(plan).build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let limits = Limits { idle: Duration::from_secs(idle), ..Limits::default() };
    let limit = ConnectionLimit::new(limits.connections);
    tokio::spawn(serve(listener, Protocol::Http, sandbox, limit, limits.idle));
    TcpStream::connect(address).await.expect("the server listens")
}

/// Reads until the connection ends. Returns the bytes and the seconds that passed.
async fn read_to_end(client: &mut TcpStream) -> (Vec<u8>, u64) {
    let start = Instant::now();
    let mut bytes = Vec::new();
    // A reset also ends the connection.
    let _ = client.read_to_end(&mut bytes).await;
    (bytes, start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_request_head_times_out_after_75_seconds_even_if_bytes_arrive() {
    let mut silent = connect(Plan::new(), 5).await;
    assert_eq!(read_to_end(&mut silent).await, (Vec::new(), 75));
    let mut slow = connect(Plan::new(), 5).await;
    let start = Instant::now();
    for byte in LIST.iter().cycle() {
        // One write after the close may still succeed.
        if slow.write_all(&[*byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(10)).await;
    }
    assert!((75..=100).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_request_body_times_out_after_30_seconds() {
    let mut client = connect(Plan::new(), 5).await;
    let head = b"POST /api/v1/charges HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nam";
    client.write_all(head).await.expect("the server reads");
    assert_eq!(read_to_end(&mut client).await, (Vec::new(), 30));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_the_configured_time() {
    for idle in [5, 75, 200] {
        let mut client = connect(Plan::new(), idle).await;
        for _ in 0..2 {
            client.write_all(LIST).await.expect("the server reads");
            let mut some = [0; 4096];
            assert!(client.read(&mut some).await.expect("a response") > 0);
            sleep(Duration::from_secs(idle - 1)).await;
        }
        assert_eq!(read_to_end(&mut client).await, (Vec::new(), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_disconnected_after_30_seconds() {
    let mut client = connect(Plan::new(), 5).await;
    let start = Instant::now();
    // Sends requests without reading, until the server no longer accepts any.
    while client.write_all(LIST).await.is_ok() {}
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn faults_end_after_five_minutes() {
    let mut client = connect(Plan::new().on(Match::any(), Fault::stall(After::Bytes(4))), 5).await;
    client.write_all(LIST).await.expect("the server reads");
    assert_eq!(read_to_end(&mut client).await, (b"HTTP".to_vec(), 300));

    let mut client = connect(Plan::new().on(Match::any(), Fault::drip(Duration::from_secs(70))), 5).await;
    client.write_all(LIST).await.expect("the server reads");
    assert_eq!(read_to_end(&mut client).await, (b"HTTP/".to_vec(), 300));
}

#[tokio::test(start_paused = true)]
async fn latency_is_between_its_minimum_and_maximum() {
    let (time, jitter) = (Duration::from_secs(20), Duration::from_secs(10));
    let mut client = connect(Plan::new().on(Match::any(), Fault::latency(time, jitter)), 5).await;
    let mut taken = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        client.write_all(LIST).await.expect("the server reads");
        assert!(client.read(&mut [0; 4096]).await.expect("a response") > 0);
        taken.push(start.elapsed().as_secs());
    }
    assert!(taken.iter().all(|seconds| (20..=30).contains(seconds)), "{taken:?}");
    taken.dedup();
    assert!(taken.len() > 5, "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stays_after_a_close_fault_is_disconnected() {
    let mut client = connect(Plan::new().on(Match::any(), Fault::close()), 5).await;
    client.write_all(LIST).await.expect("the server reads");
    assert_eq!(read_to_end(&mut client).await, (Vec::new(), 0));
    // The client does not close its side, so the server closes the whole connection.
    let disconnected = async {
        while client.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(1)).await
        }
    };
    assert!(timeout(Duration::from_secs(5), disconnected).await.is_ok());
}
