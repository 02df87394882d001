//! Converts the URI of a request to reqwest's type, and rejects a URI that reqwest would change.

use std::sync::OnceLock;

use reqwest::Url;
use strike_core::http::Uri;
use strike_core::http::uri::{Authority, Scheme};

/// Converts URIs. It parses the host only once, because nearly all requests of a transport go to
/// one host.
#[derive(Default)]
pub(super) struct Targets(OnceLock<Origin>);

/// Scheme and host of the first request, before and after the conversion.
struct Origin {
    scheme: Scheme,
    authority: Authority,
    url: Url,
}

impl Targets {
    /// Returns the URL, or `None` if reqwest cannot express it or would change its path or query.
    pub(super) fn convert(&self, uri: &Uri) -> Option<Url> {
        let url = self.of_known_host(uri).or_else(|| self.of_any_host(uri))?;
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let unchanged = match (url.query(), target.split_once('?')) {
            (Some(query), Some(expected)) => (url.path(), query) == expected,
            (None, None) => url.path() == target,
            _ => false,
        };
        unchanged.then_some(url)
    }

    /// Converts only path and query, if the host is that of the first request.
    fn of_known_host(&self, uri: &Uri) -> Option<Url> {
        let origin = self.0.get()?;
        if uri.scheme() != Some(&origin.scheme) || uri.authority() != Some(&origin.authority) {
            return None;
        }
        let mut url = origin.url.clone();
        url.set_path(uri.path());
        url.set_query(uri.query());
        Some(url)
    }

    fn of_any_host(&self, uri: &Uri) -> Option<Url> {
        let url = Url::parse(&uri.to_string()).ok()?;
        if let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) {
            let mut root = url.clone();
            root.set_path("/");
            root.set_query(None);
            let _ = self.0.set(Origin { scheme: scheme.clone(), authority: authority.clone(), url: root });
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ways(uri: &str) -> (Option<Url>, Option<Url>) {
        let uri = uri.parse().unwrap();
        let targets = Targets::default();
        // The first request to a host is parsed as a whole, the second is not.
        let first = targets.convert(&uri);
        (first, targets.convert(&uri))
    }

    #[test]
    fn a_known_host_gives_the_same_url_as_a_new_one() {
        for host in [
            "http://127.0.0.1:8420",
            "https://[::1]:1",
            "https://Shop.example",
            "http://a:80",
            "http://u:p@b",
        ] {
            for target in [
                "",
                "/",
                "/?",
                "/a",
                "/a?",
                "/a?b=c&d",
                "/a??b",
                "/a%20b?c%2fd",
                "//a/b",
                "///",
                "/a//b/",
                "/a;b",
                "/a:b",
                "/a@b?c@d/e",
                "/a?b?c/../d",
                "/a?b'c",
                "/a'b",
                "/a|b",
                "/a?b|c",
                "/~a!$&()*+,=",
                "/...",
                "/..a/b..",
                "/%41",
            ] {
                let uri = format!("{host}{target}");
                let (first, second) = both_ways(&uri);
                assert_eq!(first, second, "{uri}");
                assert_eq!(
                    first.as_ref().map(Url::as_str).map(str::len),
                    second.map(|url| url.as_str().len())
                );
            }
        }
    }

    #[test]
    fn a_path_that_reqwest_would_change_is_rejected_for_a_known_host_too() {
        for target in ["/a/../b", "/.", "/..", "/a/%2e%2e/b", "/a/%2E", "/{id}", "/a/./b?c"] {
            assert_eq!(both_ways(&format!("http://127.0.0.1{target}")), (None, None), "{target}");
        }
    }

    #[test]
    fn requests_to_several_hosts_keep_their_hosts() {
        let targets = Targets::default();
        for uri in ["http://a/x?y", "http://b/x", "https://a/", "http://a:81/z", "http://a/z"] {
            assert_eq!(targets.convert(&uri.parse().unwrap()).unwrap().as_str(), uri);
        }
    }
}
