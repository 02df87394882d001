//! The program's arguments, and the sentences for those that do not fit.

mod webhook;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use lexopt::prelude::{Long, Short, ValueExt};
use strike_core::{ApiKey, Network};
use strike_sandbox::{Quirks, Settlement, Webhook};

pub(crate) const HELP: &str = "\
The Strike charge API in a box, for tests and demonstrations.

Usage: strike-sandbox [OPTIONS]

Options:
      --listen ADDRESS   Where to listen; port 0 is a free one [default: 127.0.0.1:8420]
      --allow-remote     Listen beyond this machine: whoever reaches it can pay charges
      --api-key KEY      The account's key [default: drawn at random]
      --network NETWORK  bitcoin, testnet, signet or regtest [default: testnet]
      --seed N           Draw keys, ids and preimages from this number, the same in every run
      --settle HOW       instant, or lightning for real payments over a channel [default: instant]
      --json             First line of output: {\"base_url\": ..., \"api_key\": ...}
  -h, --help             Print this help
  -V, --version          Print the version

As the service once was, or stricter:
      --timestamps-in-seconds   created and updated in seconds, as in April 2018
      --long-ids                Ids of 44 characters instead of 29, as in April 2018
      --invoices-of-2018        Invoices without payment secret and features, as recorded
      --description-required    Refuse a charge without a description
      --largest-page N          At most N rows of a list [default: 1000]

To see whether a client bears it:
      --requests-per-minute N   Answer 429 to what goes beyond
      --without-retry-after     Answer 429 without that header
      --extra-keys              Keys that nobody has heard of in every body
      --fail-before-create N    Answer 500 to every N-th good charge, and do not make it
      --fail-after-create N     Make every N-th good charge, and answer 500

Webhooks, one for each payment, delivered once unless told otherwise:
      --webhook URL             Where to post them: http or https, without credentials
      --webhook-timeout MS      How long an answer may take, in real time [default: 10000]
      --webhook-repeat N        Deliver each payment N times
      --webhook-delay MS        Deliver so long after the payment
      --webhook-reorder MS      Hold each delivery back for a random time up to this
      --webhook-drop-every N    Lose every N-th delivery
      --webhook-drop PERCENT    Lose so many of a hundred, at random
      --webhook-attempts N      Try up to N times, until the answer is a 2xx
      --webhook-backoff MS      Wait before the second try, twice as long before each further one
                                [default: 1000]
      --webhook-ca FILE         Trust these certificates (PEM) instead of the public authorities
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
    pub(crate) settlement: Settlement,
    pub(crate) quirks: Quirks,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) json: bool,
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut options = Options {
        listen: (Ipv4Addr::LOCALHOST, 8420).into(),
        api_key: None,
        network: Network::Testnet,
        seed: None,
        settlement: Settlement::Instant,
        quirks: Quirks::new(),
        webhook: None,
        json: false,
    };
    let mut webhook = webhook::Flags::default();
    let mut allow_remote = false;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => options.listen = parser.value()?.parse_with(address)?,
            Long("allow-remote") => allow_remote = true,
            Long("api-key") => options.api_key = Some(parser.value()?.parse_with(api_key)?),
            Long("network") => options.network = parser.value()?.parse()?,
            Long("seed") => options.seed = Some(parser.value()?.parse()?),
            Long("settle") => options.settlement = parser.value()?.parse_with(settlement)?,
            Long(name) if name.starts_with("webhook") => {
                let name = name.to_owned();
                webhook.read(&name, &mut parser)?;
            }
            Long("json") => options.json = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("version") | Short('V') => return Ok(Command::Version),
            Long("timestamps-in-seconds") => options.quirks = options.quirks.timestamps_in_seconds(),
            Long("long-ids") => options.quirks = options.quirks.long_ids(),
            Long("invoices-of-2018") => options.quirks = options.quirks.invoices_of_2018(),
            Long("description-required") => options.quirks = options.quirks.description_required(),
            Long("largest-page") => {
                options.quirks = options.quirks.largest_page(parser.value()?.parse()?);
            }
            Long("requests-per-minute") => {
                options.quirks = options.quirks.requests_per_minute(parser.value()?.parse()?);
            }
            Long("without-retry-after") => options.quirks = options.quirks.without_retry_after(),
            Long("extra-keys") => options.quirks = options.quirks.extra_keys(),
            Long("fail-before-create") => {
                options.quirks = options.quirks.fail_before_create(parser.value()?.parse()?);
            }
            Long("fail-after-create") => {
                options.quirks = options.quirks.fail_after_create(parser.value()?.parse()?);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    if !allow_remote && !options.listen.ip().is_loopback() {
        let listen = options.listen;
        let refusal =
            format!("{listen} is not on this machine alone: add --allow-remote if others may use it");
        return Err(refusal.into());
    }
    options.webhook = webhook.finish()?;
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

/// A key that clients take: anything else would start a sandbox that nobody can open.
fn api_key(text: &str) -> Result<String, strike_core::Error> {
    ApiKey::new(text).map(|_| text.to_owned())
}

fn settlement(text: &str) -> Result<Settlement, &'static str> {
    match text {
        "instant" => Ok(Settlement::Instant),
        #[cfg(feature = "lightning")]
        "lightning" => Ok(Settlement::Lightning),
        #[cfg(not(feature = "lightning"))]
        "lightning" => Err("this program was built without the feature lightning"),
        _ => Err("expected instant or lightning"),
    }
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
            settlement: Settlement::Instant,
            quirks: Quirks::new(),
            webhook: None,
            json: false,
        };
        assert_eq!(run(""), Ok(Command::Run(defaults)));
        let all = Options {
            listen: "[::1]:0".parse().expect("an address"),
            api_key: Some("sk_demo".to_owned()),
            network: Network::Regtest,
            seed: Some(7),
            settlement: Settlement::Instant,
            quirks: Quirks::new()
                .timestamps_in_seconds()
                .long_ids()
                .invoices_of_2018()
                .description_required()
                .largest_page(10)
                .requests_per_minute(60)
                .without_retry_after()
                .extra_keys()
                .fail_before_create(2)
                .fail_after_create(3),
            webhook: None,
            json: true,
        };
        let arguments = "--listen [::1]:0 --api-key=sk_demo --network regtest --seed 7 --settle instant --json \
             --timestamps-in-seconds --long-ids --invoices-of-2018 --description-required --largest-page 10 \
             --requests-per-minute 60 --without-retry-after --extra-keys --fail-before-create 2 \
             --fail-after-create 3";
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
            ("--settle later", "instant or lightning"),
            ("--largest-page -1", "-1"),
            ("--requests-per-minute", "--requests-per-minute"),
            ("--fail-after-create often", "often"),
            ("--api-key a:b", "colon"),
            ("--json=yes", "yes"),
        ] {
            let refusal = run(arguments).expect_err(arguments);
            assert!(refusal.contains(part), "{arguments}: {refusal}");
        }
    }
}
