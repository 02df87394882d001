//! Timeouts of the server, over real sockets with Tokio's paused clock.
//!
//! The clock jumps to the next timer, so the tests do not wait in real time.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::{Limits, Protocol, Room, serve};
use crate::faults::{After, Fault, On, Plan};
use crate::sandbox::Sandbox;

const LIST: &[u8] = b"GET /api/v1/charges HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2tfZGVtbzo=\r\n\r\n";

async fn connect(plan: Plan, idle: u64) -> TcpStream {
    let sandbox = Sandbox::builder().api_key("sk_demo").faults(plan).build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a local address");
    let limits = Limits { idle: Duration::from_secs(idle), ..Limits::default() };
    let room = Room::new(limits.connections);
    tokio::spawn(serve(listener, Protocol::Http, sandbox, room, limits.idle));
    TcpStream::connect(address).await.expect("the server is listening")
}

/// Reads until the connection ends. Returns the bytes and the elapsed seconds.
async fn read_to_end(client: &mut TcpStream) -> (Vec<u8>, u64) {
    let start = Instant::now();
    let mut received = Vec::new();
    // A reset also counts as the end.
    let _ = client.read_to_end(&mut received).await;
    (received, start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn request_head_times_out_after_75_seconds() {
    let mut silent = connect(Plan::new(), 5).await;
    assert_eq!(read_to_end(&mut silent).await, (Vec::new(), 75));
    let mut slow = connect(Plan::new(), 5).await;
    let start = Instant::now();
    for byte in LIST.iter().cycle() {
        // The first write after the server has closed the connection may still succeed.
        if slow.write_all(&[*byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(10)).await;
    }
    assert!((75..=100).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn request_body_times_out_after_30_seconds() {
    let mut client = connect(Plan::new(), 5).await;
    let head = b"POST /api/v1/charges HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nam";
    client.write_all(head).await.expect("the peer accepts the bytes");
    assert_eq!(read_to_end(&mut client).await, (Vec::new(), 30));
}

#[tokio::test(start_paused = true)]
async fn idle_connection_is_closed_after_the_configured_time() {
    for idle in [5, 75, 200] {
        let mut client = connect(Plan::new(), idle).await;
        for _ in 0..2 {
            client.write_all(LIST).await.expect("the peer accepts the bytes");
            let mut buffer = [0; 4096];
            assert!(client.read(&mut buffer).await.expect("a response") > 0);
            sleep(Duration::from_secs(idle - 1)).await;
        }
        assert_eq!(read_to_end(&mut client).await, (Vec::new(), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn unread_response_times_out_after_30_seconds() {
    let mut client = connect(Plan::new(), 5).await;
    let start = Instant::now();
    // Sends requests without reading the responses until the server closes the connection.
    while client.write_all(LIST).await.is_ok() {}
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn stall_and_drip_faults_end_after_five_minutes() {
    let mut client = connect(Plan::new().on(On::any(), Fault::stall(After::Bytes(4))), 5).await;
    client.write_all(LIST).await.expect("the peer accepts the bytes");
    assert_eq!(read_to_end(&mut client).await, (b"HTTP".to_vec(), 300));

    let mut client = connect(Plan::new().on(On::any(), Fault::drip(Duration::from_secs(70))), 5).await;
    client.write_all(LIST).await.expect("the peer accepts the bytes");
    assert_eq!(read_to_end(&mut client).await, (b"HTTP/".to_vec(), 300));
}

#[tokio::test(start_paused = true)]
async fn latency_stays_between_its_bounds() {
    let (time, jitter) = (Duration::from_secs(20), Duration::from_secs(10));
    let mut client = connect(Plan::new().on(On::any(), Fault::latency(time, jitter)), 5).await;
    let mut latencies = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        client.write_all(LIST).await.expect("the peer accepts the bytes");
        assert!(client.read(&mut [0; 4096]).await.expect("a response") > 0);
        latencies.push(start.elapsed().as_secs());
    }
    assert!(latencies.iter().all(|seconds| (20..=30).contains(seconds)), "{latencies:?}");
    latencies.dedup();
    assert!(latencies.len() > 5, "{latencies:?}");
}

#[tokio::test(start_paused = true)]
async fn connection_is_dropped_if_the_client_does_not_close_its_side() {
    let mut client = connect(Plan::new().on(On::any(), Fault::close()), 5).await;
    client.write_all(LIST).await.expect("the peer accepts the bytes");
    assert_eq!(read_to_end(&mut client).await, (Vec::new(), 0));
    // The client does not close its side, so the server closes the socket after a few seconds.
    let closed = async {
        while client.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(1)).await
        }
    };
    assert!(timeout(Duration::from_secs(5), closed).await.is_ok());
}
