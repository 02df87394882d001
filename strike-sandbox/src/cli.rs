//! The program's arguments, and the sentences for those that do not fit.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::{Long, Short, ValueExt};
use strike_core::{ApiKey, Network};

pub(crate) const HELP: &str = "\
The Strike charge API in a box, for tests and demonstrations.

Usage: strike-sandbox [OPTIONS]

Options:
      --listen ADDRESS   Where to listen; port 0 is a free one [default: 127.0.0.1:8420]
      --allow-remote     Listen beyond this machine: whoever reaches it can pay charges
      --api-key KEY      The account's key [default: drawn at random]
      --network NETWORK  bitcoin, testnet, signet or regtest [default: testnet]
      --seed N           Draw keys, ids and preimages from this number, the same in every run
      --faults FILE      What goes wrong on purpose, as JSON; also at /sandbox/faults while it runs
      --idle-close SECONDS
                         Close a connection that is quiet for so long after an answer [default: 75]
      --json             First line of output: {\"base_url\": ..., \"api_key\": ...}
  -h, --help             Print this help
  -V, --version          Print the version
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Run(Options),
    Help,
    Version,
}

/// How to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) api_key: Option<String>,
    pub(crate) network: Network,
    pub(crate) seed: Option<u64>,
    pub(crate) faults: Option<PathBuf>,
    pub(crate) idle_close: Option<Duration>,
    pub(crate) json: bool,
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut options = Options {
        listen: (Ipv4Addr::LOCALHOST, 8420).into(),
        api_key: None,
        network: Network::Testnet,
        seed: None,
        faults: None,
        idle_close: None,
        json: false,
    };
    let mut allow_remote = false;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => options.listen = parser.value()?.parse_with(address)?,
            Long("allow-remote") => allow_remote = true,
            Long("api-key") => options.api_key = Some(parser.value()?.parse_with(api_key)?),
            Long("network") => options.network = parser.value()?.parse()?,
            Long("seed") => options.seed = Some(parser.value()?.parse()?),
            Long("faults") => options.faults = Some(parser.value()?.into()),
            Long("idle-close") => options.idle_close = Some(parser.value()?.parse_with(seconds)?),
            Long("json") => options.json = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("version") | Short('V') => return Ok(Command::Version),
            _ => return Err(argument.unexpected()),
        }
    }
    if !allow_remote && !options.listen.ip().is_loopback() {
        let listen = options.listen;
        let refusal =
            format!("{listen} is not on this machine alone: add --allow-remote if others may use it");
        return Err(refusal.into());
    }
    Ok(Command::Run(options))
}

/// An address with its port; `localhost` is the one name, since any other could be elsewhere tomorrow.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let wrong = "expected an address and a port, such as 127.0.0.1:8420";
    match text.strip_prefix("localhost:") {
        Some(port) => Ok((IpAddr::from(Ipv4Addr::LOCALHOST), port.parse().map_err(|_| wrong)?).into()),
        None => text.parse().map_err(|_| wrong),
    }
}

/// A time to wait, of a second or more.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0);
    seconds.map(Duration::from_secs).ok_or("expected a number of seconds, 1 or more")
}

/// A key that clients take: anything else would start a sandbox that nobody can open.
fn api_key(text: &str) -> Result<String, strike_core::Error> {
    ApiKey::new(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &str) -> Result<Command, String> {
        parse(arguments.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_are_read_and_have_defaults() {
        let defaults = Options {
            listen: "127.0.0.1:8420".parse().expect("an address"),
            api_key: None,
            network: Network::Testnet,
            seed: None,
            faults: None,
            idle_close: None,
            json: false,
        };
        assert_eq!(run(""), Ok(Command::Run(defaults)));
        let all = Options {
            listen: "[::1]:0".parse().expect("an address"),
            api_key: Some("sk_demo".to_owned()),
            network: Network::Regtest,
            seed: Some(7),
            faults: Some("plan.json".into()),
            idle_close: Some(Duration::from_secs(5)),
            json: true,
        };
        let arguments = "--listen [::1]:0 --api-key=sk_demo --network regtest --seed 7 --faults plan.json \
            --idle-close 5 --json";
        assert_eq!(run(arguments), Ok(Command::Run(all)));
        assert_eq!(run("--seed 1 --help"), Ok(Command::Help));
        assert_eq!(run("-V"), Ok(Command::Version));
    }

    #[test]
    fn other_machines_are_let_in_only_on_purpose() {
        let refusal = run("--listen 0.0.0.0:8420").expect_err("not by accident");
        assert!(refusal.contains("--allow-remote"), "{refusal}");
        assert!(run("--allow-remote --listen 0.0.0.0:8420").is_ok());
        assert!(run("--listen localhost:0").is_ok());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (arguments, part) in [
            ("--port 1", "--port"),
            ("extra", "extra"),
            ("--listen", "--listen"),
            ("--listen example.com:80", "127.0.0.1:8420"),
            ("--listen localhost:http", "127.0.0.1:8420"),
            ("--network ropsten", "testnet"),
            ("--seed seven", "seven"),
            ("--api-key a:b", "colon"),
            ("--json=yes", "yes"),
            ("--faults", "--faults"),
            ("--idle-close 0", "1 or more"),
            ("--idle-close soon", "soon"),
        ] {
            let refusal = run(arguments).expect_err(arguments);
            assert!(refusal.contains(part), "{arguments}: {refusal}");
        }
    }
}
