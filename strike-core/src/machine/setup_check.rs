//! Checks the setup of an endpoint before it is used.

use std::collections::VecDeque;
use std::ops::ControlFlow::{self, Break, Continue};

use crate::errors::Error;
use crate::machine::context::Context;
use crate::machine::{Call, Machine, Step};
use crate::protocol::Probe;
use crate::transport::Reply;
use crate::values::Now;

/// Checks the setup of an endpoint, as a [machine](crate::machine). It creates no charge.
///
/// | backend | requests | what is checked |
/// | --- | --- | --- |
/// | Strike | the newest charge | the API key and the base URL |
/// | phoenixd | `getinfo`, and `payinvoice` without an invoice | the password, the network, and that the password cannot spend |
/// | LNbits | the wallet | the key, and that it is not the admin key; LNbits does not say its network |
///
/// [`CoreClient::check_setup`](crate::CoreClient::check_setup) makes it.
///
/// A credential that can also spend, and a node on another network, are a
/// [`Mismatch`](crate::ErrorKind::Mismatch) of `credential` and `network`.
#[derive(Debug)]
pub struct SetupCheck {
    calls: VecDeque<Call<Probe>>,
    finished: bool,
}

impl SetupCheck {
    pub(crate) fn new(context: &Context) -> Self {
        let call = |probe| Call::new(probe, context.fork());
        Self { calls: Probe::all(&context.endpoint).map(call).collect(), finished: false }
    }

    fn advance(&mut self, now: Now) -> ControlFlow<Step<()>> {
        let result = match self.calls.front_mut() {
            _ if self.finished => Err(Error::finished()),
            Some(call) => call.poll(now).done()?,
            None => {
                self.finished = true;
                return Break(Step::Done(Ok(())));
            }
        };
        self.calls.pop_front();
        match result {
            Ok(()) => Continue(()),
            Err(error) => {
                self.finished = true;
                Break(Step::Done(Err(error)))
            }
        }
    }
}

impl Machine for SetupCheck {
    type Output = ();

    fn poll(&mut self, now: Now) -> Step<()> {
        loop {
            if let Break(step) = self.advance(now) {
                return step;
            }
        }
    }

    fn handle(&mut self, reply: Reply, now: Now) {
        if let Some(call) = self.calls.front_mut() {
            call.handle(reply, now);
        }
    }
}
