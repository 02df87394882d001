//! The scenarios: what a server does, and what the transport has to do then.

mod body_limits;
mod connections;
mod redirects;
mod refused;
mod requests;
mod responses;
mod retries;
mod reuse;
mod timeouts;

use std::io;

use super::checker::Checker;

/// A minimal response.
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

pub(crate) fn run_all(checker: &mut Checker) -> io::Result<()> {
    requests::run(checker)?;
    redirects::run(checker)?;
    retries::run(checker)?;
    responses::run(checker)?;
    body_limits::run(checker)?;
    reuse::run(checker)?;
    connections::run(checker)?;
    refused::run(checker)?;
    timeouts::run(checker)
}
