//! The shop: several worker processes on one database, as behind a load balancer.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use strike_orders_tests::commands::{Action, Outcome};
use tokio::task::JoinHandle;

use crate::host::Host;
use crate::record::Record;
use crate::worker::{Gone, Worker};

#[derive(Clone)]
pub struct Shop {
    workers: Arc<Vec<Arc<Worker>>>,
    supervisors: Arc<tokio::sync::Mutex<Vec<JoinHandle<()>>>>,
    pub log: Arc<tempfile::NamedTempFile>,
}

impl Shop {
    /// Starts the processes.
    pub fn open(processes: u64, url: &str, host: &Host, seed: u64, record: &Arc<Record>) -> Self {
        let log = Arc::new(tempfile::NamedTempFile::new().unwrap());
        let starts = Arc::new(AtomicU64::new(0));
        let start = || {
            let (url, variables, starts) = (url.to_owned(), host.variables(), Arc::clone(&starts));
            let log = Arc::clone(&log);
            move || {
                let start = starts.fetch_add(1, Ordering::Relaxed);
                let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_order-worker"));
                command.env("DATABASE_URL", &url).envs(variables.iter().map(|(name, value)| (name, value)));
                command.env("WORKER_ROUGH", seed.wrapping_mul(1_000_003).wrapping_add(start).to_string());
                let errors = std::fs::OpenOptions::new().append(true).open(log.path()).unwrap();
                command.stderr(Stdio::from(errors));
                command
            }
        };
        let all = (0..processes).map(|_| Worker::supervise(Arc::clone(record), start()));
        let (workers, supervisors): (Vec<_>, Vec<_>) = all.unzip();
        Self { workers: Arc::new(workers), supervisors: Arc::new(supervisors.into()), log }
    }

    /// Sends a command to any process.
    pub async fn ask(&self, rng: &mut fastrand::Rng, action: Action) -> Result<Outcome, Gone> {
        self.any(rng).ask(action).await
    }

    /// Kills any process.
    pub fn kill(&self, rng: &mut fastrand::Rng) {
        self.any(rng).kill();
    }

    /// Stops all processes, and waits until they have ended.
    pub async fn close(&self) {
        for worker in &*self.workers {
            worker.close().await;
        }
        for supervisor in self.supervisors.lock().await.drain(..) {
            supervisor.await.unwrap();
        }
    }

    fn any(&self, rng: &mut fastrand::Rng) -> &Worker {
        &self.workers[rng.usize(0..self.workers.len())]
    }
}
