//! The quickstart examples at a real LNbits, as a reader runs them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::server::Lnbits;
use crate::wallet::Wallet;

/// How long an example may take to print its next line.
const LINE: Duration = Duration::from_secs(60);

/// An example that is running. It ends when this is dropped.
struct Example {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Example {
    fn start(name: &str, lnbits: &Lnbits, shop: &Wallet) -> Self {
        // Cargo writes tests into a folder beside the examples. `.ci/lnbits` has compiled the examples.
        let test = std::env::current_exe().unwrap();
        let folder = test.ancestors().nth(2).unwrap().join("examples");
        let mut command = Command::new(folder.join(name));
        command
            .env("STRIKE_BACKEND", "lnbits")
            .env("STRIKE_BASE_URL", lnbits.url())
            .env("STRIKE_API_KEY", &shop.invoice_key)
            .env("STRIKE_NETWORK", "bitcoin")
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Returns the rest of the next line that begins with these words.
    fn until(&self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(LINE);
            let line = line.unwrap_or_else(|error| panic!("the example does not print `{words}`: {error}"));
            println!("{line}");
            if let Some(rest) = line.strip_prefix(words) {
                return rest.to_owned();
            }
        }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs LNbits: run .ci/lnbits"]
fn quickstarts_take_a_payment_through_lnbits() {
    let lnbits = Lnbits::shared();
    let (shop, payer) = (Wallet::new(&lnbits, "shop"), Wallet::funded(&lnbits, "payer"));
    for name in ["quickstart", "quickstart_blocking"] {
        let mut example = Example::start(name, &lnbits, &shop);
        let payment_request = example.until("payment request: ");
        assert_eq!(example.until("paid: "), "false", "{name}");
        payer.pay(&payment_request);
        assert_eq!(example.until("paid: "), "true", "{name}");
        assert!(example.child.wait().unwrap().success(), "{name}");
    }
}
