//! What the server gets to see: all that was given, and nothing else but framing.

use std::io;
use std::net::SocketAddr;

use crate::Rule;
use crate::ask::Ask;
use crate::probe::{Probe, excerpt};
use crate::server::{Heard, Server};

/// What HTTP/1 needs to carry a request. All else says something of whoever sends it, or asks for something.
const FRAMING: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "keep-alive"];

pub(super) fn play(probe: &mut Probe) -> io::Result<()> {
    let odd = "/api//v1/charges/ch_%2F%c3~!$&'()*+,;=:@?page=0&size=30&q=%20a+b&none";
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(3000).collect();
    for (done, ask) in [
        ("GET of an ordinary path", Ask::get()),
        ("GET of an odd path and query", Ask::get().target(odd)),
        ("GET of a server without a path", Ask::get().target("")),
        ("GET without a User-Agent", Ask::get().without("user-agent")),
        ("GET without Authorization", Ask::get().without("authorization")),
        ("POST of a form", Ask::post()),
        ("POST with a query", Ask::post().target(odd)),
        ("POST of an empty body", Ask::post().body(b"")),
        ("POST of 3000 bytes of every value", Ask::post().body(&bytes)),
    ] {
        request(probe, done, &[ask])?;
    }
    for ask in Ask::both() {
        let done = format!("{} again, after an answer with a cookie that may be cached", ask.method);
        request(probe, &done, &[ask.clone(), ask])?;
    }
    Ok(())
}

/// Makes the exchanges, and looks at how the last of them arrived.
fn request(probe: &mut Probe, done: &str, asks: &[Ask]) -> io::Result<()> {
    let server = Server::start(|mut peer| {
        let answer = "HTTP/1.1 200 OK\r\nSet-Cookie: id=7\r\nCache-Control: max-age=3600\r\nETag: \"7\"\r\n\
             Content-Length: 2\r\n\r\n[]";
        while peer.answer(answer) {}
    })?;
    let address = server.address();
    let mut ended = true;
    for ask in asks {
        ended &= probe.exchange(done, ask.at(address)?)?.is_some();
    }
    let seen = server.finish();
    let Some(ask) = asks.last().filter(|_| ended) else { return Ok(()) };
    let expected = format!("{} request(s) at the server", asks.len());
    let count = format!("{} request(s) at the server", seen.requests.len());
    probe.find(Rule::ExactRequest, done, seen.requests.len() >= asks.len(), count, expected);
    if let Some(heard) = seen.requests.get(asks.len() - 1) {
        exact(probe, done, ask, heard, address);
        nothing_added(probe, done, ask, heard);
    }
    Ok(())
}

fn exact(probe: &mut Probe, done: &str, ask: &Ask, heard: &Heard, address: SocketAddr) {
    let mut look = |kept, seen, expected| probe.find(Rule::ExactRequest, done, kept, seen, expected);
    let target = if ask.target.is_empty() { "/" } else { &ask.target };
    let line = format!("{} {target}", ask.method);
    let seen = format!("{} {}", heard.method, heard.target);
    look(seen == line, seen, line);
    let host = address.to_string();
    let given = ask.headers.iter().copied().chain([("host", host.as_str())]);
    for (name, value) in given {
        let values: Vec<_> = heard.headers.iter().filter(|(other, _)| other == name).collect();
        let kept = matches!(values.as_slice(), [(_, seen)] if seen == value);
        let seen = values.iter().map(|(_, seen)| format!("{name}: {seen}")).collect::<Vec<_>>().join(", ");
        let seen = if seen.is_empty() { format!("no {name}") } else { seen };
        look(kept, seen, format!("{name}: {value}, once"));
    }
    look(heard.body == ask.body, excerpt(&heard.body), excerpt(&ask.body));
}

fn nothing_added(probe: &mut Probe, done: &str, ask: &Ask, heard: &Heard) {
    let given = |name: &str| ask.headers.iter().any(|(given, _)| *given == name);
    let added: Vec<_> = heard
        .headers
        .iter()
        .filter(|(name, _)| !given(name) && !FRAMING.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let seen = if added.is_empty() { "nothing added".to_owned() } else { added.join(", ") };
    probe.find(Rule::NothingAdded, done, added.is_empty(), seen, "no header but those given, and framing");
}
