//! Custom transports: a closure, a wrapper for another HTTP client, and the same wrapper for the
//! async client.
//!
//! `cargo test -p strike-examples --example custom_transport` runs the conformance check on them.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use std::io::{ErrorKind, Read as _};
use std::sync::Arc;
use std::time::Duration;

use strike_async::{AsyncTransport, BoxFuture};
use strike_blocking::{
    Client, ConnectionUse, Delivery, Exchange, NewCharge, Reply, Transport, TransportError,
    TransportErrorKind,
};

/// ureq panics if the timeout added to the current time overflows.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A minimal transport with a plain `ureq::Agent`. `strike_blocking::UreqTransport` reports
/// delivery more precisely: this one reports `MaybeSent` for every failure except a refused
/// connection.
struct PlainAgent(ureq::Agent);

impl PlainAgent {
    fn new() -> Self {
        // Return every status as a response, follow no redirects, and add no headers.
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
        let config = config.max_redirects_will_error(false).user_agent("").accept("").accept_encoding("");
        Self(config.build().into())
    }
}

impl Transport for PlainAgent {
    fn exchange(&self, exchange: Exchange) -> Reply {
        let maybe_sent = |kind| TransportError::new(kind, Delivery::MaybeSent);
        // A new agent has an empty connection pool.
        let new = (exchange.connection == ConnectionUse::New)
            .then(|| ureq::Agent::new_with_config(self.0.config().clone()));
        let agent = new.as_ref().unwrap_or(&self.0);
        // The timeout covers the whole exchange. The request is sent unchanged.
        let timeout = Some(exchange.timeout.min(LONGEST));
        let request = agent.configure_request(exchange.request).timeout_global(timeout).build();
        let response = agent.run(request).map_err(|error| match error {
            ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
                TransportError::new(TransportErrorKind::ConnectionRefused, Delivery::Unsent)
            }
            _ => maybe_sent(TransportErrorKind::Other),
        })?;
        let (parts, mut body) = response.into_parts();
        // Core rejects the body as too large if it is longer than the limit. One byte more is
        // enough.
        let limit = (exchange.max_body as u64).saturating_add(1);
        let mut bytes = Vec::new();
        let read = body.as_reader().take(limit).read_to_end(&mut bytes);
        read.map_err(|_| maybe_sent(TransportErrorKind::Cut))?;
        Ok(strike_blocking::http::Response::from_parts(parts, bytes))
    }
}

/// Runs a blocking transport for the async client, on tokio's blocking threads.
struct InThread(Arc<PlainAgent>);

impl AsyncTransport for InThread {
    fn exchange(&self, exchange: Exchange) -> BoxFuture<'_, Reply> {
        let plain = Arc::clone(&self.0);
        Box::pin(async move {
            let reply = tokio::task::spawn_blocking(move || plain.exchange(exchange)).await;
            // The runtime is shutting down, and the request may have been sent.
            reply.unwrap_or_else(|_| Err(TransportError::new(TransportErrorKind::Lost, Delivery::MaybeSent)))
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = strike_examples::host()?;

    let plain = Client::builder(host.endpoint.clone()).transport(PlainAgent::new()).build()?;
    let charge = plain.create(NewCharge::satoshis(4200, "with a plain agent"))?;
    println!("over a socket: {charge}");

    let in_thread = InThread(Arc::new(PlainAgent::new()));
    let client = strike_async::Client::builder(host.endpoint.clone()).transport(in_thread).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("in a thread:   {}", runtime.block_on(client.get(charge.id()))?);

    // A closure is a transport, too. This one calls the sandbox without a socket.
    if let Some(sandbox) = &host.sandbox {
        let service = sandbox.sandbox();
        let transport = move |exchange: Exchange| service.reply(exchange);
        let direct = Client::builder(host.endpoint).transport(transport).build()?;
        println!("in memory:     {}", direct.get(charge.id())?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_agent_passes_the_conformance_check() -> Result<(), Box<dyn std::error::Error>> {
        let plain = PlainAgent::new();
        strike_conformance::check(move |exchange| plain.exchange(exchange))?.into_result()?;
        Ok(())
    }

    #[test]
    fn plain_agent_in_a_thread_passes_the_conformance_check() -> Result<(), Box<dyn std::error::Error>> {
        let in_thread = InThread(Arc::new(PlainAgent::new()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        strike_conformance::check(move |exchange| runtime.block_on(in_thread.exchange(exchange)))?
            .into_result()?;
        Ok(())
    }
}
