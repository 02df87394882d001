//! A transport made of a socket, in the plainest way that keeps the rules; and with one flaw, if it is given one.

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

/// A transport that keeps every rule, or all but one.
pub fn transport(flaw: Option<Flaw>) -> impl Fn(Exchange) -> Reply + Send + Sync + 'static {
    let naive = Naive { flaw, kept: Mutex::default(), cookie: Mutex::default(), cached: Mutex::default() };
    move |exchange| naive.exchange(exchange)
}

struct Naive {
    flaw: Option<Flaw>,
    /// The connection that the last exchange left, and where it leads.
    kept: Mutex<Option<(String, TcpStream)>>,
    cookie: Mutex<Option<String>>,
    cached: Mutex<Option<(Uri, Vec<u8>)>>,
}

impl Naive {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn exchange(&self, exchange: Exchange) -> Reply {
        let Exchange { request, timeout, max_body, connection, .. } = exchange;
        if connection == ConnectionUse::New && !self.has(ReusesConnectionsAlways) {
            *self.kept.lock().unwrap() = None;
        }
        if let Some((uri, body)) = self.cached.lock().unwrap().clone()
            && request.method() == Method::GET
            && &uri == request.uri()
        {
            return Ok(Response::new(body));
        }
        let clock = match self.flaw {
            Some(HasNoTimeout) => Clock::Stopped,
            Some(TimesEachRead) => Clock::EachRead(timeout),
            Some(GivesUpHalfway) => Clock::until(timeout / 2),
            Some(PanicsOnForever) => Clock::Until(Instant::now() + timeout),
            _ => Clock::until(timeout),
        };
        let limit = match self.flaw {
            Some(StopsAtTheLimit) => max_body,
            Some(PanicsWithoutALimit) => max_body.checked_add(1).unwrap(),
            Some(HasNoLimit | ReadsOnBeyondTheLimit) => usize::MAX,
            Some(HasALimitOfItsOwn) => 4096,
            _ => max_body.saturating_add(1),
        };
        let mut reply = self.once(&request, &clock, limit);
        if self.retries(&reply) {
            reply = self.once(&request, &clock, limit);
        }
        let answer = self.edit(request.uri(), reply?, max_body)?;
        if let Some(to) = self.follow(request.uri(), &answer) {
            let mut request = request;
            *request.uri_mut() = to;
            return self.once(&request, &clock, limit);
        }
        Ok(answer)
    }

    fn retries(&self, reply: &Reply) -> bool {
        match (self.flaw, reply) {
            (Some(RetriesWhenClosed), Err(error)) => error.kind() == Kind::Closed,
            (Some(RetriesUntilInTime), Err(error)) => error.kind() == Kind::Timeout,
            (Some(RetriesWhenUnavailable), Ok(answer)) => answer.status() == 503,
            _ => false,
        }
    }

    fn follow(&self, from: &Uri, answer: &HttpResponse) -> Option<Uri> {
        let location = answer.headers().get("location").filter(|_| answer.status().is_redirection())?;
        let location = location.to_str().unwrap();
        let within = location.starts_with('/');
        let follows = match self.flaw {
            Some(FollowsRedirects) => !within,
            Some(FollowsRedirectsOfOneHost) => within,
            _ => false,
        };
        let location =
            if within { format!("http://{}{location}", from.authority()?) } else { location.into() };
        follows.then(|| location.parse().unwrap())
    }

    /// What some do to an answer before they hand it over.
    fn edit(&self, uri: &Uri, mut answer: HttpResponse, max_body: usize) -> Reply {
        let status = answer.status();
        match self.flaw {
            Some(KeepsCookies) => {
                let cookie = answer.headers().get("set-cookie");
                *self.cookie.lock().unwrap() = cookie.map(|cookie| cookie.to_str().unwrap().to_owned());
            }
            Some(Caches) if answer.headers().contains_key("cache-control") => {
                *self.cached.lock().unwrap() = Some((uri.clone(), answer.body().clone()));
            }
            Some(HidesRedirects) if status.is_redirection() && status != 304 => {
                *answer.status_mut() = StatusCode::OK;
            }
            Some(FailsOnClientErrors) if status.is_client_error() => return Err(self.failed(Kind::Other)),
            Some(HidesServerErrors) if status.is_server_error() => *answer.status_mut() = StatusCode::OK,
            Some(LosesBodiesOfErrors) if status.as_u16() >= 400 => answer.body_mut().clear(),
            Some(LosesRepeatedHeaders) => {
                if let Some(first) = answer.headers().get("x-two").cloned() {
                    answer.headers_mut().insert("x-two", first);
                }
            }
            Some(Inflates) if answer.headers_mut().remove("content-encoding").is_some() => {
                // The one block of the check's answer is a stored one.
                *answer.body_mut() = answer.body()[15..answer.body().len() - 8].to_vec();
            }
            Some(ReadsOnBeyondTheLimit) => answer.body_mut().truncate(max_body.saturating_add(1)),
            Some(RefusesLargeBodies) if answer.body().len() > max_body => {
                return Err(self.failed(Kind::Other));
            }
            _ => {}
        }
        Ok(answer)
    }

    fn failed(&self, kind: Kind) -> TransportError {
        let unsent = match self.flaw {
            Some(SaysUnsentWhenClosed) => kind == Kind::Closed,
            Some(SaysUnsentOfTimeouts) => kind == Kind::Timeout,
            _ => false,
        };
        TransportError::new(kind, if unsent { Delivery::Unsent } else { Delivery::MaybeSent })
    }

    fn failure(&self, error: &io::Error, otherwise: Kind) -> TransportError {
        if error.kind() == io::ErrorKind::ConnectionReset && self.has(SaysUnsentWhenReset) {
            return TransportError::new(Kind::Closed, Delivery::Unsent);
        }
        self.failed(match error.kind() {
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
        assert!(!self.has(PanicsWhenRefused), "nobody listens there");
        let delivery = if self.has(NeverSaysUnsent) { Delivery::MaybeSent } else { Delivery::Unsent };
        let failed = TransportError::new(Kind::ConnectionRefused, delivery);
        let authorization = || request.headers()["authorization"].to_str().unwrap().to_owned();
        Err(match self.flaw {
            Some(ShowsHeaders) => failed.with_source(format!("{:?}", request.headers())),
            Some(ShowsTheKeyInBytes) => failed.with_source(format!("{:?}", authorization().into_bytes())),
            Some(ShowsTheHost) => failed.with_source(format!("cannot connect to {authority}: {error}")),
            _ => failed.with_source(error),
        })
    }

    fn once(&self, request: &HttpRequest, clock: &Clock, limit: usize) -> Reply {
        let authority = request.uri().authority().unwrap().to_string();
        let kept = self.kept.lock().unwrap().take().filter(|(to, _)| *to == authority);
        let was_kept = kept.is_some();
        let stream = match kept {
            Some((_, stream)) => stream,
            None => self.connect(request)?,
        };
        let written = (&stream).write_all(&self.written(request));
        let mut answer = Answer { stream, clock, buffer: Vec::new() };
        let head = written.and_then(|()| answer.head());
        let head = match head {
            Err(error) if error.kind() == io::ErrorKind::InvalidData && self.has(BelievesAnything) => {
                Head { status: 200, http_1_1: false, headers: HeaderMap::new() }
            }
            Err(_) if was_kept && self.has(RetriesOnAKeptConnection) => {
                return self.once(request, clock, limit);
            }
            Err(error) => {
                let failed = self.failure(&error, Kind::Closed);
                if failed.kind() == Kind::Timeout && self.has(ReusesConnectionsThatTimedOut) {
                    *self.kept.lock().unwrap() = Some((authority, answer.stream));
                }
                return Err(failed);
            }
            Ok(head) => head,
        };
        let mut body = Vec::new();
        let whole = match answer.body(&head, limit, &mut body) {
            Ok(whole) => whole,
            Err(error) => {
                let failed = self.failure(&error, Kind::Cut);
                let hands_over = match failed.kind() {
                    Kind::Cut => self.has(HandsOverCutBodies),
                    Kind::Timeout => self.has(HandsOverStalledBodies),
                    _ => false,
                };
                if !hands_over {
                    return Err(failed);
                }
                false
            }
        };
        let clean = (whole && answer.buffer.is_empty()) || self.has(ReusesUnreadConnections);
        if clean && head.http_1_1 && head.text("connection") != "close" {
            *self.kept.lock().unwrap() = Some((authority, answer.stream));
        }
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(head.status).unwrap();
        *response.headers_mut() = head.headers;
        Ok(response)
    }

    /// The request as it is sent.
    fn written(&self, request: &HttpRequest) -> Vec<u8> {
        let uri = request.uri();
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = match self.flaw {
            Some(DropsTheQuery) => uri.path().to_owned(),
            Some(TidiesThePath) => target.replace("//", "/"),
            _ => target.to_owned(),
        };
        let body: &[u8] = if self.has(LosesTheBody) { b"" } else { request.body() };
        let mut head =
            format!("{} {target} HTTP/1.1\r\nHost: {}\r\n", request.method(), uri.authority().unwrap());
        if request.method() == Method::POST {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in request.headers() {
            let value = value.to_str().unwrap();
            match *name {
                header::USER_AGENT if self.has(ReplacesTheUserAgent) => head += "user-agent: naive\r\n",
                header::AUTHORIZATION if self.has(LosesAuthorization) => {}
                _ => head += &format!("{name}: {value}\r\n"),
            }
        }
        match self.flaw {
            Some(AddsAHeader) => head += "X-Client: naive\r\n",
            Some(AsksForGzip) => head += "Accept-Encoding: gzip\r\n",
            _ => {}
        }
        if let Some(cookie) = self.cookie.lock().unwrap().as_ref() {
            head += &format!("Cookie: {cookie}\r\n");
        }
        [head.as_bytes(), b"\r\n", body].concat()
    }
}

/// How long a read may take.
enum Clock {
    Until(Instant),
    EachRead(Duration),
    Stopped,
}

impl Clock {
    fn until(timeout: Duration) -> Self {
        Instant::now().checked_add(timeout).map_or(Self::Stopped, Self::Until)
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = match self {
            Self::Until(end) => Some(end.saturating_duration_since(Instant::now())),
            Self::EachRead(pause) => Some(*pause),
            Self::Stopped => None,
        };
        if left == Some(Duration::ZERO) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
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

/// What comes back, and what of it was read but not looked at.
struct Answer<'a> {
    stream: TcpStream,
    clock: &'a Clock,
    buffer: Vec<u8>,
}

impl Answer<'_> {
    /// Reads once; false at the end of the connection.
    fn fill(&mut self) -> io::Result<bool> {
        self.stream.set_read_timeout(self.clock.left()?)?;
        let mut bytes = [0; 8192];
        let read = self.stream.read(&mut bytes)?;
        self.buffer.extend_from_slice(&bytes[..read]);
        Ok(read > 0)
    }

    fn need(&mut self) -> io::Result<()> {
        if self.fill()? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer.drain(..end + 2).take(end).collect();
                return String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData.into());
            }
            self.need()?;
        }
    }

    /// The head of the answer, after those that only precede it.
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

    /// Moves up to `most` bytes to the body.
    fn take(&mut self, body: &mut Vec<u8>, most: usize) -> usize {
        let taken = most.min(self.buffer.len());
        body.extend(self.buffer.drain(..taken));
        taken
    }

    /// Reads the body up to the limit; whether that was all of it, and the connection can be used again.
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
                if !self.exactly(size, limit, body)? {
                    return Ok(false);
                }
                self.line()?;
            }
        }
        if let Ok(length) = head.text("content-length").parse() {
            return self.exactly(length, limit, body);
        }
        while body.len() < limit {
            if self.take(body, limit - body.len()) == 0 && !self.fill()? {
                break;
            }
        }
        Ok(false)
    }

    /// Reads that many bytes; false if the limit came before.
    fn exactly(&mut self, mut length: usize, limit: usize, body: &mut Vec<u8>) -> io::Result<bool> {
        while length > 0 {
            if body.len() >= limit {
                return Ok(false);
            }
            let taken = self.take(body, length.min(limit - body.len()));
            length -= taken;
            if taken == 0 {
                self.need()?;
            }
        }
        Ok(true)
    }
}
