//! The scenes: what a server does, and what a transport owes then.

mod answers;
mod connections;
mod delivery;
mod leftovers;
mod limits;
mod redirects;
mod requests;
mod retries;
mod timing;

use std::io;

use super::probe::Probe;

/// An ordinary answer.
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

pub(super) fn play_all(probe: &mut Probe) -> io::Result<()> {
    requests::play(probe)?;
    redirects::play(probe)?;
    retries::play(probe)?;
    answers::play(probe)?;
    limits::play(probe)?;
    leftovers::play(probe)?;
    connections::play(probe)?;
    delivery::play(probe)?;
    timing::play(probe)
}
