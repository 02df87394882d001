//! A client for a test: on a cassette, or on a host while that cassette is recorded again.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use strike_blocking::fixture::{Cassette, RecordTransport, ReplayTransport, START};
use strike_blocking::{ApiKey, Charge, Client, Endpoint, Network, UreqTransport};
use strike_sandbox::{RunningSandbox, Sandbox};

/// A client whose exchanges are played, or recorded.
#[derive(Debug)]
pub struct Tape {
    client: Client,
    side: Side,
}

#[derive(Debug)]
enum Side {
    Playing(ReplayTransport),
    Recording { transport: RecordTransport<UreqTransport>, file: PathBuf, sandbox: Option<RunningSandbox> },
}

/// The cassette of that name in `examples/fixtures`, to be played: offline, and in virtual time.
///
/// With `STRIKE_RECORD=1` it is recorded again instead, from a sandbox that always answers the same, or from the host that
/// `STRIKE_BASE_URL`, `STRIKE_API_KEY` and `STRIKE_NETWORK` name. Look at what a real account has said before you commit it.
///
/// # Errors
/// If there is no such file, if it is not a cassette, or if the host cannot be set up.
pub fn tape(name: &str) -> Result<Tape, Box<dyn Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    match crate::variable("STRIKE_RECORD")?.as_deref() {
        None => play(&fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?),
        Some("1") => record(file),
        Some(_) => Err("STRIKE_RECORD is 1 to record, or not set to play".into()),
    }
}

fn play(json: &str) -> Result<Tape, Box<dyn Error>> {
    let cassette: Cassette = json.parse()?;
    // Whichever host it was recorded from, its paths are what it has in common with the one that is not there.
    let base = cassette.entries().first().and_then(|entry| entry.path_and_query().split_once("/charges"));
    let base = format!("http://127.0.0.1{}/", base.map_or("", |(base, _)| base));
    let network = crate::variable("STRIKE_NETWORK")?.map_or(Ok(Network::Testnet), |name| name.parse())?;
    let replay = ReplayTransport::strict(cassette);
    let at = Endpoint::new(&base, ApiKey::new("sk_of_no_account")?, network)?;
    let client = replay.client(at).build()?;
    Ok(Tape { client, side: Side::Playing(replay) })
}

fn record(file: PathBuf) -> Result<Tape, Box<dyn Error>> {
    let host = crate::host_or(Sandbox::builder().seed(7).clock_at(START))?;
    let transport = RecordTransport::new(UreqTransport::new()?);
    let client = Client::builder(host.endpoint).transport(transport.clone()).build()?;
    Ok(Tape { client, side: Side::Recording { transport, file, sandbox: host.sandbox } })
}

impl Tape {
    /// The client.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Pays a charge: nothing has to be done for one that is played, the sandbox does it, and at any other host you do.
    ///
    /// # Errors
    /// If the sandbox refuses, since its invoice has expired, say.
    #[expect(clippy::print_stdout, reason = "examples talk to people")]
    pub fn pay(&self, charge: &Charge) -> Result<(), Box<dyn Error>> {
        match &self.side {
            Side::Playing(_) => {}
            Side::Recording { sandbox: Some(sandbox), .. } => drop(sandbox.pay(charge.id())?),
            Side::Recording { sandbox: None, .. } => println!("please pay {}", charge.payment_request()),
        }
        Ok(())
    }

    /// Ends the test: everything must have been played, or what was recorded is written.
    ///
    /// # Errors
    /// If something was sent that was not recorded, if something recorded was not sent, or if the file cannot be written.
    pub fn finish(self) -> Result<(), Box<dyn Error>> {
        match &self.side {
            Side::Playing(replay) => replay.finish()?,
            Side::Recording { transport, file, .. } => fs::write(file, transport.cassette()?.to_json()?)?,
        }
        Ok(())
    }
}
