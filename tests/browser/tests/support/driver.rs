//! Starts chromedriver on a free port, and stops it and its browsers at the end of each test, also of a failed one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

/// If this variable is set, the tests fail without a browser. Otherwise they are skipped.
const REQUIRE: &str = "STRIKE_REQUIRE_BROWSER";

pub(crate) struct Driver {
    child: Child,
    address: SocketAddr,
    /// Is disconnected once the driver and its browsers have exited, which closes their output.
    exited: mpsc::Receiver<()>,
    /// The browser's temporary files.
    _folder: TempDir,
}

impl Driver {
    /// Starts the driver. Without one, prints that the test is skipped and returns `None`.
    pub(crate) fn start() -> Option<Self> {
        // chromedriver picks a free IPv4 port and exits if the same IPv6 port is taken, or the other way round.
        let mut tries = (0..10).map(|_| Self::try_start());
        match tries.find_map(Result::transpose) {
            Some(Ok(driver)) => Some(driver),
            Some(Err(error)) => {
                let missing = format!("chromedriver does not start: {error}");
                assert!(std::env::var_os(REQUIRE).is_none(), "{missing}, and {REQUIRE} is set");
                // Not `println!`, since the test harness captures it.
                let _ =
                    writeln!(std::io::stderr(), "\n*** SKIPPED, NOT TESTED: no browser here ({missing}) ***");
                None
            }
            None => panic!("chromedriver ended ten times before it listened"),
        }
    }

    /// Returns `None` if the driver exits at once.
    fn try_start() -> std::io::Result<Option<Self>> {
        let folder = TempDir::with_prefix("strike-browser-")?;
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("TMPDIR", folder.path()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            line.rsplit_once("successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok()
        });
        let Some(port) = port else {
            child.wait()?;
            return Ok(None);
        };
        let (running, exited) = mpsc::channel();
        // Keep reading, since a full pipe would block the driver and its browsers.
        std::thread::spawn(move || {
            lines.for_each(drop);
            drop(running);
        });
        Ok(Some(Self { child, address: (Ipv4Addr::LOCALHOST, port).into(), exited, _folder: folder }))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks the driver to exit with its browsers.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET /shutdown HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // If this fails, killing the driver closes the pipe to the browser, which then exits too.
        let _ = self.shut_down();
        let _ = self.exited.recv_timeout(Duration::from_secs(10));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
