//! A transport over a plain socket. It keeps every rule, or makes one mistake on purpose.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use strike_core::http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use strike_core::{
    ConnectionUse, Delivery, Exchange, HttpRequest, HttpResponse, Reply, TransportError,
    TransportErrorKind as Kind,
};

use crate::flaw::Flaw::{self, *};

/// Returns a transport that keeps every rule, or all but one.
pub fn transport(flaw: Option<Flaw>) -> impl Fn(Exchange) -> Reply + Send + Sync + 'static {
    let transport =
        SimpleTransport { flaw, idle: Mutex::default(), cookie: Mutex::default(), cached: Mutex::default() };
    move |exchange| transport.exchange(exchange)
}

struct SimpleTransport {
    flaw: Option<Flaw>,
    /// The idle connection of the last exchange, and its host and port.
    idle: Mutex<Option<(String, TcpStream)>>,
    cookie: Mutex<Option<String>>,
    cached: Mutex<Option<(Uri, Vec<u8>)>>,
}

impl SimpleTransport {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn exchange(&self, exchange: Exchange) -> Reply {
        let Exchange { request, timeout, max_body, connection, .. } = exchange;
        if connection == ConnectionUse::New && !self.has(IgnoresNewConnection) {
            *self.idle.lock().unwrap() = None;
        }
        if let Some((uri, body)) = self.cached.lock().unwrap().clone()
            && request.method() == Method::GET
            && &uri == request.uri()
        {
            return Ok(Response::new(body));
        }
        let clock = match self.flaw {
            Some(HasNoTimeout) => Clock::Stopped,
            Some(HasATimeoutForEachRead) => Clock::EachRead(timeout),
            Some(TimesOutTooEarly) => Clock::until(timeout / 2),
            Some(PanicsOnTheLongestTimeout) => Clock::Until(Instant::now() + timeout),
            _ => Clock::until(timeout),
        };
        let limit = match self.flaw {
            Some(StopsAtTheLimit) => max_body,
            Some(PanicsOnTheLargestLimit) => max_body.checked_add(1).unwrap(),
            Some(HasNoLimit | ReadsPastTheLimit) => usize::MAX,
            Some(HasItsOwnLimit) => 4096,
            _ => max_body.saturating_add(1),
        };
        let mut reply = self.send(&request, &clock, limit);
        if self.should_retry(&reply) {
            reply = self.send(&request, &clock, limit);
        }
        let response = self.change_response(request.uri(), reply?, max_body)?;
        if let Some(to) = self.redirect_target(request.uri(), &response) {
            let mut request = request;
            *request.uri_mut() = to;
            return self.send(&request, &clock, limit);
        }
        Ok(response)
    }

    fn should_retry(&self, reply: &Reply) -> bool {
        match (self.flaw, reply) {
            (Some(RetriesAfterAClose), Err(error)) => error.kind() == Kind::Closed,
            (Some(RetriesAfterATimeout), Err(error)) => error.kind() == Kind::Timeout,
            (Some(RetriesAfterA503), Ok(response)) => response.status() == 503,
            _ => false,
        }
    }

    fn redirect_target(&self, from: &Uri, response: &HttpResponse) -> Option<Uri> {
        let location = response.headers().get("location").filter(|_| response.status().is_redirection())?;
        let location = location.to_str().unwrap();
        let within = location.starts_with('/');
        let follows = match self.flaw {
            Some(FollowsRedirects) => !within,
            Some(FollowsRedirectsToTheSameHost) => within,
            _ => false,
        };
        let location =
            if within { format!("http://{}{location}", from.authority()?) } else { location.into() };
        follows.then(|| location.parse().unwrap())
    }

    /// Changes the response as some of the flaws do.
    fn change_response(&self, uri: &Uri, mut response: HttpResponse, max_body: usize) -> Reply {
        let status = response.status();
        match self.flaw {
            Some(SendsCookies) => {
                let cookie = response.headers().get("set-cookie");
                *self.cookie.lock().unwrap() = cookie.map(|cookie| cookie.to_str().unwrap().to_owned());
            }
            Some(Caches) if response.headers().contains_key("cache-control") => {
                *self.cached.lock().unwrap() = Some((uri.clone(), response.body().clone()));
            }
            Some(ReportsRedirectsAsOk) if status.is_redirection() && status != 304 => {
                *response.status_mut() = StatusCode::OK;
            }
            Some(FailsOnClientErrors) if status.is_client_error() => return Err(self.error(Kind::Other)),
            Some(ReportsServerErrorsAsOk) if status.is_server_error() => {
                *response.status_mut() = StatusCode::OK
            }
            Some(DropsBodiesOfErrors) if status.as_u16() >= 400 => response.body_mut().clear(),
            Some(DropsRepeatedHeaders) => {
                if let Some(first) = response.headers().get("x-two").cloned() {
                    response.headers_mut().insert("x-two", first);
                }
            }
            Some(Decompresses) if response.headers_mut().remove("content-encoding").is_some() => {
                // The check's gzip body is one stored block, so it can be cut out.
                *response.body_mut() = response.body()[15..response.body().len() - 8].to_vec();
            }
            Some(ReadsPastTheLimit) => response.body_mut().truncate(max_body.saturating_add(1)),
            Some(RefusesLargeBodies) if response.body().len() > max_body => {
                return Err(self.error(Kind::Other));
            }
            _ => {}
        }
        Ok(response)
    }

    fn error(&self, kind: Kind) -> TransportError {
        let unsent = match self.flaw {
            Some(SaysUnsentAfterAClose) => kind == Kind::Closed,
            Some(SaysUnsentAfterATimeout) => kind == Kind::Timeout,
            _ => false,
        };
        TransportError::new(kind, if unsent { Delivery::Unsent } else { Delivery::MaybeSent })
    }

    fn io_error(&self, error: &io::Error, otherwise: Kind) -> TransportError {
        if error.kind() == io::ErrorKind::ConnectionReset && self.has(SaysUnsentAfterAReset) {
            return TransportError::new(Kind::Closed, Delivery::Unsent);
        }
        self.error(match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Kind::Timeout,
            io::ErrorKind::InvalidData => Kind::Protocol,
            _ => otherwise,
        })
    }

    fn connect(&self, request: &HttpRequest) -> Result<TcpStream, TransportError> {
        let authority = request.uri().authority().unwrap().as_str();
        let error = match TcpStream::connect(authority) {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        assert!(!self.has(PanicsWhenRefused), "the connection was refused");
        let delivery = if self.has(NeverSaysUnsent) { Delivery::MaybeSent } else { Delivery::Unsent };
        let failed = TransportError::new(Kind::ConnectionRefused, delivery);
        let authorization = || request.headers()["authorization"].to_str().unwrap().to_owned();
        Err(match self.flaw {
            Some(RevealsHeaders) => failed.with_source(format!("{:?}", request.headers())),
            Some(RevealsTheKeyAsBytes) => failed.with_source(format!("{:?}", authorization().into_bytes())),
            Some(RevealsTheHost) => failed.with_source(format!("cannot connect to {authority}: {error}")),
            _ => failed.with_source(error),
        })
    }

    fn send(&self, request: &HttpRequest, clock: &Clock, limit: usize) -> Reply {
        let authority = request.uri().authority().unwrap().to_string();
        let idle = self.idle.lock().unwrap().take().filter(|(to, _)| *to == authority);
        let was_idle = idle.is_some();
        let stream = match idle {
            Some((_, stream)) => stream,
            None => self.connect(request)?,
        };
        let written = (&stream).write_all(&self.request_bytes(request));
        let mut response = ResponseReader { stream, clock, buffer: Vec::new() };
        let head = written.and_then(|()| response.head());
        let head = match head {
            Err(error) if error.kind() == io::ErrorKind::InvalidData && self.has(AcceptsAnythingAsHttp) => {
                Head { status: 200, http_1_1: false, headers: HeaderMap::new() }
            }
            Err(_) if was_idle && self.has(RetriesOnAKeptConnection) => {
                return self.send(request, clock, limit);
            }
            Err(error) => {
                let failed = self.io_error(&error, Kind::Closed);
                if failed.kind() == Kind::Timeout && self.has(ReusesConnectionsAfterATimeout) {
                    *self.idle.lock().unwrap() = Some((authority, response.stream));
                }
                return Err(failed);
            }
            Ok(head) => head,
        };
        let mut body = Vec::new();
        let whole = match response.body(&head, limit, &mut body) {
            Ok(whole) => whole,
            Err(error) => {
                let failed = self.io_error(&error, Kind::Cut);
                let returns_it = match failed.kind() {
                    Kind::Cut => self.has(ReturnsTruncatedBodies),
                    Kind::Timeout => self.has(ReturnsStalledBodies),
                    _ => false,
                };
                if !returns_it {
                    return Err(failed);
                }
                false
            }
        };
        let clean = (whole && response.buffer.is_empty()) || self.has(ReusesUnreadConnections);
        if clean && head.http_1_1 && head.text("connection") != "close" {
            *self.idle.lock().unwrap() = Some((authority, response.stream));
        }
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(head.status).unwrap();
        *response.headers_mut() = head.headers;
        Ok(response)
    }

    /// Returns the request's bytes on the wire.
    fn request_bytes(&self, request: &HttpRequest) -> Vec<u8> {
        let uri = request.uri();
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = match self.flaw {
            Some(DropsTheQuery) => uri.path().to_owned(),
            Some(NormalizesThePath) => target.replace("//", "/"),
            _ => target.to_owned(),
        };
        let body: &[u8] = if self.has(DropsTheBody) { b"" } else { request.body() };
        let mut head =
            format!("{} {target} HTTP/1.1\r\nHost: {}\r\n", request.method(), uri.authority().unwrap());
        if request.method() == Method::POST {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in request.headers() {
            let value = value.to_str().unwrap();
            match *name {
                header::USER_AGENT if self.has(ReplacesTheUserAgent) => head += "user-agent: simple\r\n",
                header::AUTHORIZATION if self.has(DropsAuthorization) => {}
                _ => head += &format!("{name}: {value}\r\n"),
            }
        }
        match self.flaw {
            Some(AddsAHeader) => head += "X-Client: simple\r\n",
            Some(AsksForGzip) => head += "Accept-Encoding: gzip\r\n",
            _ => {}
        }
        if let Some(cookie) = self.cookie.lock().unwrap().as_ref() {
            head += &format!("Cookie: {cookie}\r\n");
        }
        [head.as_bytes(), b"\r\n", body].concat()
    }
}

/// Limits how long a read may take.
enum Clock {
    Until(Instant),
    EachRead(Duration),
    Stopped,
}

impl Clock {
    fn until(timeout: Duration) -> Self {
        Instant::now().checked_add(timeout).map_or(Self::Stopped, Self::Until)
    }

    fn remaining(&self) -> io::Result<Option<Duration>> {
        let remaining = match self {
            Self::Until(end) => Some(end.saturating_duration_since(Instant::now())),
            Self::EachRead(pause) => Some(*pause),
            Self::Stopped => None,
        };
        if remaining == Some(Duration::ZERO) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(remaining) }
    }
}

struct Head {
    status: u16,
    http_1_1: bool,
    headers: HeaderMap,
}

impl Head {
    fn parse(lines: &[String]) -> Option<Self> {
        let (version, rest) = lines.first()?.split_once(' ')?;
        let status = rest.get(..3)?.parse().ok().filter(|_| version.starts_with("HTTP/1."))?;
        let mut headers = HeaderMap::new();
        for line in &lines[1..] {
            let (name, value) = line.split_once(": ")?;
            headers.append(header::HeaderName::from_bytes(name.as_bytes()).ok()?, value.parse().ok()?);
        }
        Some(Self { status, http_1_1: version == "HTTP/1.1", headers })
    }

    fn text(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A response that is being read, with the bytes that were received but not parsed.
struct ResponseReader<'a> {
    stream: TcpStream,
    clock: &'a Clock,
    buffer: Vec<u8>,
}

impl ResponseReader<'_> {
    /// Reads once. Returns false at the end of the connection.
    fn fill(&mut self) -> io::Result<bool> {
        self.stream.set_read_timeout(self.clock.remaining()?)?;
        let mut bytes = [0; 8192];
        let read = self.stream.read(&mut bytes)?;
        self.buffer.extend_from_slice(&bytes[..read]);
        Ok(read > 0)
    }

    fn fill_or_fail(&mut self) -> io::Result<()> {
        if self.fill()? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer.drain(..end + 2).take(end).collect();
                return String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData.into());
            }
            self.fill_or_fail()?;
        }
    }

    /// Reads the head of the final response, and skips interim responses.
    fn head(&mut self) -> io::Result<Head> {
        loop {
            let mut lines = vec![self.line()?];
            while lines.last().is_none_or(|line| !line.is_empty()) {
                lines.push(self.line()?);
            }
            lines.pop();
            let head = Head::parse(&lines).ok_or(io::ErrorKind::InvalidData)?;
            if head.status >= 200 {
                return Ok(head);
            }
        }
    }

    /// Moves up to `most` buffered bytes to the body.
    fn take(&mut self, body: &mut Vec<u8>, most: usize) -> usize {
        let taken = most.min(self.buffer.len());
        body.extend(self.buffer.drain(..taken));
        taken
    }

    /// Reads the body up to the limit. Returns true if that was all of it and the connection can be reused.
    fn body(&mut self, head: &Head, limit: usize, body: &mut Vec<u8>) -> io::Result<bool> {
        if matches!(head.status, 204 | 304) {
            return Ok(true);
        }
        if head.text("transfer-encoding") == "chunked" {
            loop {
                let line = self.line()?;
                let size = line.split(';').next().unwrap_or_default();
                let size = usize::from_str_radix(size, 16).map_err(|_| io::ErrorKind::UnexpectedEof)?;
                if size == 0 {
                    while !self.line()?.is_empty() {}
                    return Ok(true);
                }
                if !self.read_exactly(size, limit, body)? {
                    return Ok(false);
                }
                self.line()?;
            }
        }
        if let Ok(length) = head.text("content-length").parse() {
            return self.read_exactly(length, limit, body);
        }
        while body.len() < limit {
            if self.take(body, limit - body.len()) == 0 && !self.fill()? {
                break;
            }
        }
        Ok(false)
    }

    /// Reads `length` bytes. Returns false if it stopped at the limit.
    fn read_exactly(&mut self, mut length: usize, limit: usize, body: &mut Vec<u8>) -> io::Result<bool> {
        while length > 0 {
            if body.len() >= limit {
                return Ok(false);
            }
            let taken = self.take(body, length.min(limit - body.len()));
            length -= taken;
            if taken == 0 {
                self.fill_or_fail()?;
            }
        }
        Ok(true)
    }
}
