//! Runs LNbits on a free port and in a folder of its own, until it is dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use strike_blocking::{Transport, UreqTransport};
use strike_core::http::{Method, Request, StatusCode};
use strike_core::{Exchange, HttpResponse, UnixMillis};
use tempfile::TempDir;

/// The Python of an environment with LNbits. `.ci/lnbits` makes the environment and sets this.
const PYTHON: &str = "STRIKE_LNBITS_PYTHON";

/// How long LNbits may take to start. It takes 2 s on an idle machine.
const START: Duration = Duration::from_secs(120);

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(60);

/// The largest response that is read, in bytes: 1000 rows take 1.2 MB.
const MAX_BODY: usize = 8 << 20;

/// Settings for all tests: LNbits sends no request to the internet, and accepts many requests.
const SETTINGS: [(&str, &str); 9] = [
    ("LNBITS_ADMIN_UI", "true"),
    ("LNBITS_CALLBACK_ALLOW_PRIVATE_IPS", "true"),
    ("LNBITS_CALLBACK_URL_RULES", "[]"),
    ("LNBITS_EXCHANGE_RATE_PROVIDERS", "[]"),
    ("LNBITS_EXTENSIONS_DEACTIVATE_ALL", "true"),
    ("LNBITS_EXTENSIONS_MANIFESTS", "[]"),
    ("LNBITS_PRICE_AGGREGATOR_ENABLED", "false"),
    ("LNBITS_RATE_LIMIT_NO", "1000000"),
    ("LNBITS_WASM_EXTENSIONS_MANIFESTS", "[]"),
];

/// A running LNbits. It ends when this is dropped, or when the test process ends.
pub struct Lnbits {
    url: String,
    http: UreqTransport,
    /// The superuser's token.
    token: String,
    process: Process,
    _folder: TempDir,
}

struct Process {
    child: Child,
    /// What it has printed so far.
    log: Arc<Mutex<String>>,
}

impl Lnbits {
    /// Returns an LNbits whose wallets pay each other. Tests that run at the same time share it.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Lnbits>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Self::start(&[("LNBITS_BACKEND_WALLET_CLASS", "FakeWallet")]));
            *shared = Arc::downgrade(&new);
            new
        })
    }

    /// Starts an LNbits with these settings, and creates its superuser.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let mut new = Self::uninstalled(settings);
        let superuser =
            json!({ "username": "admin", "password": "of a test", "password_repeat": "of a test" });
        let (status, response) = new.call(Method::PUT, "/api/v1/auth/first_install", &[], Some(&superuser));
        assert_eq!(status, 200, "{response}");
        new.token = response["access_token"].as_str().unwrap().to_owned();
        new
    }

    /// Starts an LNbits without a superuser. It redirects every request.
    pub fn uninstalled(settings: &[(&str, &str)]) -> Self {
        let python = std::env::var_os(PYTHON)
            .unwrap_or_else(|| panic!("{PYTHON} is not set: run these tests with .ci/lnbits"));
        // LNbits waits for the disk hundreds of times when it starts.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = TempDir::with_prefix_in("strike-lnbits-", parent).unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let mut command = Command::new(python);
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/start.py"))
            .current_dir(folder.path())
            .envs(SETTINGS)
            .envs(settings.iter().copied())
            .env("LNBITS_DATA_FOLDER", &data)
            .env("LNBITS_EXTENSIONS_PATH", &data);
        let (process, url) = Process::start(command);
        let http = UreqTransport::new().unwrap();
        Self { url, http, token: String::new(), process, _folder: folder }
    }

    /// Returns the URL, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns everything that LNbits has printed.
    pub fn log(&self) -> String {
        self.process.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a request, and returns the status and the JSON of the response.
    pub fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let response = self.send(method, path, headers, body);
        (response.status(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> HttpResponse {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body.map(Value::to_string).unwrap_or_default().into_bytes()).unwrap();
        let reply = self.http.exchange(Exchange::new(request, REQUEST, MAX_BODY));
        reply.unwrap_or_else(|error| panic!("{path}: {error:?}; LNbits printed:\n{}", self.log()))
    }

    /// Waits until the clock of LNbits shows this time, without a look at any charge.
    pub fn wait_until(&self, time: UnixMillis) {
        loop {
            let (_, health) = self.call(Method::GET, "/api/v1/health", &[], None);
            if health["server_time"].as_u64().unwrap() >= time.as_millis() / 1000 {
                return;
            }
        }
    }

    /// Waits until LNbits has printed these words.
    pub fn wait_for_log(&self, words: &str) {
        let end = Instant::now() + START;
        while !self.log().contains(words) {
            assert!(Instant::now() < end, "LNbits did not print {words:?}, but:\n{}", self.log());
            // Takes a little while, and shows whether LNbits is alive.
            self.call(Method::GET, "/api/v1/health", &[], None);
        }
    }

    /// Sends a request of the superuser.
    pub fn administer(&self, method: Method, path: &str, body: &Value) -> Value {
        let token = format!("Bearer {}", self.token);
        let (status, response) = self.call(method, path, &[("authorization", &token)], Some(body));
        assert!(status.is_success(), "{path}: {status} {response}");
        response
    }
}

impl Process {
    /// Starts the command, and waits until it listens.
    fn start(mut command: Command) -> (Self, String) {
        // The launcher ends when its standard input is closed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let log = Arc::new(Mutex::new(String::new()));
        let process = Self { child, log: Arc::clone(&log) };
        let (listening, address) = mpsc::channel();
        // Reads on until the end, since a full pipe would block LNbits.
        std::thread::spawn(move || {
            for line in lines {
                if let Some((_, rest)) = line.split_once("Uvicorn running on ") {
                    let _ = listening.send(rest.split(' ').next().unwrap_or_default().to_owned());
                }
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
            }
        });
        let url = address.recv_timeout(START).unwrap_or_else(|error| {
            let log = process.log.lock().unwrap_or_else(PoisonError::into_inner);
            panic!("LNbits does not listen ({error}). It printed:\n{log}")
        });
        (process, url)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
