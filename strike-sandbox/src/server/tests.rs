//! How long the server bears with a client, in virtual time over real sockets: nothing here is waited for.

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

/// What still comes, and after how many seconds that ends.
async fn rest(client: &mut TcpStream) -> (Vec<u8>, u64) {
    let start = Instant::now();
    let mut told = Vec::new();
    // A reset is an end, too.
    let _ = client.read_to_end(&mut told).await;
    (told, start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn request_head_times_out_after_75_seconds() {
    let mut silent = connect(Plan::new(), 5).await;
    assert_eq!(rest(&mut silent).await, (Vec::new(), 75));
    let mut drips = connect(Plan::new(), 5).await;
    let start = Instant::now();
    for byte in LIST.iter().cycle() {
        // The next write after a close may still succeed.
        if drips.write_all(&[*byte]).await.is_err() {
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
    assert_eq!(rest(&mut client).await, (Vec::new(), 30));
}

#[tokio::test(start_paused = true)]
async fn idle_connection_is_closed_after_the_configured_time() {
    for idle in [5, 75, 200] {
        let mut client = connect(Plan::new(), idle).await;
        for _ in 0..2 {
            client.write_all(LIST).await.expect("the peer accepts the bytes");
            let mut some = [0; 4096];
            assert!(client.read(&mut some).await.expect("a response") > 0);
            sleep(Duration::from_secs(idle - 1)).await;
        }
        assert_eq!(rest(&mut client).await, (Vec::new(), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn unread_response_times_out_after_30_seconds() {
    let mut client = connect(Plan::new(), 5).await;
    let start = Instant::now();
    // More and more is asked for, until nobody takes it any more.
    while client.write_all(LIST).await.is_ok() {}
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn stall_and_drip_faults_end_after_five_minutes() {
    let mut client = connect(Plan::new().on(On::any(), Fault::stall(After::Bytes(4))), 5).await;
    client.write_all(LIST).await.expect("the peer accepts the bytes");
    assert_eq!(rest(&mut client).await, (b"HTTP".to_vec(), 300));

    let mut client = connect(Plan::new().on(On::any(), Fault::drip(Duration::from_secs(70))), 5).await;
    client.write_all(LIST).await.expect("the peer accepts the bytes");
    assert_eq!(rest(&mut client).await, (b"HTTP/".to_vec(), 300));
}

#[tokio::test(start_paused = true)]
async fn latency_stays_between_its_bounds() {
    let (time, jitter) = (Duration::from_secs(20), Duration::from_secs(10));
    let mut client = connect(Plan::new().on(On::any(), Fault::latency(time, jitter)), 5).await;
    let mut taken = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        client.write_all(LIST).await.expect("the peer accepts the bytes");
        assert!(client.read(&mut [0; 4096]).await.expect("a response") > 0);
        taken.push(start.elapsed().as_secs());
    }
    assert!(taken.iter().all(|seconds| (20..=30).contains(seconds)), "{taken:?}");
    taken.dedup();
    assert!(taken.len() > 5, "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn connection_is_dropped_if_the_client_does_not_close_its_side() {
    let mut client = connect(Plan::new().on(On::any(), Fault::close()), 5).await;
    client.write_all(LIST).await.expect("the peer accepts the bytes");
    assert_eq!(rest(&mut client).await, (Vec::new(), 0));
    // It does not close its side; the server closes both before long.
    let left = async {
        while client.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(1)).await
        }
    };
    assert!(timeout(Duration::from_secs(5), left).await.is_ok());
}
