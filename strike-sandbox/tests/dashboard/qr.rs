//! The routes of QR codes. The tests of core decode what they return.

use strike_core::QrCode;
use strike_core::http::Method;
use strike_sandbox::Sandbox;

use crate::support::{FORM, create, error, id, request_without_key, sandbox, text};

fn get(sandbox: &Sandbox, path: &str, content_type: &str) -> String {
    let response = sandbox.respond(&request_without_key(Method::GET, path));
    assert_eq!(
        (response.status().as_u16(), response.headers()["content-type"].as_bytes()),
        (200, content_type.as_bytes())
    );
    let head = sandbox.respond(&request_without_key(Method::HEAD, path));
    assert_eq!((head.headers(), head.body().len()), (response.headers(), 0));
    text(&response).to_owned()
}

#[test]
fn qr_code_routes_return_the_code_of_the_payment_request() {
    let sandbox = sandbox();
    // The descriptions cover the shortest and the longest possible invoices.
    for description in ["", "services+rendered", &"W".repeat(256), &"%E2%82%BF".repeat(213)] {
        let charge =
            create(&sandbox, FORM, &format!("amount=4294967&currency=btc&description={description}"));
        let code = QrCode::unchecked(charge["payment_request"].as_str().expect("text")).expect("it fits");
        let path = format!("/sandbox/charges/{}/qr", id(&charge));
        let svg = get(&sandbox, &format!("{path}.svg"), "image/svg+xml");
        assert_eq!(svg, code.to_svg("QR code of the payment request"));
        let text = get(&sandbox, &format!("{path}.txt"), "text/plain; charset=utf-8");
        assert_eq!(text, code.to_terminal());
    }
}

#[test]
fn qr_code_routes_reject_unknown_charges_and_other_methods() {
    let sandbox = sandbox();
    let charge = create(&sandbox, FORM, "amount=1&currency=btc&description=x");
    for (method, path, status) in [
        (Method::GET, "/sandbox/charges/ch_none/qr.svg".to_owned(), 404),
        (Method::GET, "/sandbox/charges/%3Csvg%3E/qr.txt".to_owned(), 404),
        (Method::GET, format!("/sandbox/charges/{}/qr.png", id(&charge)), 404),
        (Method::POST, format!("/sandbox/charges/{}/qr.svg", id(&charge)), 405),
        (Method::DELETE, format!("/sandbox/charges/{}/qr.txt", id(&charge)), 405),
    ] {
        assert_eq!(error(&sandbox.respond(&request_without_key(method, &path))).0, status, "{path}");
    }
}
