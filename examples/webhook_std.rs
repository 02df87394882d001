//! Receives webhooks with only the standard library, and ships an order once it is paid, with the
//! blocking client.
//!
//! The example starts a sandbox, which sends each webhook twice.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use strike_blocking::webhook::{self, Completion, CompletionGuard, Notification, RecentCompletions};
use strike_blocking::{ApiKey, ChargeId, Client, Endpoint, NewCharge};
use strike_sandbox::{Sandbox, Webhook};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let webhook = Webhook::to(&format!("http://{}/strike", listener.local_addr()?))?.repeat(2);
    let sandbox = Sandbox::builder().webhook(webhook).start()?;
    let endpoint = Endpoint::new(sandbox.base_url(), ApiKey::new(sandbox.api_key())?, sandbox.network())?;
    let client = Client::new(endpoint)?;
    let charge = client.create(NewCharge::satoshis(4200, "a pot of tea"))?;
    let orders = HashMap::from([(charge.id().clone(), "order-17")]);

    // The queue is bounded: the server responds at once, and rejects webhooks while the queue is
    // full.
    let (sender, queue) = sync_channel(100);
    let worker = thread::spawn(move || work(&client, &orders, &queue));
    let server = thread::spawn(move || {
        // The example expects two deliveries. A shop runs this forever.
        for stream in listener.incoming().take(2) {
            stream.and_then(|stream| respond(stream, &sender)).unwrap_or_else(|error| println!("{error}"));
        }
    });

    sandbox.pay(charge.id())?;
    server.join().map_err(|_| "the server panicked")?;
    worker.join().map_err(|_| "the worker panicked")?;
    Ok(())
}

/// Reads one request. Responds 200 if the queue has room, before the charge is confirmed. A slow
/// sender delays the next one: on the open internet, put a reverse proxy or a framework with limits
/// in front of it.
fn respond(mut stream: TcpStream, sender: &SyncSender<Notification>) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(&stream).take((16 * 1024 + webhook::MAX_BODY) as u64);
    let (mut line, mut length) = (String::new(), None);
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<usize>().ok().filter(|length| *length <= webhook::MAX_BODY);
        }
        line.clear();
    }
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let status = match webhook::parse(&body).map(|notification| sender.try_send(notification)) {
        Ok(Ok(())) => "200 OK",
        Ok(Err(_)) => "503 Service Unavailable",
        Err(_) => "400 Bad Request",
    };
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// Confirms the charges of the webhooks, one after the other. A shop also polls its unpaid orders,
/// since webhooks get lost.
fn work(client: &Client, orders: &HashMap<ChargeId, &str>, queue: &Receiver<Notification>) {
    let mut guard = CompletionGuard::new(RecentCompletions::new(1000));
    for notification in queue {
        // Unknown and completed charges need no request.
        let Some(order) = orders.get(notification.id()) else { continue };
        if guard.is_completed(notification.id()) == Ok(true) {
            println!("{order} was shipped before");
            continue;
        }
        let charge = match client.confirm(&notification) {
            Ok(charge) => charge,
            Err(error) => {
                println!("{error}");
                continue;
            }
        };
        println!("paid: {}", charge.is_paid());
        let Some(paid) = charge.to_paid() else { continue };
        match guard.complete(&paid, |_| writeln!(io::stdout(), "shipping {order}")) {
            Ok(Completion::Now | Completion::Before) => {}
            Err(error) => println!("{error}"),
        }
    }
}
