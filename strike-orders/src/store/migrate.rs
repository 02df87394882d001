//! The versions of the schema, and the migration to the newest.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::Store;
use crate::error::Error;

/// The table that holds the versions. It is not sqlx's default: your shop may use that one.
const TABLE: &str = "strike_migrations";

#[cfg(feature = "sqlite")]
const SQLITE: &[(&str, &str)] = &[("orders", include_str!("../../migrations/sqlite/0001_orders.sql"))];
#[cfg(feature = "postgres")]
const POSTGRES: &[(&str, &str)] = &[("orders", include_str!("../../migrations/postgres/0001_orders.sql"))];

impl Store {
    /// Brings the schema to the newest version.
    pub(super) async fn migrate(&self) -> Result<(), Error> {
        let result = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { writer, .. } => {
                let migrator = migrator(SQLITE);
                match migrator.run(writer).await {
                    // Another process may have migrated the file in between. SQLite has no lock for this.
                    Err(MigrateError::ExecuteMigration(..) | MigrateError::Execute(_)) => {
                        migrator.run(writer).await
                    }
                    result => result,
                }
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => migrator(POSTGRES).run(pool).await,
        };
        result.map_err(|error| match error {
            MigrateError::VersionMissing(version) => Error::NewerSchema { version },
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                Error::database("migrate the schema", source)
            }
            error => Error::database("migrate the schema", sqlx::Error::Migrate(Box::new(error))),
        })
    }
}

fn migrator(migrations: &'static [(&'static str, &'static str)]) -> Migrator {
    let migrations = (1..).zip(migrations).map(|(version, (name, sql))| {
        Migration::new(version, Cow::Borrowed(*name), MigrationType::Simple, (*sql).into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator
}
