//! Two processes with one SQLite file.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use strike_orders_tests::commands::{self, Action, Outcome, Reply, Wanted};
use strike_sandbox::{RunningSandbox, Sandbox};

use crate::world::Database;

/// A process with a desk. It is killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(db: &Database, host: &RunningSandbox) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_order-worker"));
        command.env("DATABASE_URL", db.url()).env("STRIKE_BASE_URL", host.base_url());
        command.env("STRIKE_API_KEY", host.api_key()).env("STRIKE_NETWORK", host.network().to_string());
        command.env_remove("WORKER_ROUGH");
        Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    fn send(&mut self, id: u64, action: Action) {
        let line = serde_json::to_string(&commands::Command { id, action }).unwrap();
        writeln!(self.0.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Reads this many replies, in the order of the commands.
    fn replies(&mut self, count: usize) -> Vec<Outcome> {
        let lines = BufReader::new(self.0.stdout.take().unwrap()).lines().take(count);
        let mut replies: Vec<Reply> =
            lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        replies.sort_by_key(|reply| reply.id);
        replies.into_iter().map(|reply| reply.outcome).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn two_processes_with_one_file_show_the_same_invoices() {
    let db = Database::sqlite();
    db.execute("CREATE TABLE completions (name TEXT NOT NULL, charge TEXT NOT NULL, kind TEXT NOT NULL)")
        .await;
    let host = Sandbox::builder().start().unwrap();
    let mut processes = [Process::start(&db, &host), Process::start(&db, &host)];
    for number in 0..20 {
        for process in &mut processes {
            let wanted = Wanted { name: format!("order-{number}"), satoshi: 1000 + number, lifetime: 3600 };
            process.send(number, Action::Place(wanted));
        }
    }
    let [first, second] = processes.each_mut().map(|process| process.replies(20));
    let shown = |outcome: &Outcome| match outcome {
        Outcome::Shown(shown) => shown.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(first.iter().map(shown).collect::<Vec<_>>(), second.iter().map(shown).collect::<Vec<_>>());
    assert_eq!(host.charges(), 20);
    let id = shown(&first[7]).charge.parse().unwrap();
    host.pay(&id).unwrap();
    let completed = "SELECT kind || ' ' || name FROM completions";
    crate::world::until("the completion", async || !db.texts(completed).await.is_empty()).await;
    assert_eq!(db.texts(completed).await, ["paid order-7"]);
}
