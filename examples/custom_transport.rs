//! Transports of one's own: a closure, one around another HTTP client, and that one again for the async client.
//!
//! `cargo test -p strike-examples --example custom_transport` checks that they keep the rules.
#![allow(clippy::print_stdout, reason = "it shows something")]

use std::io::{ErrorKind, Read as _};
use std::sync::Arc;
use std::time::Duration;

use strike_async::{AsyncTransport, BoxFuture};
use strike_blocking::{
    Client, ConnectionUse, Delivery, Exchange, FnTransport, NewCharge, Reply, Transport, TransportError,
    TransportErrorKind,
};

/// ureq cannot add a longer timeout to the time of day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Moves the bytes with a bare `ureq::Agent`, to show what a transport owes. `strike_blocking::UreqTransport` knows more
/// about delivery than this one, which says `MaybeSent` of everything that went wrong but a refused connection.
struct Bare(ureq::Agent);

impl Bare {
    fn new() -> Self {
        // Every status is an answer, a redirect is not followed, and nothing is added to the request.
        let rules = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
        let rules = rules.max_redirects_will_error(false).user_agent("").accept("").accept_encoding("");
        Self(rules.build().into())
    }
}

impl Transport for Bare {
    fn exchange(&self, exchange: Exchange) -> Reply {
        let maybe = |kind| TransportError::new(kind, Delivery::MaybeSent);
        // An agent of its own has no connection yet.
        let new = (exchange.connection == ConnectionUse::New)
            .then(|| ureq::Agent::new_with_config(self.0.config().clone()));
        let agent = new.as_ref().unwrap_or(&self.0);
        // The timeout is for the whole exchange; the request goes out as it is.
        let timeout = Some(exchange.timeout.min(LONGEST));
        let request = agent.configure_request(exchange.request).timeout_global(timeout).build();
        let response = agent.run(request).map_err(|error| match error {
            ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
                TransportError::new(TransportErrorKind::Refused, Delivery::Unsent)
            }
            _ => maybe(TransportErrorKind::Other),
        })?;
        let (parts, mut body) = response.into_parts();
        // One byte more than is wanted tells core that the body was too large.
        let most = (exchange.max_body as u64).saturating_add(1);
        let mut bytes = Vec::new();
        let read = body.as_reader().take(most).read_to_end(&mut bytes);
        read.map_err(|_| maybe(TransportErrorKind::Cut))?;
        Ok(strike_blocking::http::Response::from_parts(parts, bytes))
    }
}

/// A blocking transport for the async client: a thread of tokio's waits for it.
struct InThread(Arc<Bare>);

impl AsyncTransport for InThread {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        let bare = Arc::clone(&self.0);
        Box::pin(async move {
            let reply = tokio::task::spawn_blocking(move || bare.exchange(exchange)).await;
            // The runtime is shutting down, and nobody knows how far the exchange came.
            reply.unwrap_or_else(|_| Err(TransportError::new(TransportErrorKind::Lost, Delivery::MaybeSent)))
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = strike_examples::host()?;

    let bare = Client::builder(host.endpoint.clone()).transport(Bare::new()).build()?;
    let charge = bare.create(NewCharge::satoshis(4200, "by a bare agent"))?;
    println!("over a socket: {charge}");

    let in_thread = InThread(Arc::new(Bare::new()));
    let client = strike_async::Client::builder(host.endpoint.clone()).transport(in_thread).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("in a thread:   {}", runtime.block_on(client.get(charge.id()))?);

    // A closure is a transport, too: here around the sandbox itself, without a socket.
    if let Some(sandbox) = &host.sandbox {
        let service = sandbox.sandbox();
        let transport = FnTransport::new(move |exchange| service.reply(exchange));
        let direct = Client::builder(host.endpoint).transport(transport).build()?;
        println!("in memory:     {}", direct.get(charge.id())?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_agent_keeps_the_rules() -> Result<(), Box<dyn std::error::Error>> {
        let bare = Bare::new();
        strike_conformance::check(move |exchange| bare.exchange(exchange))?.into_result()?;
        Ok(())
    }

    #[test]
    fn in_a_thread_it_keeps_them_too() -> Result<(), Box<dyn std::error::Error>> {
        let in_thread = InThread(Arc::new(Bare::new()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        strike_conformance::check(move |exchange| runtime.block_on(in_thread.exchange(exchange)))?
            .into_result()?;
        Ok(())
    }
}
