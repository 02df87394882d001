//! The service itself: a request and a moment in, a response out. It knows no socket and no clock.

use std::time::Duration;

use strike_core::http::{Method, StatusCode, header};
use strike_core::{HttpRequest, HttpResponse, Network, UnixMillis};

use crate::answer::{self, Audience};
use crate::charge::Charge;
use crate::entropy::Entropy;
use crate::guard;
use crate::invoice::{self, Signer, Terms};
use crate::layout::{self, Object};
use crate::ledger::Ledger;
use crate::paging;
use crate::refusal::Refusal;
use crate::settle::{self, Paid, PayError};
use crate::wanted;

/// The most bytes of body that are read.
pub(crate) const MAX_BODY: usize = 64 * 1024;

pub(crate) struct Service {
    api_key: String,
    entropy: Entropy,
    signer: Signer,
    ledger: Ledger,
    requests: u64,
}

impl Service {
    /// A service without charges; without a key it draws one.
    pub(crate) fn new(api_key: Option<String>, network: Network, mut entropy: Entropy) -> Self {
        // Both are always drawn: what follows in the stream must not depend on who chose the key.
        let drawn = entropy.name("sk_");
        let signer = Signer::new(network, &mut entropy);
        Self { api_key: api_key.unwrap_or(drawn), entropy, signer, ledger: Ledger::default(), requests: 0 }
    }

    pub(crate) fn api_key(&self) -> &str {
        &self.api_key
    }

    pub(crate) fn payee(&self) -> String {
        self.signer.payee()
    }

    pub(crate) const fn requests(&self) -> u64 {
        self.requests
    }

    pub(crate) fn charges(&self) -> usize {
        self.ledger.len()
    }

    pub(crate) fn respond(&mut self, request: &HttpRequest, now: UnixMillis) -> HttpResponse {
        self.requests = self.requests.saturating_add(1);
        // Doubled and trailing slashes do not matter, as behind nginx.
        let path: Vec<&str> = request.uri().path().split('/').filter(|segment| !segment.is_empty()).collect();
        let audience = match path.first() {
            Some(&"sandbox") => Audience::SameOrigin,
            _ => Audience::AnyOrigin,
        };
        let outcome = match path.as_slice() {
            _ if request.body().len() > MAX_BODY => {
                Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large"))
            }
            ["api", "v1", path @ ..] => self.api(path, request, now),
            ["sandbox", path @ ..] => self.control(path, request, now),
            _ => Err(Refusal::not_found()),
        };
        answer::response(request, outcome, audience, now)
    }

    /// What the service offered.
    fn api(&mut self, path: &[&str], request: &HttpRequest, now: UnixMillis) -> Result<String, Refusal> {
        // A browser asks first, and does so without credentials.
        if request.method() == Method::OPTIONS {
            return Ok(String::new());
        }
        if !guard::presents(request.headers(), &self.api_key) {
            return Err(Refusal::unauthenticated());
        }
        match (request.method(), path) {
            (&Method::POST, ["charges"]) => self.create(request, now),
            (&Method::GET | &Method::HEAD, ["charges"]) => self.list(request.uri().query()),
            (&Method::GET | &Method::HEAD, ["charges", id]) => self.get(id),
            (_, ["charges"]) => Err(Refusal::method_not_allowed("GET, HEAD, POST, OPTIONS")),
            (_, ["charges", _]) => Err(Refusal::method_not_allowed("GET, HEAD, OPTIONS")),
            _ => Err(Refusal::not_found()),
        }
    }

    /// What only a sandbox can offer.
    fn control(&mut self, path: &[&str], request: &HttpRequest, now: UnixMillis) -> Result<String, Refusal> {
        let ["charges", id, "pay"] = path else { return Err(Refusal::not_found()) };
        if request.method() != Method::POST {
            return Err(Refusal::method_not_allowed("POST"));
        }
        if !guard::is_no_foreign_page(request) {
            return Err(Refusal::new(StatusCode::FORBIDDEN, "not from a page of another origin"));
        }
        match self.pay(id, now) {
            Ok(paid) => Ok(Object::default()
                .text("id", id)
                .flag("paid", true)
                .text("preimage", &paid.preimage_hex())
                .end()),
            Err(PayError::UnknownCharge) => Err(Refusal::not_found()),
            Err(error) => Err(Refusal::new(StatusCode::CONFLICT, error.to_string())),
        }
    }

    fn create(&mut self, request: &HttpRequest, now: UnixMillis) -> Result<String, Refusal> {
        let content_type = request.headers().get(header::CONTENT_TYPE).map(|it| it.as_bytes());
        let content_type = String::from_utf8_lossy(content_type.unwrap_or_default());
        let wanted = wanted::read(&content_type, request.body())?;

        let id = self.entropy.name("ch_");
        let preimage = self.entropy.bytes32();
        let payment_hash = invoice::payment_hash(&preimage);
        // The invoice counts whole seconds, and so does its expiry.
        let timestamp = Duration::from_secs(now.as_millis() / 1000);
        let expiry = wanted.expiry.map(Duration::from_secs);
        let terms = Terms {
            amount: wanted.amount,
            description: &wanted.description,
            payment_hash,
            payment_secret: self.entropy.bytes32(),
            timestamp,
            expiry,
        };
        let payment_request = self.signer.sign(&terms).map_err(|_| {
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the invoice could not be signed")
        })?;
        let charge = Charge {
            id,
            amount: wanted.amount,
            description: wanted.description,
            customer_id: wanted.customer_id,
            payment_request,
            payment_hash,
            preimage,
            paid: false,
            created: now,
            updated: now,
            expires: UnixMillis::from_secs(timestamp.as_secs())
                .saturating_add(expiry.unwrap_or(invoice::DEFAULT_EXPIRY)),
        };
        let answer = charge.to_json();
        self.ledger.push(charge);
        Ok(answer)
    }

    fn get(&self, id: &str) -> Result<String, Refusal> {
        self.ledger.get(id).map(Charge::to_json).ok_or_else(Refusal::not_found)
    }

    fn list(&self, query: Option<&str>) -> Result<String, Refusal> {
        let (page, size) = paging::read(query.unwrap_or_default())?;
        Ok(layout::list(self.ledger.page(page, size).map(Charge::to_json)))
    }

    pub(crate) fn pay(&mut self, id: &str, now: UnixMillis) -> Result<Paid, PayError> {
        let charge = self.ledger.get_mut(id).ok_or(PayError::UnknownCharge)?;
        settle::settle(charge, now)
    }
}
