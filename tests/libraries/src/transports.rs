//! One transport for each library, in the fewest lines that use its options.

use std::io::{ErrorKind, Read};
use std::sync::Mutex;
use std::time::Duration;

use strike_core::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use strike_core::{ConnectionUse, Delivery, Exchange, Reply, TransportError, TransportErrorKind as Kind};

/// Some of the libraries cannot add a longer timeout to the time of day.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(86_400);

fn failed(kind: Kind) -> TransportError {
    TransportError::new(kind, Delivery::MaybeSent)
}

fn refused() -> TransportError {
    TransportError::new(Kind::ConnectionRefused, Delivery::Unsent)
}

/// Reads one byte more than the limit, which marks the body as too large.
fn read_body(body: impl Read, limit: usize) -> Result<Vec<u8>, TransportError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    body.take(limit).read_to_end(&mut bytes).map_err(|_| failed(Kind::Cut))?;
    Ok(bytes)
}

fn response(status: u16, headers: HeaderMap, body: Vec<u8>) -> Reply {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).map_err(|_| failed(Kind::Protocol))?;
    *response.headers_mut() = headers;
    Ok(response)
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.parse().ok()?))
}

/// attohttpc has no connection pool.
pub fn attohttpc(exchange: Exchange) -> Reply {
    let (parts, body) = exchange.request.into_parts();
    let timeout = exchange.timeout.min(LONGEST_TIMEOUT);
    let mut request = attohttpc::RequestBuilder::new(parts.method, parts.uri.to_string())
        .follow_redirects(false)
        .timeout(timeout)
        .read_timeout(timeout)
        .proxy_settings(attohttpc::ProxySettings::builder().build());
    for (name, value) in &parts.headers {
        request = request.header(name, value);
    }
    let reply = request.body(attohttpc::body::Bytes(body)).send().map_err(|error| match error.kind() {
        attohttpc::ErrorKind::Io(error) if error.kind() == ErrorKind::ConnectionRefused => refused(),
        _ => failed(Kind::Other),
    })?;
    let (status, headers, body) = reply.split();
    response(status.as_u16(), headers, read_body(body, exchange.max_body)?)
}

/// libcurl, with one handle that keeps its connections.
pub fn curl() -> impl Fn(Exchange) -> Reply + Send + Sync {
    let handle = Mutex::new(curl::easy::Easy::new());
    move |exchange| {
        let mut handle = handle.lock().map_err(|_| failed(Kind::Other))?;
        curl_exchange(&mut handle, exchange).unwrap_or_else(|error| {
            Err(if error.is_couldnt_connect() { refused() } else { failed(Kind::Other) })
        })
    }
}

/// Returns the version of libcurl, which the crate `curl` builds.
pub fn libcurl_version() -> String {
    curl::Version::get().version().to_owned()
}

fn curl_exchange(handle: &mut curl::easy::Easy, exchange: Exchange) -> Result<Reply, curl::Error> {
    let (parts, sent) = exchange.request.into_parts();
    handle.reset();
    handle.url(&parts.uri.to_string())?;
    handle.path_as_is(true)?;
    handle.proxy("")?;
    // libcurl takes zero for no timeout.
    handle.timeout(exchange.timeout.clamp(Duration::from_millis(1), LONGEST_TIMEOUT))?;
    handle.fresh_connect(exchange.connection == ConnectionUse::New)?;
    let mut list = curl::easy::List::new();
    for (name, value) in &parts.headers {
        list.append(&format!("{name}: {}", value.to_str().unwrap_or_default()))?;
    }
    if !parts.headers.contains_key("accept") {
        list.append("Accept:")?;
    }
    if parts.method == "POST" {
        handle.post(true)?;
        handle.post_fields_copy(&sent)?;
        if !parts.headers.contains_key("content-type") {
            list.append("Content-Type:")?;
        }
    }
    handle.http_headers(list)?;
    let (mut headers, mut body) = (HeaderMap::new(), Vec::new());
    let limit = exchange.max_body.saturating_add(1);
    let result = {
        let mut transfer = handle.transfer();
        transfer.header_function(|line| {
            let line = String::from_utf8_lossy(line);
            if line.starts_with("HTTP/") {
                // The head of an interim response came before.
                headers.clear();
            } else if let Some((name, value)) =
                line.split_once(':').and_then(|(name, value)| header(name, value.trim()))
            {
                headers.append(name, value);
            }
            true
        })?;
        transfer.write_function(|bytes| {
            let taken = bytes.len().min(limit - body.len());
            body.extend_from_slice(&bytes[..taken]);
            // Fewer bytes than given end the transfer; so does a body that has reached the limit.
            Ok(if body.len() == limit { 0 } else { taken })
        })?;
        transfer.perform()
    };
    if let Err(error) = result
        && !(error.is_write_error() && body.len() == limit)
    {
        return Err(error);
    }
    let status = u16::try_from(handle.response_code()?).unwrap_or_default();
    Ok(response(status, headers, body))
}

/// minreq has no connection pool, and its timeout is in whole seconds.
pub fn minreq(exchange: Exchange) -> Reply {
    let (parts, body) = exchange.request.into_parts();
    let timeout = exchange.timeout.min(LONGEST_TIMEOUT).as_secs().max(1);
    let mut request =
        minreq::Request::new(minreq::Method::Custom(parts.method.to_string()), parts.uri.to_string())
            .with_timeout(timeout)
            .with_follow_redirects(false);
    if parts.method == "POST" {
        request = request.with_body(body);
    }
    for (name, value) in &parts.headers {
        request = request.with_header(name.as_str(), value.to_str().unwrap_or_default());
    }
    let reply = request.send_lazy().map_err(|error| match error {
        minreq::Error::IoError(error) if error.kind() == ErrorKind::ConnectionRefused => refused(),
        _ => failed(Kind::Other),
    })?;
    let status = u16::try_from(reply.status_code).unwrap_or_default();
    let headers = reply.headers.iter().filter_map(|(name, value)| header(name, value)).collect();
    response(status, headers, read_body(reply, exchange.max_body)?)
}

/// reqwest's blocking client.
pub fn reqwest() -> Result<impl Fn(Exchange) -> Reply + Send + Sync, reqwest::Error> {
    let build = || {
        let builder = reqwest::blocking::Client::builder().redirect(reqwest::redirect::Policy::none());
        builder.retry(reqwest::retry::never()).no_proxy().timeout(None).build()
    };
    let shared = build()?;
    Ok(move |exchange: Exchange| {
        let (parts, body) = exchange.request.into_parts();
        let client = match exchange.connection {
            ConnectionUse::New => build().map_err(|_| failed(Kind::Other))?,
            _ => shared.clone(),
        };
        let reply = client
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body)
            .timeout(exchange.timeout.min(LONGEST_TIMEOUT))
            .send()
            .map_err(|error| if error.is_connect() { refused() } else { failed(Kind::Other) })?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        response(status, headers, read_body(reply, exchange.max_body)?)
    })
}

/// ureq's agent, as in docs/custom-transports.md.
pub fn ureq() -> impl Fn(Exchange) -> Reply + Send + Sync {
    let rules = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
    let rules = rules.max_redirects_will_error(false).user_agent("").accept("").accept_encoding("");
    let shared: ureq::Agent = rules.build().into();
    move |exchange| {
        let agent = match exchange.connection {
            ConnectionUse::New => ureq::Agent::new_with_config(shared.config().clone()),
            _ => shared.clone(),
        };
        let timeout = Some(exchange.timeout.min(LONGEST_TIMEOUT));
        let request = agent.configure_request(exchange.request).timeout_global(timeout).build();
        let reply = agent.run(request).map_err(|error| match error {
            ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => refused(),
            _ => failed(Kind::Other),
        })?;
        let (parts, mut body) = reply.into_parts();
        response(parts.status.as_u16(), parts.headers, read_body(body.as_reader(), exchange.max_body)?)
    }
}
