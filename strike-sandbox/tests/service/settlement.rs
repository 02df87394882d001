//! Paying charges from Rust and through the control API.

use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use strike_core::http::Method;
use strike_core::{Exchange, UnixMillis};
use strike_sandbox::{PayError, Sandbox};

use crate::support::{
    FORM, NOW, any_charge, create, error, get, id, json, request, request_without_key, sandbox, text,
};

fn pay_over_http(sandbox: &Sandbox, id: &str) -> strike_core::HttpResponse {
    sandbox.respond(&request_without_key(Method::POST, &format!("/sandbox/charges/{id}/pay")))
}

#[test]
fn payment_updates_the_charge_and_returns_the_preimage() {
    let sandbox = sandbox();
    let unpaid = create(&sandbox, FORM, "amount=1&currency=btc&description=x");
    sandbox.advance(Duration::from_millis(2_500));
    let paid = sandbox.pay(&id(&unpaid)).expect("the charge can be paid");

    let now = NOW.saturating_add(Duration::from_millis(2_500));
    assert_eq!(paid.at(), now);
    let hash = sha256::Hash::hash(paid.preimage()).to_string();
    assert_eq!(hash, unpaid["payment_hash"].as_str().expect("a hash"));
    assert_eq!(hash, paid.payment_hash().to_string());

    let mut expected = unpaid.clone();
    expected["paid"] = true.into();
    expected["updated"] = now.as_millis().into();
    assert_eq!(json(&get(&sandbox, &format!("charges/{}", id(&unpaid)))), expected);
    assert_eq!(json(&get(&sandbox, "charges"))[0], expected);
}

#[test]
fn charge_cannot_be_paid_twice() {
    let sandbox = sandbox();
    let id = any_charge(&sandbox);
    let paid = sandbox.pay(&id).expect("the charge can be paid");
    sandbox.advance(Duration::from_secs(1));
    assert_eq!(sandbox.pay(&id), Err(PayError::AlreadyPaid));
    // The error stays the same after the invoice has expired.
    sandbox.advance(Duration::from_secs(7200));
    assert_eq!(sandbox.pay(&id), Err(PayError::AlreadyPaid));
    assert_eq!(json(&get(&sandbox, &format!("charges/{id}")))["updated"], paid.at().as_millis());
}

#[test]
fn charge_of_another_sandbox_cannot_be_paid() {
    let id = any_charge(&sandbox());
    assert_eq!(sandbox().pay(&id), Err(PayError::UnknownCharge));
}

#[test]
fn invoice_expires_after_one_hour_or_the_requested_time() {
    for (body, lifetime) in [("", 3600), ("&expiry_sec=60", 60), ("&expiry_sec=604800", 604_800)] {
        let sandbox = sandbox();
        let body = format!("amount=1&currency=btc{body}");
        let [in_time, late] = [&body, &body].map(|body| id(&create(&sandbox, FORM, body)));
        // The invoice timestamp is a whole second, 505 ms before the charge was created.
        sandbox.advance(Duration::from_secs(lifetime) - Duration::from_millis(506));
        assert!(sandbox.pay(&in_time).is_ok(), "{lifetime}");
        sandbox.advance(Duration::from_millis(1));
        assert_eq!(sandbox.pay(&late), Err(PayError::Expired), "{lifetime}");
        let charge = json(&get(&sandbox, &format!("charges/{late}")));
        assert_eq!((charge["paid"].as_bool(), &charge["updated"]), (Some(false), &charge["created"]));
    }
}

#[test]
fn pay_route_needs_no_key_and_returns_the_preimage() {
    let sandbox = sandbox();
    let charge = create(&sandbox, FORM, "amount=1&currency=btc");
    let response = pay_over_http(&sandbox, id(&charge).as_str());
    assert_eq!(response.status(), 200);
    let body = json(&response);
    let preimage = body["preimage"].as_str().expect("a preimage");
    let expected =
        format!("{{\n  \"id\" : {},\n  \"paid\" : true,\n  \"preimage\" : \"{preimage}\"\n}}", charge["id"]);
    assert_eq!(text(&response), expected);
    let preimage = data_encoding::HEXLOWER.decode(preimage.as_bytes()).expect("hex");
    assert_eq!(sha256::Hash::hash(&preimage).to_string(), charge["payment_hash"].as_str().expect("a hash"));
    assert_eq!(json(&get(&sandbox, &format!("charges/{}", id(&charge))))["paid"], true);
}

#[test]
fn pay_route_rejects_paid_expired_and_unknown_charges() {
    let sandbox = sandbox();
    let (paid, expired) = (any_charge(&sandbox), any_charge(&sandbox));
    assert_eq!(pay_over_http(&sandbox, paid.as_str()).status(), 200);
    assert_eq!(
        error(&pay_over_http(&sandbox, paid.as_str())),
        (409, "the charge is already paid".to_owned())
    );
    sandbox.advance(Duration::from_secs(3600));
    assert_eq!(
        error(&pay_over_http(&sandbox, expired.as_str())),
        (409, "the invoice has expired".to_owned())
    );
    assert_eq!(error(&pay_over_http(&sandbox, "ch_x")), (404, "not found".to_owned()));
    let get = sandbox.respond(&request_without_key(Method::GET, &format!("/sandbox/charges/{expired}/pay")));
    assert_eq!((error(&get).0, &get.headers()["allow"]), (405, &"POST".parse().expect("a header")));
}

#[test]
fn pay_route_rejects_foreign_origins() {
    let status = |host: &str, origins: &[&'static str]| {
        let sandbox = sandbox();
        let id = any_charge(&sandbox);
        let mut request = request_without_key(Method::POST, &format!("/sandbox/charges/{id}/pay"));
        // Browsers send only the path in the request line, and the host in a header.
        *request.uri_mut() = request.uri().path().parse().expect("a path");
        request.headers_mut().insert("host", host.parse().expect("a header"));
        for origin in origins {
            request.headers_mut().append("origin", origin.parse().expect("a header"));
        }
        let response = sandbox.respond(&request);
        assert!(!response.headers().contains_key("access-control-allow-origin"));
        let paid = json(&get(&sandbox, &format!("charges/{id}")))["paid"] == true;
        assert_eq!(paid, response.status() == 200);
        response.status().as_u16()
    };
    assert_eq!(status("127.0.0.1:8420", &[]), 200);
    assert_eq!(status("127.0.0.1:8420", &["http://127.0.0.1:8420"]), 200);
    assert_eq!(status("localhost:8420", &["http://localhost:8420"]), 200);
    assert_eq!(status("[::1]:8420", &["http://[::1]:8420"]), 200);
    for origin in
        ["http://evil.example", "null", "http://127.0.0.1:8421", "http://127.0.0.1:8420.evil.example"]
    {
        assert_eq!(status("127.0.0.1:8420", &[origin]), 403, "{origin}");
    }
    assert_eq!(status("127.0.0.1:8420", &["http://127.0.0.1:8420", "http://evil.example"]), 403);
    // A foreign name can resolve to this machine (DNS rebinding).
    assert_eq!(status("evil.example:8420", &["http://evil.example:8420"]), 403);
    assert_eq!(status("evil.example", &["https://evil.example"]), 403);
    // TLS and the host names of the real service are allowed.
    assert_eq!(status("127.0.0.1:8421", &["https://127.0.0.1:8421"]), 200);
    for host in [
        "api.strike.acinq.co",
        "API.dev.strike.acinq.co:8443",
        "api-strike.acinq.co",
        "strike.acinq.co",
        "dev.strike.acinq.co",
    ] {
        for scheme in ["http", "https"] {
            let origin: &'static str = format!("{scheme}://{host}").leak();
            assert_eq!(status(host, &[origin]), 200, "{origin}");
        }
        assert_eq!(status(host, &["https://evil.acinq.co"]), 403, "{host}");
    }
    assert_eq!(status("evil.strike.acinq.co", &["https://evil.strike.acinq.co"]), 403);
    assert_eq!(status("127.0.0.1:8420", &["ftp://127.0.0.1:8420"]), 403);
}

#[test]
fn control_api_rejects_cross_site_writes_but_allows_reads() {
    let status = |method: Method, site: &'static str| {
        let sandbox = sandbox();
        let mut request = request_without_key(method, "/sandbox/clock");
        *request.body_mut() = br#"{"advance_ms": 1}"#.to_vec();
        request.headers_mut().insert("sec-fetch-site", site.parse().expect("a header"));
        let status = sandbox.respond(&request).status().as_u16();
        assert_eq!(sandbox.now() > NOW, status == 200 && request.method() == Method::POST);
        status
    };
    for site in ["same-origin", "none"] {
        assert_eq!(status(Method::POST, site), 200, "{site}");
    }
    for site in ["cross-site", "same-site", "of-tomorrow"] {
        assert_eq!(status(Method::POST, site), 403, "{site}");
        // Reads change nothing, and the browser does not show the response to another site.
        assert_eq!(status(Method::GET, site), 200, "{site}");
    }
}

#[test]
fn reply_respects_the_exchange_body_limit() {
    let sandbox = sandbox();
    any_charge(&sandbox);
    let exchange = |max_body| {
        Exchange::new(request(Method::GET, "charges", "text/plain", b""), Duration::ZERO, max_body)
    };
    let full = sandbox.reply(exchange(1 << 20)).expect("a response");
    assert_eq!(full.body(), get(&sandbox, "charges").body());
    let limited = sandbox.reply(exchange(10)).expect("a response");
    assert_eq!(limited.body(), &full.body()[..11]);
}

#[test]
fn clones_share_state_across_threads() {
    let sandbox = sandbox();
    let id = any_charge(&sandbox);
    let clone = sandbox.clone();
    std::thread::spawn(move || clone.pay(&id).map(drop))
        .join()
        .expect("the thread does not panic")
        .expect("the charge is paid");
    assert_eq!(json(&get(&sandbox, "charges"))[0]["paid"], true);
}

#[test]
fn system_clock_is_the_default() {
    let sandbox = Sandbox::new();
    // From October 2025 on; a wrong unit would be off by far more than this range.
    assert!((1_760_000_000..17_600_000_000).contains(&(sandbox.now().as_millis() / 1000)));
    let before = sandbox.now();
    sandbox.advance(Duration::from_secs(60));
    assert!(sandbox.now() >= before.saturating_add(Duration::from_secs(60)));
    assert!(sandbox.now() < UnixMillis::from_secs(17_600_000_000));
}
