//! One process of a shop, which is started again whenever it ends.

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::commands::{Action, Command, Outcome, Reply};
use crate::record::Record;

/// How long a supervisor waits before it starts a process again.
const RESTART: Duration = Duration::from_millis(50);

const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

/// A process under a supervisor.
pub struct Process {
    input: tokio::sync::Mutex<Option<ChildStdin>>,
    /// Who waits for which reply. Cleared when the process ends.
    waiting: Mutex<HashMap<u64, oneshot::Sender<Outcome>>>,
    next: AtomicU64,
    kill: Notify,
    /// The id of the running process.
    pid: Mutex<Option<u32>>,
    is_closing: AtomicBool,
    record: Arc<Record>,
}

/// The process ended before it replied.
#[derive(Debug)]
pub struct Gone;

impl Process {
    /// Starts the supervisor, which calls `start` for each new process.
    pub fn supervise(
        record: Arc<Record>,
        start: impl Fn() -> tokio::process::Command + Send + Sync + 'static,
    ) -> (Arc<Self>, JoinHandle<()>) {
        let process = Arc::new(Self {
            input: tokio::sync::Mutex::default(),
            waiting: Mutex::default(),
            next: AtomicU64::new(0),
            kill: Notify::new(),
            pid: Mutex::default(),
            is_closing: AtomicBool::new(false),
            record,
        });
        let supervised = Arc::clone(&process);
        let supervisor = tokio::spawn(async move {
            while !supervised.is_closing.load(Ordering::SeqCst) {
                let mut command = start();
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
                supervised.live(command.spawn().unwrap()).await;
                tokio::time::sleep(RESTART).await;
            }
        });
        (process, supervisor)
    }

    /// Sends a command, and waits for the reply.
    ///
    /// # Errors
    /// [`Gone`] if the process ended, or is being started.
    pub async fn ask(&self, action: Action) -> Result<Outcome, Gone> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut line = serde_json::to_string(&Command { id, action }).unwrap();
        line.push('\n');
        let (sender, receiver) = oneshot::channel();
        {
            let mut input = self.input.lock().await;
            let input = input.as_mut().ok_or(Gone)?;
            self.waiting().insert(id, sender);
            input.write_all(line.as_bytes()).await.map_err(|_| Gone)?;
        }
        receiver.await.map_err(|_| Gone)
    }

    /// Kills the process.
    pub fn kill(&self) {
        self.kill.notify_one();
    }

    /// Stops the process for a while, as if its machine was too busy to run it.
    pub async fn pause(&self, time: Duration) {
        let pid = *self.pid();
        if let Some(pid) = pid {
            signal(pid, "STOP").await;
            tokio::time::sleep(time).await;
            // Unless it was killed meanwhile.
            if *self.pid() == Some(pid) {
                signal(pid, "CONT").await;
            }
        }
    }

    /// Lets the process stop by itself. It is not started again.
    pub async fn close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        // Closes the standard input.
        self.input.lock().await.take();
    }

    /// Serves one process until it ends.
    async fn live(&self, mut child: Child) {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        *self.input.lock().await = child.stdin.take();
        *self.pid() = child.id();
        let mut was_killed = false;
        // What a killed process wrote is still in the pipe.
        loop {
            tokio::select! {
                line = lines.next_line() => match line {
                    Ok(Some(line)) => self.reply(&line),
                    _ => break,
                },
                () = self.kill.notified() => {
                    was_killed = true;
                    child.start_kill().unwrap();
                }
            }
        }
        *self.input.lock().await = None;
        self.waiting().clear();
        *self.pid() = None;
        let status = child.wait().await.unwrap();
        self.count_end(status, was_killed);
    }

    fn reply(&self, line: &str) {
        // The last line of a killed process may be cut.
        let Ok(Reply { id, outcome }) = serde_json::from_str(line) else { return };
        if let Outcome::Shown(shown) = &outcome {
            self.record.shown(shown);
        }
        if let Some(waiting) = self.waiting().remove(&id) {
            let _ = waiting.send(outcome);
        }
    }

    fn count_end(&self, status: ExitStatus, was_killed: bool) {
        match status.signal() {
            Some(SIGKILL) if was_killed => self.record.count("processes killed"),
            Some(SIGABRT) => self.record.count("processes aborted"),
            _ if self.is_closing.load(Ordering::SeqCst) && status.success() => {
                self.record.count("processes stopped");
            }
            // Such as a start while the database is away.
            _ => self.record.count("processes ended by an error"),
        }
    }

    fn pid(&self) -> MutexGuard<'_, Option<u32>> {
        self.pid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Outcome>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a signal. An error means that the process has ended.
async fn signal(pid: u32, name: &str) {
    let command = format!("kill -{name} {pid} 2> /dev/null");
    let _ = tokio::process::Command::new("sh").args(["-c", &command]).status().await;
}
