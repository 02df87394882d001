//! Starts the shop as a program, for its own tests and for those in a browser.
#![allow(dead_code, unreachable_pub, reason = "each test program uses its part")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use strike_sandbox::RunningSandbox;
use tempfile::TempDir;

/// How long a test waits for what must happen.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Calls a function until it returns a value.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// The settings of a shop, and the folder with its database.
pub struct Setup {
    program: PathBuf,
    folder: Arc<TempDir>,
    listen: String,
    variables: Vec<(&'static str, String)>,
}

impl Setup {
    /// A shop on its own sandbox.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let folder = TempDir::with_prefix("strike-coffee-").expect("a folder");
        Self {
            program: program.into(),
            folder: Arc::new(folder),
            listen: "127.0.0.1:0".to_owned(),
            variables: Vec::new(),
        }
    }

    /// A shop on a sandbox of the test.
    pub fn on(program: impl Into<PathBuf>, sandbox: &RunningSandbox) -> Self {
        Self::new(program)
            .variable("STRIKE_BASE_URL", sandbox.base_url())
            .variable("STRIKE_API_KEY", sandbox.api_key())
            .variable("STRIKE_NETWORK", sandbox.network().as_str())
    }

    pub fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Makes the next shops listen where this one does.
    pub fn keep_address_of(&mut self, shop: &Shop) {
        shop.address().clone_into(&mut self.listen);
    }

    /// Returns the URL of the shop's database.
    pub fn database(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("coffee.db").display())
    }

    /// Starts a shop that must fail. Returns its error.
    pub fn error(&self) -> String {
        let output = self.command().stderr(Stdio::piped()).output().expect("the shop starts");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).expect("text")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.folder.path()).env_clear().env("COFFEE_LISTEN", &self.listen);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    /// Starts a shop, and waits until it takes orders.
    pub fn start(&self) -> Shop {
        let mut child = self.command().spawn().expect("the shop starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = mpsc::channel();
        // Keep reading, since a full pipe would block the shop.
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        let first = lines.recv_timeout(DEADLINE).expect("the shop prints its address");
        let url = first.strip_prefix("coffee shop: ").expect("an address").trim_end_matches('/').to_owned();
        Shop { child, url, lines: Mutex::new(lines), _folder: Arc::clone(&self.folder) }
    }
}

/// A running shop. It is killed when it is dropped.
pub struct Shop {
    child: Child,
    /// Its URL, without a slash at the end.
    pub url: String,
    lines: Mutex<mpsc::Receiver<String>>,
    _folder: Arc<TempDir>,
}

impl Shop {
    /// Returns host and port.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").expect("a URL")
    }

    /// Returns the next line that it prints.
    pub fn line(&self) -> String {
        self.lines.lock().expect("no test has failed").recv_timeout(DEADLINE).expect("a line")
    }

    /// Kills it without a chance to clean up, as SIGKILL does.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(status.success(), "kill -s {name}: {status}");
    }

    /// Waits until it has ended.
    pub fn ended(mut self) -> ExitStatus {
        until("the shop ends", || self.child.try_wait().expect("a status"))
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
