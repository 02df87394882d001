//! Two transports of one's own: a closure, and an implementation of the trait around another HTTP client.
#![allow(clippy::print_stdout, reason = "it shows something")]

use strike_blocking::{
    Client, Delivery, Exchange, FnTransport, NewCharge, Reply, Transport, TransportError, TransportErrorKind,
};

/// Moves the bytes with a bare `ureq::Agent`, to show what a transport owes. `strike_blocking::UreqTransport` knows more
/// about delivery than this one, which says `MaybeSent` of everything that went wrong.
struct Bare(ureq::Agent);

impl Transport for Bare {
    fn exchange(&self, exchange: Exchange) -> Reply {
        let maybe = |kind| TransportError::new(kind, Delivery::MaybeSent);
        // The timeout is for the whole exchange; the request goes out as it is.
        let configured =
            self.0.configure_request(exchange.request).timeout_global(Some(exchange.timeout)).build();
        let response = self.0.run(configured).map_err(|_| maybe(TransportErrorKind::Other))?;
        let (parts, mut body) = response.into_parts();
        // One byte more than is wanted tells core that the body was too large.
        let most = exchange.max_body as u64 + 1;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(body.as_reader(), most), &mut bytes)
            .map_err(|_| maybe(TransportErrorKind::Cut))?;
        Ok(strike_blocking::http::Response::from_parts(parts, bytes))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = strike_examples::host()?;

    // Every status is an answer, a redirect is not followed, and nothing is added to the request.
    let rules = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
    let rules = rules.max_redirects_will_error(false).user_agent("").accept("").accept_encoding("");
    let bare = Client::builder(host.endpoint.clone()).transport(Bare(rules.build().into())).build()?;
    let charge = bare.create(NewCharge::satoshis(4200, "by a bare agent"))?;
    println!("over a socket: {charge}");

    // A closure is a transport, too: here around the sandbox itself, without a socket.
    if let Some(sandbox) = &host.sandbox {
        let service = sandbox.sandbox();
        let transport = FnTransport::new(move |exchange| service.reply(exchange));
        let direct = Client::builder(host.endpoint).transport(transport).build()?;
        println!("in memory:     {}", direct.get(charge.id())?);
    }
    Ok(())
}
