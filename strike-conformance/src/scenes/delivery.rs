//! What is known before anything is sent. What is known afterwards is looked at in every scene.

use std::io;

use strike_core::Delivery;

use crate::Rule;
use crate::ask::Ask;
use crate::probe::{Probe, describe};
use crate::server::RefusedPort;

pub(super) fn play(probe: &mut Probe) -> io::Result<()> {
    let refused = RefusedPort::take()?;
    for ask in Ask::both() {
        let done = format!("{} to a port where nobody listens", ask.method);
        if let Some((reply, _)) = probe.exchange(&done, ask.at(refused.address)?)? {
            let kept = matches!(&reply, Err(error) if error.delivery() == Delivery::Unsent);
            probe.find(Rule::KnownUnsent, &done, kept, describe(&reply), "an error that says Unsent");
        }
    }
    Ok(())
}
