//! Protection of the pages: security headers, forms of other sites, and the password of the admin
//! page.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use hmac_sha256::Hash;

/// Allows only files of the shop itself, and nothing inline. The QR code is part of the page.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self'; \
     style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Adds the security headers. Browsers do not store pages either, because a menu makes one order only.
pub(crate) async fn add_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Other sites do not see the address of an order. `no-referrer` would also hide the origin of
    // the shop's own forms.
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Rejects a form that a page of another site sends. The shop has no cookies, so such a page could
/// only make its visitors place orders that they did not want.
pub(crate) async fn same_origin(request: Request, next: Next) -> Response {
    if is_same_origin(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this form was sent by another site").into_response()
    }
}

/// Browsers send `Sec-Fetch-Site` over https and to this machine, and `Origin` with every form.
/// A request without both is not from a browser, so no visitor was tricked into sending it.
fn is_same_origin(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    origin.is_some_and(|(_, origin)| host.is_some_and(|host| origin.eq_ignore_ascii_case(host)))
}

/// The hash of the password of the admin page.
#[derive(Clone, Copy)]
pub(crate) struct AdminPassword([u8; 32]);

impl AdminPassword {
    const MIN_LENGTH: usize = 12;

    pub(crate) fn new(password: &str) -> Result<Self, String> {
        if password.len() < Self::MIN_LENGTH {
            return Err(format!("COFFEE_ADMIN_PASSWORD must have at least {} characters", Self::MIN_LENGTH));
        }
        Ok(Self(Hash::hash(password.as_bytes())))
    }

    /// Returns true if the request has this password, with any user name. The time that it takes to
    /// compare the hashes does not reveal the password.
    pub(crate) fn is_in(self, headers: &HeaderMap) -> bool {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let encoded = value.and_then(|value| value.split_once(' ')).map(|(_, encoded)| encoded.trim());
        let Some(credentials) = encoded.and_then(|encoded| BASE64.decode(encoded.as_bytes()).ok()) else {
            return false;
        };
        let mut parts = credentials.splitn(2, |byte| *byte == b':').skip(1);
        parts.next().is_some_and(|password| Hash::hash(password) == self.0)
    }

    /// Returns the response to a request without the password.
    pub(crate) fn ask() -> Response {
        let scheme = [(header::WWW_AUTHENTICATE, "Basic realm=\"coffee shop\", charset=\"UTF-8\"")];
        (StatusCode::UNAUTHORIZED, scheme, "the password is wrong or missing").into_response()
    }
}
