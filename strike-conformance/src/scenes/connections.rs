//! An exchange that demands a new connection is the first on its connection.

use std::io;

use strike_core::ConnectionUse;

use super::OK;
use crate::Rule;
use crate::ask::Ask;
use crate::probe::Probe;

pub(super) fn play(probe: &mut Probe) -> io::Result<()> {
    let new = || Ask::post().on_a_new_connection();
    for (done, asks) in [
        ("POST on a new connection", vec![new()]),
        ("POST on a new connection, after a GET", vec![Ask::get(), new()]),
        ("POST on a new connection, after another one", vec![new(), new()]),
        (
            "GET on a new connection, after GET and POST",
            vec![Ask::get(), Ask::post(), Ask::get().on_a_new_connection(), Ask::get()],
        ),
    ] {
        let scene = probe.play(done, &asks, |mut peer| while peer.answer(OK) {})?;
        let Some(scene) = scene else { continue };
        let counts: Vec<usize> = scene.seen.requests.iter().map(|request| request.before).collect();
        let kept = counts.len() == asks.len()
            && asks
                .iter()
                .zip(&counts)
                .all(|(ask, &before)| ask.connection == ConnectionUse::Any || before == 0);
        let seen = format!("requests that came before each one on its connection: {counts:?}");
        probe.find(Rule::NewConnection, done, kept, seen, "0 where a new connection is demanded");
    }
    Ok(())
}
