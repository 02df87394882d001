//! The behaviour of a desk, on SQLite and on PostgreSQL, with the sandbox in memory as the host.
//!
//! Each test is written once, and [`on_both`] runs it on both databases. Those on PostgreSQL are
//! ignored by default; `.ci/postgres` runs them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "tests"
)]

/// Makes two tests of each function: one on SQLite, and one on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name($crate::world::Database::sqlite()).await;
                }
            )*
        }
        mod on_postgres {
            $(
                #[tokio::test]
                #[ignore = "needs PostgreSQL; run .ci/postgres"]
                async fn $name() {
                    super::$name($crate::world::Database::postgres()).await;
                }
            )*
        }
    };
}

mod crashes;
mod ends;
mod faults;
mod handlers;
mod hints;
mod leases;
mod metrics;
mod place;
mod processes;
mod reading;
mod renew;
mod run;
mod secrets;
mod sequences;
mod sessions;
mod world;
