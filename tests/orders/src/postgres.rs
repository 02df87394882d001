//! Runs a PostgreSQL in a temporary folder, on a Unix socket, until it is dropped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Settings for all tests. Without `fsync`, a commit is lost only if the operating system fails.
/// A commit is in the page cache before it is confirmed, so it survives an immediate stop.
const SETTINGS: [(&str, &str); 5] = [
    ("listen_addresses", ""),
    ("max_connections", "300"),
    ("fsync", "off"),
    ("log_line_prefix", "%m %d "),
    ("timezone", "UTC"),
];

/// The accounts that run the server if the tests run as root, which PostgreSQL refuses to run as.
const ORDINARY_USERS: [&str; 2] = ["postgres", "nobody"];

/// Waits until its standard input is closed, and ends the server then. So the server ends with the
/// tests even if they are killed. An `initdb` that still runs may write to the folder meanwhile.
const GUARD: &str = r#"trap '' HUP INT TERM
cat > /dev/null
"$1/pg_ctl" stop --silent --mode immediate --pgdata "$2/data" > /dev/null 2>&1
for try in 1 2 3 4 5; do rm -rf "$2" 2> /dev/null && exit; sleep 1; done
"#;

/// How to stop the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests")]
pub enum Stop {
    /// Disconnects every client, and writes a checkpoint.
    Fast,
    /// Ends at once, as in a crash. The next start recovers from the log.
    Immediate,
}

/// A PostgreSQL server. It ends when this is dropped, or when the test process ends.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    folder: PathBuf,
    databases: AtomicU32,
    guard: Child,
}

impl Cluster {
    /// Returns a server that tests in this process share. Each test creates its own
    /// [`database`](Self::database).
    ///
    /// # Panics
    /// If PostgreSQL is not installed.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Self::start(&[]));
            *shared = Arc::downgrade(&new);
            new
        })
    }

    /// Starts a server with these settings of `postgresql.conf`.
    ///
    /// # Panics
    /// If PostgreSQL is not installed.
    #[must_use]
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let programs = Programs::find();
        let folder = programs.run("mktemp", &["-d", "-t", "strike-postgres-XXXXXX"]);
        let folder = PathBuf::from(folder.trim());
        let mut command = programs.command("sh");
        command.args(["-c", GUARD, "guard"]).arg(&programs.bin).arg(&folder);
        let guard = command.stdin(Stdio::piped()).spawn().unwrap();
        let cluster = Self { programs, folder, databases: AtomicU32::new(0), guard };
        let data = format!("{}/data", cluster.folder.display());
        cluster.programs.run(
            "initdb",
            &["--no-sync", "--auth=trust", "--username=strike", "--encoding=UTF8", "--locale=C", "-D", &data],
        );
        let socket = cluster.folder.display().to_string();
        let own = [("unix_socket_directories", socket.as_str())];
        for (name, value) in SETTINGS.iter().chain(settings).chain(&own) {
            cluster.configure(name, value);
        }
        cluster.resume();
        cluster
    }

    /// Creates an empty database, and returns its URL.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create database {name}"));
        self.url(&name)
    }

    /// Returns the URL of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://strike@localhost/{database}?host={}", self.folder.display())
    }

    /// Runs SQL with psql in a database, and returns its output: a line for each row, with `|`
    /// between the columns.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let (bare, tuples) = ("--no-psqlrc", "--tuples-only");
        self.programs.run(
            "psql",
            &[bare, "-q", tuples, "-A", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", sql],
        )
    }

    /// Stops the server.
    pub fn stop(&self, how: Stop) {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        self.control("stop", &["--mode", mode]);
    }

    /// Starts the server after a [`stop`](Self::stop), and waits until it accepts connections.
    pub fn resume(&self) {
        self.control("start", &["--wait", "--log", &self.folder.join("log").display().to_string()]);
    }

    /// Stops the server and starts it again. Every connection breaks.
    pub fn restart(&self, how: Stop) {
        self.stop(how);
        self.resume();
    }

    /// Returns everything that the server has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Adds a setting. A later value of the same setting replaces an earlier one.
    fn configure(&self, name: &str, value: &str) {
        use std::io::Write as _;
        let path = self.folder.join("data/postgresql.conf");
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        writeln!(file, "{name} = '{value}'").unwrap();
    }

    fn control(&self, action: &str, arguments: &[&str]) {
        let data = self.folder.join("data");
        let mut command = self.programs.command("pg_ctl");
        command.arg(action).args(["--silent", "--pgdata"]).arg(data).args(arguments);
        // The server would keep a pipe open.
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "pg_ctl {action}: {status}; PostgreSQL logged:\n{}", self.log());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The programs of PostgreSQL, and how to run them.
#[derive(Debug)]
struct Programs {
    bin: PathBuf,
    /// The program and arguments that change to an ordinary user.
    prefix: Vec<OsString>,
}

impl Programs {
    fn find() -> Self {
        let bin = newest_bin().unwrap_or_else(|| {
            panic!(
                "PostgreSQL is not installed: `initdb` is neither in PATH nor below /usr/lib/postgresql; \
                 run these tests with .ci/postgres"
            )
        });
        let is_root = output(Command::new("id").arg("-u")).trim() == "0";
        let prefix = if is_root { ordinary_user() } else { Vec::new() };
        Self { bin, prefix }
    }

    /// Returns a command that runs a program of PostgreSQL or of the system.
    fn command(&self, program: &str) -> Command {
        let own = self.bin.join(program);
        let program = if own.exists() { own.into_os_string() } else { program.into() };
        let mut words = self.prefix.iter().chain([&program]);
        let mut command = Command::new(words.next().unwrap());
        // The user may have no access to the current folder.
        command.args(words).current_dir("/");
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        output(self.command(program).args(arguments))
    }
}

/// Returns the folder with `initdb`: of PATH, else the newest of Debian's.
fn newest_bin() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let of_path = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    of_path.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let bins = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
        bins.filter(|bin| bin.join("initdb").exists()).max_by_key(|bin| version_of(bin))
    })
}

/// Returns the version in a path such as `/usr/lib/postgresql/15/bin`.
fn version_of(bin: &Path) -> Option<u32> {
    bin.parent()?.file_name()?.to_str()?.parse().ok()
}

/// Returns the command that runs a program as an ordinary user.
fn ordinary_user() -> Vec<OsString> {
    let exists = |user: &&&str| Command::new("id").arg(user).output().is_ok_and(|id| id.status.success());
    let user = ORDINARY_USERS.iter().find(exists);
    let user = user.unwrap_or_else(|| {
        panic!("PostgreSQL does not run as root, and there is no user {ORDINARY_USERS:?}")
    });
    let group = output(Command::new("id").args(["-g", user]));
    let arguments =
        [format!("--reuid={user}"), format!("--regid={}", group.trim()), "--clear-groups".to_owned()];
    std::iter::once("setpriv".into()).chain(arguments.map(OsString::from)).collect()
}

/// Runs a command, and returns what it prints.
fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{text}{errors}", output.status);
    text.into_owned()
}
