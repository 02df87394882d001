//! Reads the requests of LNbits' API, and translates them into the Strike API.

use serde::Deserialize;
use strike_core::http::{HeaderValue, Method, StatusCode, Uri, header};
use strike_core::{HttpRequest, HttpResponse};

use super::query::Query;
use super::response::detail;

/// The longest memo, in bytes of UTF-8.
const LONGEST_MEMO: usize = 639;

/// What a request asks for.
#[derive(Debug)]
pub(super) enum Asked {
    Create(NewPayment),
    /// The payment with this hash.
    Get(String),
    Page(Result<Query, &'static str>),
    Wallet,
    Other,
}

/// The body of a create.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NewPayment {
    #[serde(default)]
    out: Option<bool>,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    amount: u64,
    #[serde(default)]
    memo: String,
    #[serde(default)]
    expiry: u32,
    #[serde(default)]
    pub(super) external_id: Option<String>,
    #[serde(default)]
    extra: Extra,
}

#[derive(Debug, Default, Deserialize)]
struct Extra {
    #[serde(default)]
    customer_id: Option<String>,
}

impl Asked {
    pub(super) fn read(request: &HttpRequest) -> Self {
        let path = request.uri().path();
        match (request.method(), path.strip_prefix("/api/v1/").unwrap_or_default()) {
            (&Method::POST, "payments") => {
                Self::Create(serde_json::from_slice(request.body()).unwrap_or_default())
            }
            (&Method::GET, "payments/paginated") => {
                Self::Page(Query::read(request.uri().query().unwrap_or_default()))
            }
            (&Method::GET, "wallet") => Self::Wallet,
            (&Method::GET, path) => match path.strip_prefix("payments/") {
                Some(hash) if !hash.contains('/') => Self::Get(hash.to_owned()),
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// Returns the request that the service below gets.
    pub(super) fn below(&self) -> HttpRequest {
        let (method, tail, body) = match self {
            Self::Create(new) => (Method::POST, String::new(), new.form().into_bytes()),
            Self::Get(hash) => (Method::GET, format!("/{hash}"), Vec::new()),
            // The rows come from the ledger.
            Self::Page(_) | Self::Wallet | Self::Other => {
                (Method::GET, "?page=0&size=1".to_owned(), Vec::new())
            }
        };
        let mut request = HttpRequest::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = Uri::try_from(format!("http://127.0.0.1/api/v1/charges{tail}"))
            .unwrap_or_else(|_| Uri::from_static("http://127.0.0.1/api/v1/charges/-"));
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        request
    }
}

impl NewPayment {
    /// Returns the response that rejects the order, if LNbits does so.
    pub(super) fn rejected(&self) -> Option<HttpResponse> {
        let external_id = self.external_id.as_deref().unwrap_or_default();
        match self {
            // `out` is true unless the request says otherwise.
            Self { out: None | Some(true), .. } => {
                Some(detail(StatusCode::FORBIDDEN, "Invoice (or Admin) key required."))
            }
            _ if self.unit != "sat" => Some(detail(StatusCode::BAD_REQUEST, "The provided unit is unknown")),
            _ if external_id.contains([' ', '\n']) || external_id.chars().count() > 256 => {
                Some(detail(StatusCode::BAD_REQUEST, "Invalid external id."))
            }
            _ if self.memo.len() > LONGEST_MEMO => Some(detail(StatusCode::BAD_REQUEST, "640 is too large")),
            _ => None,
        }
    }

    fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("amount", &self.amount.to_string()).append_pair("currency", "btc");
        // LNbits shows its own name instead of an empty text.
        form.append_pair("description", if self.memo.is_empty() { "LNbits" } else { &self.memo });
        if let Some(customer_id) = &self.extra.customer_id {
            form.append_pair("customer_id", customer_id);
        }
        form.append_pair("expiry_sec", &if self.expiry == 0 { 3600 } else { self.expiry }.to_string());
        form.finish()
    }
}
