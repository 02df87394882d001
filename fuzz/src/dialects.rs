//! A fuzz target for the responses and webhooks of phoenixd and LNbits.

use std::time::Duration;

use strike_core::http::{HeaderMap, HeaderValue, Response};
use strike_core::machine::Operation;
use strike_core::{
    ApiKey, Charge, Create, Endpoint, EndpointBuilder, Get, HttpResponse, List, Network, NewCharge, Now,
    Password, Row, UnixMillis, WebhookSecret,
};

use crate::secret::{KEY, assert_loggable, assert_no_key, insert_key};

/// The time at which every response arrives.
const NOW: Now = Now::new(Duration::from_secs(1), UnixMillis::from_secs(1_700_000_000));

/// The preimage in the seeds.
const PREIMAGE: &str = "9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c";

fn endpoint(is_phoenixd: bool, checked: bool) -> Endpoint {
    let url = "http://127.0.0.1:1";
    let builder = if is_phoenixd {
        let builder = EndpointBuilder::phoenixd(url, Password::new(KEY).unwrap(), Network::Testnet);
        builder.webhook_secret(WebhookSecret::new(KEY).unwrap())
    } else {
        EndpointBuilder::lnbits(url, ApiKey::new(KEY).unwrap(), Network::Testnet)
    };
    builder.check_invoices(checked).build().unwrap()
}

fn assert_charge(charge: &Charge, response: &HttpResponse) {
    assert_eq!(charge.id().as_str(), charge.payment_hash().to_string());
    assert_eq!(charge.to_paid().is_some(), charge.is_paid());
    assert!(charge.settlement().is_none() || charge.is_paid());
    assert!((200..300).contains(&response.status().as_u16()));
    // Times before 1973 are stored in seconds.
    let year_1973 = UnixMillis::from_secs(100_000_000);
    if charge.created() > year_1973 && charge.updated() > year_1973 {
        let json = serde_json::to_string(charge).unwrap();
        assert_eq!(&serde_json::from_str::<Charge>(&json).unwrap(), charge, "{json}");
    }
}

/// The first byte selects the backend, the checks and the status. The rest is the body.
pub(crate) fn dialects(data: &[u8]) {
    let Some((selector, body)) = data.split_first() else { return };
    let endpoint = endpoint(selector & 1 == 1, selector & 2 == 2);
    let status = [200, 201, 400, 401, 404, 500, 520, 307][usize::from(selector >> 2) % 8];
    let body = insert_key(body);
    let bytes = body.len();
    let response = Response::builder().status(status).body(body.clone()).unwrap();

    let id = "ab".repeat(32);
    let get = Get::new(id.parse().unwrap());
    let second = get.follow_up(&endpoint, &response);
    assert!(second.as_ref().is_none_or(|second| second.follow_up(&endpoint, &response).is_none()));
    for get in std::iter::once(get).chain(second) {
        match get.parse(&endpoint, &response, NOW) {
            Ok(charge) => {
                assert_eq!(charge.id().as_str(), id);
                assert_charge(&charge, &response);
            }
            Err(error) => {
                assert_loggable(&error);
                assert!(status != 200 || !format!("{error} {error:?}").contains(PREIMAGE));
            }
        }
    }
    match Create::new(NewCharge::satoshis(4200, "tea")).parse(&endpoint, &response, NOW) {
        Ok(charge) => {
            assert_eq!((charge.amount().get(), charge.description()), (4200, "tea"));
            assert_charge(&charge, &response);
        }
        Err(error) => assert_loggable(&error),
    }
    match List::page(0).parse(&endpoint, &response, NOW) {
        Ok(page) => {
            assert!(page.rows() <= bytes.div_ceil(2));
            for row in page.into_rows() {
                match row {
                    Row::Charge(charge) => assert_charge(&charge, &response),
                    Row::Unreadable(row) => assert_no_key(&format!("{row:?}")),
                }
            }
        }
        Err(error) => assert_loggable(&error),
    }
    webhook(&endpoint, &body);
}

/// Reads the body as a webhook, unsigned and with a good signature.
fn webhook(endpoint: &Endpoint, body: &[u8]) {
    let unsigned = endpoint.read_webhook(&HeaderMap::new(), body);
    let mut headers = HeaderMap::new();
    let mac = hmac_sha256::HMAC::mac(body, KEY.as_bytes());
    let signature = data_encoding::HEXLOWER.encode(&mac);
    headers.insert("x-phoenix-signature", HeaderValue::try_from(signature).unwrap());
    let signed = endpoint.read_webhook(&headers, body);
    for hint in [unsigned, signed].into_iter().flatten() {
        assert_eq!(hint.id().as_str().len(), 64);
        // It can only make the shop read the charge that it names.
        let request = hint.confirm().request(endpoint).unwrap();
        assert!(request.uri().path().ends_with(hint.id().as_str()) && request.uri().query().is_none());
    }
}
