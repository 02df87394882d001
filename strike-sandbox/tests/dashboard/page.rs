//! The files of the dashboard page: content types and security headers.

use strike_core::http::Method;

use crate::support::{any_charge, error, request_without_key, sandbox, text};

const FILES: [(&str, &str); 4] = [
    ("/", "text/html; charset=utf-8"),
    ("/sandbox/page/style.css", "text/css; charset=utf-8"),
    ("/sandbox/page/script.js", "text/javascript; charset=utf-8"),
    ("/sandbox/page/icon.svg", "image/svg+xml"),
];

#[test]
fn page_files_support_get_and_head_with_their_content_type() {
    let sandbox = sandbox();
    for (path, content_type) in FILES {
        let got = sandbox.respond(&request_without_key(Method::GET, path));
        assert_eq!(got.status(), 200, "{path}");
        assert_eq!(got.headers()["content-type"], content_type);
        assert_eq!(got.headers()["content-length"], got.body().len().to_string());
        assert!(!got.body().is_empty(), "{path}");

        let head = sandbox.respond(&request_without_key(Method::HEAD, path));
        assert_eq!((head.status(), head.body().len()), (got.status(), 0));
        assert_eq!(head.headers(), got.headers());

        let posted = sandbox.respond(&request_without_key(Method::POST, path));
        assert_eq!(
            (posted.status().as_u16(), &posted.headers()["allow"]),
            (405, &"GET, HEAD".parse().expect("a header"))
        );
    }
    for path in
        ["/sandbox/page", "/sandbox/page/", "/sandbox/page/../page/style.css", "/sandbox/page/style.css/more"]
    {
        assert_eq!(error(&sandbox.respond(&request_without_key(Method::GET, path))).0, 404, "{path}");
    }
    assert_eq!(sandbox.respond(&request_without_key(Method::GET, "/style.css")).status(), 404);
}

#[test]
fn page_responses_are_restricted_to_the_same_origin() {
    let sandbox = sandbox();
    let charge = any_charge(&sandbox);
    let qr = format!("/sandbox/charges/{charge}/qr.svg");
    let missing = "/sandbox/page/none";
    for path in FILES.map(|(path, _)| path).iter().chain(&["/sandbox/charges", &qr, missing]) {
        let response = sandbox.respond(&request_without_key(Method::GET, path));
        let headers = response.headers();
        let policy = headers["content-security-policy"].to_str().expect("text");
        let rules: Vec<_> = policy.split("; ").collect();
        assert_eq!(
            rules,
            [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self'",
                "connect-src 'self'",
                "form-action 'none'",
                "frame-ancestors 'none'",
                "base-uri 'none'"
            ],
            "{path}"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{path}");
        assert!(headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{path}");
    }
    // The content security policy would silently block these, so the page must not use them.
    let page = sandbox.respond(&request_without_key(Method::GET, "/"));
    let page = text(&page);
    for unwanted in ["http:", "https:", "//", "style=", "onclick=", "onload=", "<style", "<script>"] {
        assert!(!page.contains(unwanted), "the page contains {unwanted}");
    }
}

#[test]
fn api_responses_still_allow_any_origin() {
    let response = sandbox().respond(&request_without_key(Method::GET, "/api/v1/charges"));
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert!(!response.headers().contains_key("content-security-policy"));
}
