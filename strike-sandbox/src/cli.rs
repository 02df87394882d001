//! The program's arguments, and the sentences for those that do not fit.

mod webhook;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::{Long, Short, ValueExt};
use strike_core::{ApiKey, Network};
use strike_sandbox::{Quirks, Settlement, Webhook};

pub(crate) const HELP: &str = "\
The Strike charge API in a box, for tests and demonstrations.

Usage: strike-sandbox [OPTIONS]

Options:
      --listen ADDRESS   Where to listen; port 0 is a free one [default: 127.0.0.1:8420]
      --tls              Speak HTTPS there, with a certificate that is made for this run
      --tls-ca-out FILE  Where to write the certificate authority that clients must trust, in PEM
                         [default: a temporary file, which goes when the program ends]
      --plain-listen ADDRESS
                         With --tls: where to speak plain HTTP, too
      --allow-remote     Listen beyond this machine: whoever reaches it can pay charges
      --api-key KEY      The account's key [default: drawn at random]
      --network NETWORK  bitcoin, testnet, signet or regtest [default: testnet]
      --seed N           Draw keys, ids and preimages from this number, the same in every run
      --data FILE        Keep charges in this file, over restarts [default: in memory]
      --settle HOW       instant, or lightning for real payments over a channel [default: instant]
      --faults FILE      What goes wrong on purpose, as JSON; also at /sandbox/faults while it runs
      --idle-close SECONDS
                         Close a connection that is quiet for so long after an answer [default: 75]
      --json             First line of output: {\"base_url\": ..., \"api_key\": ...}, and with --tls
                         \"ca_cert\" (a path) and \"plain_base_url\" (with --plain-listen)
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
#[expect(clippy::large_enum_variant, reason = "there is one in the whole program")]
pub(crate) enum Command {
    Run(Options),
    Help,
    Version,
}

/// How to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) tls: bool,
    pub(crate) tls_ca_out: Option<PathBuf>,
    pub(crate) plain_listen: Option<SocketAddr>,
    pub(crate) api_key: Option<String>,
    pub(crate) network: Network,
    pub(crate) seed: Option<u64>,
    pub(crate) settlement: Settlement,
    pub(crate) quirks: Quirks,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) faults: Option<PathBuf>,
    pub(crate) idle_close: Option<Duration>,
    pub(crate) json: bool,
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut options = Options {
        listen: (Ipv4Addr::LOCALHOST, 8420).into(),
        tls: false,
        tls_ca_out: None,
        plain_listen: None,
        api_key: None,
        network: Network::Testnet,
        seed: None,
        settlement: Settlement::Instant,
        quirks: Quirks::new(),
        webhook: None,
        data: None,
        faults: None,
        idle_close: None,
        json: false,
    };
    let mut webhook = webhook::Flags::default();
    let mut allow_remote = false;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => options.listen = parser.value()?.parse_with(address)?,
            Long("tls") => options.tls = true,
            Long("tls-ca-out") => options.tls_ca_out = Some(parser.value()?.into()),
            Long("plain-listen") => options.plain_listen = Some(parser.value()?.parse_with(address)?),
            Long("allow-remote") => allow_remote = true,
            Long("api-key") => options.api_key = Some(parser.value()?.parse_with(api_key)?),
            Long("network") => options.network = parser.value()?.parse()?,
            Long("seed") => options.seed = Some(parser.value()?.parse()?),
            Long("settle") => options.settlement = parser.value()?.parse_with(settlement)?,
            Long(name) if name.starts_with("webhook") => {
                let name = name.to_owned();
                webhook.read(&name, &mut parser)?;
            }
            Long("data") => options.data = Some(parser.value()?.into()),
            Long("faults") => options.faults = Some(parser.value()?.into()),
            Long("idle-close") => options.idle_close = Some(parser.value()?.parse_with(seconds)?),
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
    if !options.tls && options.tls_ca_out.is_some() {
        return Err("--tls-ca-out says where a certificate goes: add --tls".into());
    }
    if !options.tls && options.plain_listen.is_some() {
        return Err(
            "without --tls, --listen speaks plain HTTP: leave --plain-listen out, or add --tls".into()
        );
    }
    let mut addresses = std::iter::once(options.listen).chain(options.plain_listen);
    if let Some(remote) = addresses.find(|address| !allow_remote && !address.ip().is_loopback()) {
        let refusal =
            format!("{remote} is not on this machine alone: add --allow-remote if others may use it");
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

/// A time to wait, of a second or more.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0);
    seconds.map(Duration::from_secs).ok_or("expected a number of seconds, 1 or more")
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
            tls: false,
            tls_ca_out: None,
            plain_listen: None,
            api_key: None,
            network: Network::Testnet,
            seed: None,
            settlement: Settlement::Instant,
            quirks: Quirks::new(),
            webhook: None,
            data: None,
            faults: None,
            idle_close: None,
            json: false,
        };
        assert_eq!(run(""), Ok(Command::Run(defaults)));
        let all = Options {
            listen: "[::1]:0".parse().expect("an address"),
            tls: true,
            tls_ca_out: Some("ca.pem".into()),
            plain_listen: Some("127.0.0.1:0".parse().expect("an address")),
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
            data: Some("shop.sqlite".into()),
            faults: Some("plan.json".into()),
            idle_close: Some(Duration::from_secs(5)),
            json: true,
        };
        let arguments = "--listen [::1]:0 --data shop.sqlite --tls --tls-ca-out ca.pem --plain-listen localhost:0 \
             --api-key=sk_demo --network regtest --seed 7 --settle instant --json \
             --timestamps-in-seconds --long-ids --invoices-of-2018 --description-required --largest-page 10 \
             --requests-per-minute 60 --without-retry-after --extra-keys --fail-before-create 2 \
             --fail-after-create 3 --faults plan.json --idle-close 5";
        assert_eq!(run(arguments), Ok(Command::Run(all)));
        assert_eq!(run("--seed 1 --help"), Ok(Command::Help));
        assert_eq!(run("-V"), Ok(Command::Version));
    }

    #[test]
    fn other_machines_are_let_in_only_on_purpose() {
        let refusal = run("--listen 0.0.0.0:8420").expect_err("not by accident");
        assert!(refusal.contains("--allow-remote"), "{refusal}");
        assert!(run("--allow-remote --listen 0.0.0.0:8420").is_ok());
        let refusal = run("--tls --plain-listen 0.0.0.0:8421").expect_err("nor by the second port");
        assert!(refusal.contains("0.0.0.0:8421") && refusal.contains("--allow-remote"), "{refusal}");
        assert!(run("--listen localhost:0").is_ok());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (arguments, part) in [
            ("--port 1", "--port"),
            ("extra", "extra"),
            ("--listen", "--listen"),
            ("--data", "--data"),
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
            ("--tls=yes", "yes"),
            ("--tls-ca-out ca.pem", "add --tls"),
            ("--plain-listen 127.0.0.1:0", "add --tls"),
            ("--tls --plain-listen 8421", "127.0.0.1:8420"),
            ("--faults", "--faults"),
            ("--idle-close 0", "1 or more"),
            ("--idle-close soon", "soon"),
        ] {
            let refusal = run(arguments).expect_err(arguments);
            assert!(refusal.contains(part), "{arguments}: {refusal}");
        }
    }
}
