//! Webhooks over sockets, to receivers that accept, fail, stay silent, disconnect or redirect.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use strike_core::{ChargeId, UnixMillis, webhook};
use strike_sandbox::{DeliveryState, RunningSandbox, Sandbox, Webhook, WebhookDelivery};

use crate::receiver::{Receiver, TIMEOUT};
use crate::wire::{Connection, id, list, post, request};

/// Starts a sandbox with a manual clock, so deliveries become due only when it is advanced.
fn start(webhook: Webhook) -> RunningSandbox {
    let clock = UnixMillis::from_millis(1_542_221_803_505);
    Sandbox::builder()
        .api_key("sk_demo")
        .seed(7)
        .clock_at(clock)
        .webhook(webhook)
        .start()
        .expect("the program starts")
}

fn webhook_to(receiver: &Receiver) -> Webhook {
    Webhook::to(&receiver.url()).expect("a valid URL")
}

fn create(sandbox: &RunningSandbox) -> ChargeId {
    id(&Connection::open(sandbox.address()).send(&post(42)).body).parse().expect("a charge id")
}

fn create_and_pay(sandbox: &RunningSandbox) -> ChargeId {
    let id = create(sandbox);
    sandbox.pay(&id).expect("the charge can be paid");
    id
}

/// Waits until the newest delivery has finished this many attempts, and returns it.
fn wait_for_delivery(sandbox: &Sandbox, attempts: u32) -> WebhookDelivery {
    let start = Instant::now();
    loop {
        let newest = sandbox.deliveries().into_iter().next().expect("a delivery");
        if newest.attempts() == attempts && newest.state() != DeliveryState::Sending {
            return newest;
        }
        assert!(start.elapsed() < TIMEOUT, "{newest:?}");
        std::thread::yield_now();
    }
}

#[test]
fn charge_is_paid_before_its_webhook_arrives() {
    let receiver = Receiver::bind();
    let sandbox = start(webhook_to(&receiver));
    let charge = create_and_pay(&sandbox);

    let received = receiver.next();
    let get = request(&format!("GET /api/v1/charges/{charge}"), "", "");
    let charge_json = Connection::open(sandbox.address()).send(&get).body;
    assert!(charge_json.contains("\"paid\" : true"), "{charge_json}");
    assert_eq!(received.body, format!("{{\"object\":\"event\",\"data\":{charge_json}}}"));
    assert_eq!(webhook::parse(received.body.as_bytes()).expect("strike-core parses it").id(), &charge);
    let host = receiver.url().replace("http://", "").replace("/strike", "");
    assert_eq!(
        received.head,
        format!(
            "POST /strike HTTP/1.1\r\nHost: {host}\r\nUser-Agent: strike-sandbox/{}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            env!("CARGO_PKG_VERSION"),
            received.body.len()
        )
    );
    assert_eq!(sandbox.deliveries()[0].state(), DeliveryState::Sending);
    received.respond("200 OK");
    let delivery = wait_for_delivery(&sandbox, 1);
    assert_eq!((delivery.state(), delivery.status()), (DeliveryState::Delivered, Some(200)));
}

#[test]
fn failed_delivery_is_retried_after_the_backoff() {
    let receiver = Receiver::bind();
    let sandbox = start(webhook_to(&receiver).retry(3, Duration::from_secs(60)));
    create_and_pay(&sandbox);
    let first = receiver.next();
    let body = first.body.clone();
    first.respond("500 Internal Server Error");
    let delivery = wait_for_delivery(&sandbox, 1);
    assert_eq!((delivery.state(), delivery.status()), (DeliveryState::Waiting, Some(500)));
    assert_eq!(delivery.due(), sandbox.now().saturating_add(Duration::from_secs(60)));

    sandbox.advance(Duration::from_secs(60));
    let second = receiver.next();
    assert_eq!(second.body, body);
    second.respond("201 Created");
    assert_eq!(wait_for_delivery(&sandbox, 2).state(), DeliveryState::Delivered);
}

#[test]
fn delivery_fails_with_a_timeout_if_the_receiver_is_silent() {
    let receiver = Receiver::bind();
    let sandbox = start(webhook_to(&receiver).timeout(Duration::from_millis(200)));
    create_and_pay(&sandbox);
    let mut silent = receiver.next();
    let failed = wait_for_delivery(&sandbox, 1);
    assert_eq!((failed.state(), failed.status()), (DeliveryState::Failed, None));
    assert_eq!(failed.error(), Some("no response within 200ms; the webhook may have arrived"));
    assert!(silent.is_closed(), "the sender has closed the connection");
}

#[test]
fn pending_delivery_does_not_delay_others() {
    let receiver = Receiver::bind();
    let sandbox = start(webhook_to(&receiver).repeat(20).timeout(TIMEOUT));
    create_and_pay(&sandbox);
    // All requests arrive before the first response.
    let silent: Vec<_> = (0..20).map(|_| receiver.next()).collect();
    silent.into_iter().for_each(|received| received.respond("200 OK"));
    assert_eq!(wait_for_delivery(&sandbox, 1).state(), DeliveryState::Delivered);
}

#[test]
fn connection_and_protocol_errors_are_recorded_in_the_delivery() {
    let receiver = Receiver::bind();
    let sandbox = start(webhook_to(&receiver));
    create_and_pay(&sandbox);
    drop(receiver.next());
    let closed = wait_for_delivery(&sandbox, 1);
    assert_eq!((closed.state(), closed.status()), (DeliveryState::Failed, None));
    assert!(closed.error().is_some_and(|error| error.contains("closed")), "{closed:?}");

    sandbox.send_again(1).expect("the delivery can be resent");
    receiver.next().write(b"SSH-2.0-example\r\n").expect("the server is listening");
    let invalid = wait_for_delivery(&sandbox, 2);
    assert!(invalid.error().is_some_and(|error| error.contains("invalid HTTP")), "{invalid:?}");

    let closed_port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("one");
    let sandbox = start(Webhook::to(&format!("http://{closed_port}")).expect("a valid URL"));
    create_and_pay(&sandbox);
    let refused = wait_for_delivery(&sandbox, 1);
    assert!(refused.error().is_some_and(|error| error.contains("refused")), "{refused:?}");
}

#[test]
fn redirects_are_not_followed() {
    let (receiver, elsewhere) = (Receiver::bind(), Receiver::bind());
    for status in ["301 Moved Permanently", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let sandbox = start(webhook_to(&receiver));
        create_and_pay(&sandbox);
        receiver.next().respond(&format!("{status}\r\nLocation: {}", elsewhere.url()));
        let delivery = wait_for_delivery(&sandbox, 1);
        assert_eq!(delivery.state(), DeliveryState::Failed);
        assert_eq!(delivery.status(), status[..3].parse().ok());
    }
    assert!(elsewhere.is_empty());
}

#[test]
fn endless_response_body_is_not_read() {
    let receiver = Receiver::bind();
    let sandbox = start(webhook_to(&receiver));
    create_and_pay(&sandbox);
    let mut received = receiver.next();
    received.write(b"HTTP/1.1 200 OK\r\n\r\n").expect("the sender waits for a response");
    let chunk = vec![b'x'; 1 << 20];
    // The sender closes the connection instead of reading the endless body.
    let written = (0..100).take_while(|_| received.write(&chunk).is_ok()).count();
    assert!(written < 100, "the sender read {written} MiB");
    assert_eq!(wait_for_delivery(&sandbox, 1).state(), DeliveryState::Delivered);
}

#[test]
fn two_hundred_payments_each_send_one_webhook() {
    let receiver = Receiver::bind();
    let sandbox = start(webhook_to(&receiver).reorder(Duration::from_secs(60)));
    let charges: BTreeSet<String> = (0..200).map(|_| create_and_pay(&sandbox).to_string()).collect();
    sandbox.advance(Duration::from_secs(60));
    let received: BTreeSet<String> = (0..200)
        .map(|_| {
            let received = receiver.next();
            let id =
                webhook::parse(received.body.as_bytes()).expect("strike-core parses it").id().to_string();
            received.respond("200 OK");
            id
        })
        .collect();
    assert_eq!(received, charges);
    assert!(receiver.is_empty());
}

#[test]
fn system_clock_triggers_delays_and_retries() {
    let receiver = Receiver::bind();
    let webhook = webhook_to(&receiver).delay(Duration::from_millis(30)).retry(2, Duration::from_millis(20));
    let sandbox = Sandbox::builder().api_key("sk_demo").webhook(webhook).start().expect("the program starts");
    create_and_pay(&sandbox);
    receiver.next().respond("503 Service Unavailable");
    receiver.next().respond("200 OK");
    let delivery = wait_for_delivery(&sandbox, 2);
    assert!(delivery.due() >= delivery.created().saturating_add(Duration::from_millis(50)), "{delivery:?}");
}

#[test]
fn advancing_the_clock_skips_the_delivery_delay() {
    let receiver = Receiver::bind();
    let hour = Duration::from_secs(3600);
    let webhook = webhook_to(&receiver).delay(hour);
    let sandbox = Sandbox::builder().api_key("sk_demo").webhook(webhook).start().expect("the program starts");
    create_and_pay(&sandbox);
    // A response to a later request shows that the delivery is already scheduled.
    Connection::open(sandbox.address()).send(&list());
    sandbox.advance(hour);
    receiver.next().respond("200 OK");
}

#[test]
fn payment_over_http_sends_a_webhook_that_can_be_resent() {
    let receiver = Receiver::bind();
    let sandbox = start(webhook_to(&receiver));
    let mut control = Connection::open(sandbox.address());
    let charge = create(&sandbox);
    assert_eq!(control.send(&request(&format!("POST /sandbox/charges/{charge}/pay"), "", "")).status(), 200);
    receiver.next().respond("200 OK");
    wait_for_delivery(&sandbox, 1);
    let again = control.send(&request("POST /sandbox/deliveries/1/send", "", ""));
    assert_eq!(again.status(), 200);
    assert!(again.body.contains("\"state\" : \"waiting\""), "{}", again.body);
    receiver.next().respond("200 OK");
    assert_eq!(wait_for_delivery(&sandbox, 2).state(), DeliveryState::Delivered);
}

#[test]
fn drop_closes_deliveries_in_progress_and_marks_them_failed() {
    let receiver = Receiver::bind();
    let running = start(webhook_to(&receiver));
    let sandbox = running.sandbox();
    create_and_pay(&running);
    let mut received = receiver.next();
    drop(running);
    assert!(received.is_closed());
    let delivery = wait_for_delivery(&sandbox, 1);
    assert_eq!(
        (delivery.state(), delivery.error()),
        (DeliveryState::Failed, Some("no response was received"))
    );
}

#[cfg(not(feature = "tls"))]
#[test]
fn https_webhook_without_the_tls_feature_is_an_error() {
    let webhook = Webhook::to("https://127.0.0.1/strike").expect("a valid URL");
    let error = Sandbox::builder().webhook(webhook).start().expect_err("the tls feature is off");
    assert!(error.to_string().contains("`tls`"), "{error}");
}

#[cfg(feature = "tls")]
mod https {
    use std::io::{BufReader, Write};
    use std::sync::Arc;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};

    use super::*;

    /// Starts an HTTPS receiver that responds 200. Returns its URL and the certificate of its CA.
    fn receiver() -> (String, String) {
        let mut params = CertificateParams::new(Vec::new()).expect("valid names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("the invoice is signed").pem();
        let issuer = Issuer::new(params, key);

        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("valid names");
        let certificate = params.signed_by(&key, &issuer).expect("the invoice is signed");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("supported TLS versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate");
        let config = Arc::new(config);

        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("https://{}/strike", listener.local_addr().expect("a local address"));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let session = ServerConnection::new(Arc::clone(&config)).expect("a TLS session");
                let mut stream = BufReader::new(StreamOwned::new(session, stream));
                // A sender that does not trust the certificate closes the connection without data.
                if std::io::BufRead::fill_buf(&mut stream).is_ok_and(|data| !data.is_empty()) {
                    let (head, _) = crate::receiver::read_request(&mut stream);
                    assert!(head.starts_with("POST /strike HTTP/1.1\r\n"), "{head}");
                    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    stream.get_mut().write_all(response).expect("the sender waits for a response");
                }
            }
        });
        (url, pem)
    }

    #[test]
    fn https_webhook_requires_a_trusted_certificate() {
        let (url, pem) = receiver();
        let webhook = Webhook::to(&url).expect("a valid URL");
        let sandbox = start(webhook.clone().ca_certificate(pem));
        create_and_pay(&sandbox);
        let delivery = wait_for_delivery(&sandbox, 1);
        assert_eq!((delivery.state(), delivery.error()), (DeliveryState::Delivered, None));

        let sandbox = start(webhook);
        create_and_pay(&sandbox);
        let untrusted = wait_for_delivery(&sandbox, 1);
        assert_eq!(untrusted.state(), DeliveryState::Failed);
        assert!(untrusted.error().is_some_and(|error| error.contains("certificate")), "{untrusted:?}");
    }

    #[test]
    fn invalid_webhook_certificates_fail_the_start() {
        for pem in ["", "not PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let webhook = Webhook::to("https://127.0.0.1/strike").expect("a valid URL").ca_certificate(pem);
            let error = Sandbox::builder().webhook(webhook).start().expect_err(pem);
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains("certificates in PEM"), "{error}");
        }
    }
}
