//! The webhooks of each backend: genuine ones, and forged ones.

use data_encoding::HEXLOWER;
use strike_core::http::{HeaderMap, HeaderValue};
use strike_tests::Dialect;
use strike_tests::lnbits::PREIMAGE;

/// The secret of phoenixd's webhooks. The bytes of this text are the key.
pub(crate) const SECRET: &str = "5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f";

/// A webhook as it arrives.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The webhook that the backend sends for a paid charge.
pub(crate) fn genuine(dialect: Dialect, id: &str) -> Arrived {
    match dialect {
        Dialect::Strike => {
            unsigned(format!(r#"{{"object":"event","data":{{"id":"{id}","object":"charge","paid":true}}}}"#))
        }
        Dialect::Phoenixd => signed(id, SECRET.as_bytes()),
        // A JSON text that holds JSON.
        Dialect::Lnbits => {
            let payment = format!(r#"{{"payment_hash":"{id}","status":"success","preimage":"{PREIMAGE}"}}"#);
            unsigned(serde_json::to_string(&payment).unwrap())
        }
    }
}

/// A webhook that somebody else sends. Only phoenixd's can be recognized as forged.
pub(crate) fn forged(dialect: Dialect, id: &str) -> Arrived {
    match dialect {
        Dialect::Strike | Dialect::Lnbits => genuine(dialect, id),
        // The secret, wrongly decoded.
        Dialect::Phoenixd => signed(id, &HEXLOWER.decode(SECRET.as_bytes()).unwrap()),
    }
}

fn unsigned(body: String) -> Arrived {
    Arrived { headers: HeaderMap::new(), body: body.into_bytes() }
}

fn signed(id: &str, key: &[u8]) -> Arrived {
    let body =
        format!(r#"{{"type":"payment_received","amountSat":1,"paymentHash":"{id}","externalId":null}}"#);
    let signature = HEXLOWER.encode(&hmac_sha256::HMAC::mac(body.as_bytes(), key));
    let mut arrived = unsigned(body);
    arrived.headers.insert("x-phoenix-signature", HeaderValue::try_from(signature).unwrap());
    arrived
}
