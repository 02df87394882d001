//! The shop: several worker processes on one database, as behind a load balancer.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::commands::{Action, Outcome};
use crate::host::Host;
use crate::process::{Gone, Process};
use crate::record::Record;

/// How the processes of a shop are started.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The program `order-worker`.
    pub program: PathBuf,
    /// How many processes there are.
    pub processes: u64,
    /// The URL of the database.
    pub database: String,
    /// How long the lease of a killed process lasts, in milliseconds.
    pub lease_ms: u64,
    /// The seed of the crashes, if the processes crash by themselves.
    pub rough: Option<u64>,
}

/// The processes. Cloning is cheap.
#[derive(Clone)]
pub struct Shop {
    processes: Arc<Vec<Arc<Process>>>,
    supervisors: Arc<Mutex<Vec<JoinHandle<()>>>>,
    errors: Arc<NamedTempFile>,
}

impl Shop {
    /// Starts the processes.
    #[must_use]
    pub fn open(setup: &Setup, host: &Host, record: &Arc<Record>) -> Self {
        let errors = Arc::new(NamedTempFile::new().unwrap());
        let starts = Arc::new(AtomicU64::new(0));
        let start = || {
            let (setup, variables) = (setup.clone(), host.variables());
            let (starts, errors) = (Arc::clone(&starts), Arc::clone(&errors));
            move || {
                let start = starts.fetch_add(1, Ordering::Relaxed);
                let mut command = Command::new(&setup.program);
                command.envs(variables.iter().map(|(name, value)| (name, value)));
                command.env("DATABASE_URL", &setup.database);
                command.env("WORKER_LEASE_MS", setup.lease_ms.to_string());
                if let Some(seed) = setup.rough {
                    command.env("WORKER_ROUGH", seed.wrapping_mul(1_000_003).wrapping_add(start).to_string());
                }
                let errors = std::fs::OpenOptions::new().append(true).open(errors.path()).unwrap();
                command.stderr(Stdio::from(errors));
                command
            }
        };
        let all = (0..setup.processes).map(|_| Process::supervise(Arc::clone(record), start()));
        let (processes, supervisors): (Vec<_>, Vec<_>) = all.unzip();
        Self { processes: Arc::new(processes), supervisors: Arc::new(supervisors.into()), errors }
    }

    /// Sends a command to any process.
    ///
    /// # Errors
    /// [`Gone`] if that process ended, or is being started.
    pub async fn ask(&self, rng: &mut fastrand::Rng, action: Action) -> Result<Outcome, Gone> {
        self.any(rng).ask(action).await
    }

    /// Waits until every process obeys commands.
    pub async fn all_ready(&self) {
        for process in &*self.processes {
            while process.ask(Action::Ready).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Kills any process.
    pub fn kill(&self, rng: &mut fastrand::Rng) {
        self.any(rng).kill();
    }

    /// Returns the last lines that the processes wrote to their standard error.
    #[must_use]
    pub fn last_errors(&self) -> String {
        let text = std::fs::read_to_string(self.errors.path()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Stops any process for a while.
    pub async fn pause(&self, rng: &mut fastrand::Rng, time: Duration) {
        self.any(rng).pause(time).await;
    }

    /// Stops all processes, and waits until they have ended.
    pub async fn close(&self) {
        for process in &*self.processes {
            process.close().await;
        }
        for supervisor in self.supervisors.lock().await.drain(..) {
            supervisor.await.unwrap();
        }
    }

    fn any(&self, rng: &mut fastrand::Rng) -> &Process {
        &self.processes[rng.usize(0..self.processes.len())]
    }
}
