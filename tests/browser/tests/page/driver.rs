//! Chromium's driver, on a port of its own; whatever becomes of the test, driver and browser end with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

/// If set, a machine without a browser fails the tests instead of skipping them.
const REQUIRE: &str = "STRIKE_REQUIRE_BROWSER";

pub(crate) struct Driver {
    child: Child,
    address: SocketAddr,
    /// Ends when nobody is left who could print: neither driver nor browser.
    over: mpsc::Receiver<()>,
    /// What the browser keeps while it runs.
    _folder: TempDir,
}

impl Driver {
    /// Nothing, said aloud, where there is no driver.
    pub(crate) fn start() -> Option<Self> {
        // It takes a free port of one kind of address, and then wants the same of the other: that may be taken.
        let mut tries = (0..10).map(|_| Self::try_start());
        match tries.find_map(Result::transpose) {
            Some(Ok(driver)) => Some(driver),
            Some(Err(error)) => {
                let missing = format!("chromedriver does not start: {error}");
                assert!(std::env::var_os(REQUIRE).is_none(), "{missing}, and {REQUIRE} is set");
                // Not with println!, which the test harness keeps to itself.
                let _ =
                    writeln!(std::io::stderr(), "\n*** SKIPPED, NOT TESTED: no browser here ({missing}) ***");
                None
            }
            None => panic!("chromedriver ended ten times before it listened"),
        }
    }

    /// Nothing if it ends at once.
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
        let (running, over) = mpsc::channel();
        // Whatever else it prints must not fill the pipe, which its browsers have, too.
        std::thread::spawn(move || {
            lines.for_each(drop);
            drop(running);
        });
        Ok(Some(Self { child, address: (Ipv4Addr::LOCALHOST, port).into(), over, _folder: folder }))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks it to end itself and its browsers.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET /shutdown HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The browser hangs on a pipe of the driver's, and ends with it even if this fails.
        let _ = self.shut_down();
        let _ = self.over.recv_timeout(Duration::from_secs(10));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
