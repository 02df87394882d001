//! The account that the page shows: the network of its invoices and its API key.

use super::ControlRequest;
use crate::guard;
use crate::response::{ErrorResponse, Object};
use crate::service::Service;

/// Responds with the network, and with the API key if the client may see it.
pub(super) fn show(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    let object = Object::default().text("network", service.network().as_str());
    let object =
        if guard::may_see_api_key(request.http) { object.text("api_key", service.api_key()) } else { object };
    Ok(object.end())
}

#[cfg(test)]
mod tests {
    use strike_core::Network;
    use strike_core::http::Request;

    use crate::sandbox::Sandbox;

    /// Requests the account with these headers, from this machine or from another one.
    fn account(headers: &[(&str, &str)], is_remote: bool) -> String {
        let sandbox = Sandbox::builder().api_key("sk_demo").network(Network::Signet).build();
        let mut request = Request::get("/sandbox/account");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Vec::new()).expect("a request");
        if is_remote {
            #[cfg(feature = "server")]
            request.extensions_mut().insert(crate::guard::RemoteClient);
        }
        let response = sandbox.respond(&request);
        assert_eq!(response.status(), 200);
        String::from_utf8(response.into_body()).expect("UTF-8")
    }

    #[test]
    fn the_account_shows_the_network_and_the_api_key() {
        let expected = "{\n  \"network\" : \"signet\",\n  \"api_key\" : \"sk_demo\"\n}";
        assert_eq!(account(&[], false), expected);
        let page = [("host", "127.0.0.1:8420"), ("sec-fetch-site", "same-origin")];
        assert_eq!(account(&page, false), expected);
        assert_eq!(
            account(&[("host", "localhost:8420"), ("origin", "http://localhost:8420")], false),
            expected
        );
    }

    #[test]
    fn the_api_key_is_hidden_from_other_machines_and_foreign_pages() {
        let expected = "{\n  \"network\" : \"signet\"\n}";
        #[cfg(feature = "server")]
        assert_eq!(account(&[("host", "127.0.0.1:8420")], true), expected);
        for headers in [
            [("host", "127.0.0.1:8420"), ("origin", "http://evil.example")],
            [("host", "127.0.0.1:8420"), ("sec-fetch-site", "cross-site")],
            // DNS rebinding: to the browser the page has the same origin.
            [("host", "evil.example:8420"), ("sec-fetch-site", "same-origin")],
        ] {
            assert_eq!(account(&headers, false), expected, "{headers:?}");
        }
    }
}
