//! Receives webhooks with only the standard library, and ships an order once it is paid, with the
//! blocking client.
//!
//! The example starts a sandbox, which sends each webhook twice. With `STRIKE_BACKEND=phoenixd`, the
//! sandbox acts as a phoenixd and signs its webhooks. The receiver also takes those of LNbits.
//! `cargo test -p strike-examples --example webhook_std` tests it with all three.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use strike_blocking::http::{HeaderMap, HeaderName, HeaderValue, header};
use strike_blocking::webhook::{
    self, Completion, CompletionGuard, InvalidWebhook, Notification, RecentCompletions,
};
use strike_blocking::{ChargeId, Client, Endpoint, NewCharge};
use strike_examples::Backend;
use strike_sandbox::Webhook;

fn main() -> Result<(), Box<dyn Error>> {
    run(strike_examples::backend()?, &mut io::stdout())
}

fn run(backend: Backend, out: &mut (impl Write + Send)) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let webhook = Webhook::to(&format!("http://{}/paid", listener.local_addr()?))?.repeat(2);
    let (sandbox, endpoint) = strike_examples::sandbox_with_webhook(backend, webhook)?;
    let client = Client::new(endpoint.clone())?;
    let charge = client.create(NewCharge::satoshis(4200, "a pot of tea"))?;
    let orders = HashMap::from([(charge.id().clone(), "order-17")]);

    // The queue is bounded: the server responds at once, and rejects webhooks while the queue is
    // full.
    let (sender, queue) = sync_channel(100);
    thread::scope(|scope| {
        let (client, orders) = (&client, &orders);
        let worker = scope.spawn(move || work(client, orders, &queue, out));
        let server = scope.spawn(move || {
            // The example expects two deliveries. A shop runs this forever.
            for stream in listener.incoming().take(2) {
                let result = stream.and_then(|stream| respond(stream, &endpoint, &sender));
                result.unwrap_or_else(|error| println!("{error}"));
            }
        });
        sandbox.pay(charge.id())?;
        server.join().map_err(|_| "the server panicked")?;
        Ok(worker.join().map_err(|_| "the worker panicked")??)
    })
}

/// Reads one request. Responds 200 if the queue has room, before the charge is confirmed. A slow
/// sender delays the next one: on the open internet, put a reverse proxy or a framework with limits
/// in front of it.
fn respond(mut stream: TcpStream, endpoint: &Endpoint, sender: &SyncSender<Notification>) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(&stream).take((16 * 1024 + webhook::MAX_BODY) as u64);
    let (mut line, mut headers) = (String::new(), HeaderMap::new());
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && let Ok(name) = name.parse::<HeaderName>()
            && let Ok(value) = HeaderValue::from_str(value.trim())
        {
            headers.append(name, value);
        }
        line.clear();
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut body = vec![0; length.filter(|length| *length <= webhook::MAX_BODY).unwrap_or(0)];
    reader.read_exact(&mut body)?;
    // The signature of phoenixd covers the bytes of the body as they arrived.
    let status = match endpoint.read_webhook(&headers, &body).map(|it| sender.try_send(it)) {
        Ok(Ok(())) => "200 OK",
        Ok(Err(_)) => "503 Service Unavailable",
        Err(InvalidWebhook::BadSignature) => "401 Unauthorized",
        Err(InvalidWebhook::NoSecret) => "500 Internal Server Error",
        Err(_) => "400 Bad Request",
    };
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// Confirms the charges of the webhooks, one after the other. A shop also polls its unpaid orders,
/// since webhooks get lost.
fn work(
    client: &Client,
    orders: &HashMap<ChargeId, &str>,
    queue: &Receiver<Notification>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut guard = CompletionGuard::new(RecentCompletions::new(1000));
    for notification in queue {
        // Unknown and completed charges need no request.
        let Some(order) = orders.get(notification.id()) else { continue };
        if guard.is_completed(notification.id()) == Ok(true) {
            writeln!(out, "{order} was shipped before")?;
            continue;
        }
        let charge = match client.confirm(&notification) {
            Ok(charge) => charge,
            Err(error) => {
                writeln!(out, "{error}")?;
                continue;
            }
        };
        writeln!(out, "paid: {}", charge.is_paid())?;
        let Some(paid) = charge.to_paid() else { continue };
        match guard.complete(&paid, |_| writeln!(out, "shipping {order}")) {
            Ok(Completion::Now | Completion::Before) => {}
            Err(error) => writeln!(out, "{error}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use strike_blocking::{ApiKey, EndpointBuilder, Network, Password, WebhookSecret};

    /// A webhook of phoenixd.
    const BODY: &str = r#"{
    "type": "payment_received",
    "timestamp": 1753257600123,
    "amountSat": 4200,
    "paymentHash": "abababababababababababababababababababababababababababababababab",
    "externalId": "order-17",
    "payerNote": null,
    "payerKey": null
}"#;

    /// Its signature with the secret `5f5f...`.
    const SIGNATURE: &str = "599dada671e852dd9891db521cbe3a13fc583c6bb37e058721cfe5f13bf5e913";

    /// Its signature with the 32 bytes that the hex digits of the secret name.
    const DECODED_KEY: &str = "e646e3e62f4fbfe8502a49b5028fb311ffcc08dff46e1ee4ef50d8b6b52f0a64";

    fn phoenixd() -> EndpointBuilder {
        let password = Password::new("ab".repeat(32)).unwrap();
        EndpointBuilder::phoenixd("http://127.0.0.1:9740", password, Network::Bitcoin)
            .webhook_secret(WebhookSecret::new("5f".repeat(32)).unwrap())
    }

    /// Posts a webhook. Returns the status and the id that the receiver has queued.
    fn post(endpoint: &Endpoint, signature: Option<&str>, body: &str) -> (u16, Option<String>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let signature = signature.map_or(String::new(), |it| format!("X-Phoenix-Signature: {it}\r\n"));
        write!(
            client,
            "POST /paid HTTP/1.1\r\nHost: shop\r\n{signature}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let (sender, queue) = sync_channel(1);
        respond(listener.accept().unwrap().0, endpoint, &sender).unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).unwrap();
        let status = response.split(' ').nth(1).unwrap().parse().unwrap();
        (status, queue.try_recv().ok().map(|notification| notification.id().to_string()))
    }

    #[test]
    fn replayed_webhook_does_not_ship_an_order_again() {
        for backend in [Backend::Strike, Backend::Phoenixd] {
            let mut out = Vec::new();
            run(backend, &mut out).unwrap();
            let expected = "paid: true\nshipping order-17\norder-17 was shipped before\n";
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{backend:?}");
        }
    }

    #[test]
    fn only_a_signed_webhook_of_phoenixd_is_queued() {
        let endpoint = phoenixd().build().unwrap();
        let queued = (200, Some("ab".repeat(32)));
        assert_eq!(post(&endpoint, Some(SIGNATURE), BODY), queued);
        for (signature, body) in [
            (None, BODY.to_owned()),
            (Some("00"), BODY.to_owned()),
            (Some(DECODED_KEY), BODY.to_owned()),
            (Some(SIGNATURE), BODY.replace("4200", "4201")),
            (Some(SIGNATURE), BODY.replace('\n', "")),
            (Some(SIGNATURE), format!("{BODY}\n")),
        ] {
            assert_eq!(post(&endpoint, signature, &body), (401, None), "{signature:?} {body}");
        }
    }

    #[test]
    fn phoenixd_without_a_webhook_secret_is_an_error_of_the_receiver() {
        let password = Password::new("ab".repeat(32)).unwrap();
        let endpoint = Endpoint::phoenixd("http://127.0.0.1:9740", password, Network::Bitcoin).unwrap();
        assert_eq!(post(&endpoint, Some(SIGNATURE), BODY), (500, None));
    }

    #[test]
    fn webhook_of_lnbits_is_queued_as_a_hint() {
        let key = ApiKey::new("ab".repeat(16)).unwrap();
        let endpoint = Endpoint::lnbits("http://127.0.0.1:5000", key, Network::Bitcoin).unwrap();
        let hash = "cd".repeat(32);
        let body = format!(r#""{{\"payment_hash\": \"{hash}\", \"status\": \"success\"}}""#);
        assert_eq!(post(&endpoint, None, &body), (200, Some(hash)));
        assert_eq!(post(&endpoint, None, BODY), (400, None));
    }

    #[test]
    fn webhook_of_another_backend_is_rejected() {
        let endpoint =
            Endpoint::new("http://127.0.0.1/", ApiKey::new("sk").unwrap(), Network::Testnet).unwrap();
        let event = r#"{"object":"event","data":{"id":"ch_1"}}"#;
        assert_eq!(post(&endpoint, None, event), (200, Some("ch_1".to_owned())));
        assert_eq!(post(&endpoint, Some(SIGNATURE), BODY), (400, None));
        assert_eq!(post(&phoenixd().build().unwrap(), None, event), (401, None));
    }
}
