//! The program's command line: its help text, its options and their error messages.

mod flags;
mod phoenixd;
mod webhook;

use std::ffi::OsString;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use strike_core::{ApiKey, InvalidInput, Network};
use strike_sandbox::{Phoenixd, Quirks, Settlement, Webhook};

use self::flags::Flags;

pub(crate) const HELP: &str = "\
A local server with the Strike charge API and phoenixd's API, for tests and demonstrations.

Usage: strike-sandbox [OPTIONS]

Options:
      --listen ADDRESS   Listen on this address and port [default: 127.0.0.1:8420]
                         Port 0 selects a free port. localhost:PORT listens on 127.0.0.1 and ::1
      --tls              Serve HTTPS, with a certificate that is created at each start
      --tls-ca-out FILE  Write the certificate authority that clients must trust to this PEM file
                         [default: a temporary file, deleted when the program stops]
      --plain-listen ADDRESS
                         With --tls: also serve plain HTTP on this address and port
      --allow-remote     Allow addresses that other machines can reach. Everyone who can reach the
                         sandbox can pay charges
      --api-key KEY      API key of the account [default: random]
      --network NETWORK  bitcoin, testnet, signet or regtest [default: testnet]
                         Invoices are test invoices on every network: nobody can pay them
      --seed N           Generate keys, ids and preimages from this number, the same in every run
      --data FILE        Store charges in this SQLite file [default: in memory]
      --settle HOW       How charges are paid: instant, or lightning for payments over a real
                         Lightning channel inside the program [default: instant]
      --faults FILE      Inject the faults in this JSON file. See also /sandbox/faults
      --idle-close SECONDS
                         Close connections that are idle for this long [default: 75]
      --json             Print the addresses and the keys as one line of JSON:
                         {\"base_url\": ..., \"api_key\": ..., \"phoenixd_url\": ...,
                         \"phoenixd_password\": ..., \"phoenixd_full_password\": ...,
                         \"phoenixd_webhook_secret\": ...}, with --tls also \"ca_cert\" (a path),
                         with --plain-listen also \"plain_base_url\"
  -h, --help             Print this help
  -V, --version          Print the version

Older or stricter behavior:
      --timestamps-in-seconds   Send created and updated in seconds, as in April 2018
      --long-ids                Use ids of 44 characters instead of 29, as in April 2018
      --invoices-of-2018        Sign invoices without payment secret and feature bits, as in 2018
      --description-required    Reject charges without a description
      --largest-page N          Return at most N charges per page of a list [default: 1000]

Behavior that clients must tolerate:
      --requests-per-minute N   Respond 429 to more than N requests per minute
      --without-retry-after     Omit the Retry-After header from 429 responses
      --extra-keys              Add unknown keys to every JSON object
      --list-lag MS             Show new charges in lists only after MS milliseconds
      --fail-before-create N    Respond 500 to every Nth create, and create no charge
      --fail-after-create N     Respond 500 to every Nth create, but create the charge

Webhooks (one request per payment, sent once by default):
      --webhook URL             Post webhooks to this http or https URL, without credentials
      --webhook-timeout MS      Response timeout, in real time [default: 10000]
      --webhook-repeat N        Send the webhook of each payment N times
      --webhook-delay MS        Send webhooks this long after the payment
      --webhook-reorder MS      Delay each webhook by a random time of up to MS
      --webhook-drop-every N    Drop every Nth webhook
      --webhook-drop PERCENT    Drop this percentage of webhooks, at random
      --webhook-attempts N      Retry until a 2xx response, up to N attempts
      --webhook-backoff MS      Delay before the second attempt, doubled for each further one
                                [default: 1000]
      --webhook-ca FILE         Trust these PEM certificates instead of the public authorities

phoenixd's API (the same charges, on the same port):
      --phoenixd-password TEXT       Password for receiving [default: derived from the seed]
      --phoenixd-full-password TEXT  Password for everything [default: derived from the seed]
      --phoenixd-webhook URL         Post webhooks in phoenixd's format to this URL, once per payment
      --phoenixd-webhook-secret TEXT Key of the webhooks' signatures [default: derived from the seed]
      --phoenixd-fee MSAT            Subtract this fee from each payment, in millisatoshi [default: 0]
      --phoenixd-fee-credit SAT      Show this fee credit in getbalance [default: 0]
      --phoenixd-opens-after MS      Refuse connections to all ports for this long after the start
";

/// What the arguments ask for.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
#[expect(clippy::large_enum_variant, reason = "there is one in the whole program")]
pub(crate) enum Command {
    Run(Options),
    Help,
    Version,
}

/// The options of a run. It has no `Debug` outside of tests, since it holds the API key.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(crate) struct Options {
    pub(crate) listen: Listen,
    pub(crate) tls: bool,
    pub(crate) tls_ca_out: Option<PathBuf>,
    pub(crate) plain_listen: Option<Listen>,
    pub(crate) api_key: Option<String>,
    pub(crate) network: Network,
    pub(crate) seed: Option<u64>,
    pub(crate) settlement: Settlement,
    pub(crate) quirks: Quirks,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) webhook_ca: Option<PathBuf>,
    pub(crate) phoenixd: Phoenixd,
    pub(crate) data: Option<PathBuf>,
    pub(crate) faults: Option<PathBuf>,
    pub(crate) idle_close: Option<Duration>,
    pub(crate) json: bool,
}

/// The address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    At(SocketAddr),
    /// 127.0.0.1 and ::1, with this port.
    Localhost(u16),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Localhost(port) => write!(f, "localhost:{port}"),
        }
    }
}

impl Listen {
    pub(crate) fn port(self) -> u16 {
        match self {
            Self::At(address) => address.port(),
            Self::Localhost(port) => port,
        }
    }

    /// Returns the same address with port 0, which selects a free port.
    pub(crate) fn with_free_port(self) -> Self {
        match self {
            Self::At(address) => Self::At((address.ip(), 0).into()),
            Self::Localhost(_) => Self::Localhost(0),
        }
    }

    fn is_loopback(self) -> bool {
        match self {
            Self::At(address) => address.ip().is_loopback(),
            Self::Localhost(_) => true,
        }
    }
}

/// Parses the arguments that follow the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut options = Options {
        listen: Listen::At((Ipv4Addr::LOCALHOST, 8420).into()),
        tls: false,
        tls_ca_out: None,
        plain_listen: None,
        api_key: None,
        network: Network::Testnet,
        seed: None,
        settlement: Settlement::Instant,
        quirks: Quirks::new(),
        webhook: None,
        webhook_ca: None,
        phoenixd: Phoenixd::new(),
        data: None,
        faults: None,
        idle_close: None,
        json: false,
    };
    let mut webhook = webhook::Options::default();
    let mut allow_remote = false;
    let mut flags = Flags::new(arguments);
    while let Some(name) = flags.next()? {
        match name.as_str() {
            "listen" => options.listen = flags.value(LISTEN, listen)?,
            "tls" => options.tls = true,
            "tls-ca-out" => options.tls_ca_out = Some(flags.file()?),
            "plain-listen" => options.plain_listen = Some(flags.value(LISTEN, listen)?),
            "allow-remote" => allow_remote = true,
            "api-key" => options.api_key = Some(flags.secret("a key", api_key)?),
            "network" => {
                let rule = "bitcoin, testnet, signet or regtest";
                options.network = flags.value(rule, |text| text.parse().ok())?;
            }
            "seed" => options.seed = Some(flags.number(0..=u64::MAX)?),
            "settle" => options.settlement = flags.value(SETTLE, settlement)?,
            "data" => options.data = Some(flags.file()?),
            "faults" => options.faults = Some(flags.file()?),
            "idle-close" => options.idle_close = Some(Duration::from_secs(flags.number(1..=YEAR)?)),
            "json" => options.json = true,
            "help" => return Ok(Command::Help),
            "version" => return Ok(Command::Version),
            "timestamps-in-seconds" => options.quirks = options.quirks.timestamps_in_seconds(),
            "long-ids" => options.quirks = options.quirks.long_ids(),
            "invoices-of-2018" => options.quirks = options.quirks.invoices_of_2018(),
            "description-required" => options.quirks = options.quirks.description_required(),
            "largest-page" => options.quirks = options.quirks.largest_page(flags.number(1..=usize::MAX)?),
            "requests-per-minute" => {
                options.quirks = options.quirks.requests_per_minute(flags.number(1..=u32::MAX)?);
            }
            "without-retry-after" => options.quirks = options.quirks.without_retry_after(),
            "extra-keys" => options.quirks = options.quirks.extra_keys(),
            "list-lag" => {
                let lag = Duration::from_millis(flags.number(0..=1000 * YEAR)?);
                options.quirks = options.quirks.list_lag(lag);
            }
            "fail-before-create" => {
                options.quirks = options.quirks.fail_before_create(flags.number(1..=u64::MAX)?);
            }
            "fail-after-create" => {
                options.quirks = options.quirks.fail_after_create(flags.number(1..=u64::MAX)?);
            }
            _ if name.starts_with("phoenixd-") => {
                options.phoenixd = phoenixd::read(&name, &mut flags, options.phoenixd)?;
            }
            _ => webhook.read(&name, &mut flags)?,
        }
    }
    if !options.tls && options.tls_ca_out.is_some() {
        return Err("--tls-ca-out: needs --tls".to_owned());
    }
    if !options.tls && options.plain_listen.is_some() {
        return Err("--plain-listen: needs --tls; without it, --listen already serves plain HTTP".to_owned());
    }
    let addresses = [("listen", Some(options.listen)), ("plain-listen", options.plain_listen)];
    for (name, address) in addresses.into_iter().filter_map(|(name, address)| Some((name, address?))) {
        if !allow_remote && !address.is_loopback() {
            return Err(format!(
                "--{name}: other machines can reach {address}; add --allow-remote if they may use the sandbox"
            ));
        }
    }
    (options.webhook, options.webhook_ca) = webhook.finish()?;
    Ok(Command::Run(options))
}

const LISTEN: &str = "an address and a port, such as 127.0.0.1:8420 or localhost:0";

/// One year in seconds, the longest time that an option accepts. Longer times could overflow a clock.
const YEAR: u64 = 365 * 24 * 60 * 60;

/// Parses an address with its port. `localhost` is the only host name, since other names can change their address.
fn listen(text: &str) -> Option<Listen> {
    match text.rsplit_once(':') {
        Some((host, port)) if host.eq_ignore_ascii_case("localhost") => {
            port.parse().ok().map(Listen::Localhost)
        }
        _ => text.parse().ok().map(Listen::At),
    }
}

/// Parses an API key with the rule of the client library. No client could use any other key.
fn api_key(text: &str) -> Result<String, InvalidInput> {
    ApiKey::new(text).map(|_| text.to_owned())
}

#[cfg(feature = "lightning")]
const SETTLE: &str = "instant or lightning";
#[cfg(not(feature = "lightning"))]
const SETTLE: &str = "instant (or lightning, if the program is built with the feature lightning)";

fn settlement(text: &str) -> Option<Settlement> {
    match text {
        "instant" => Some(Settlement::Instant),
        #[cfg(feature = "lightning")]
        "lightning" => Some(Settlement::Lightning),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
