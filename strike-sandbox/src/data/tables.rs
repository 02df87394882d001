//! The database tables, and how their rows are read and written.

use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, named_params, params};
use strike_core::{ChargeId, Network, Satoshi, UnixMillis};

use crate::builder::Identity;
use crate::entropy::Position;
use crate::ledger::{Charge, Extras, ServiceState};
use crate::node::{self, NodeKey};

/// Creates the tables.
///
/// Times and durations are in milliseconds. `start` is the position in the random stream that a
/// reset returns to. A charge's `number` is its index in the ledger.
pub(super) const CREATE_TABLES: &str = "
    CREATE TABLE sandbox (
        network  TEXT NOT NULL,
        api_key  TEXT NOT NULL,
        node_key BLOB NOT NULL,
        entropy  BLOB NOT NULL,
        start    INTEGER,
        ahead    INTEGER NOT NULL,
        seen     INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE charge (
        number          INTEGER PRIMARY KEY,
        id              TEXT NOT NULL,
        amount          INTEGER NOT NULL,
        description     TEXT NOT NULL,
        customer_id     TEXT,
        payment_request TEXT NOT NULL,
        preimage        BLOB NOT NULL,
        paid            INTEGER NOT NULL,
        created         INTEGER NOT NULL,
        updated         INTEGER NOT NULL,
        expires         INTEGER NOT NULL,
        fee             INTEGER NOT NULL DEFAULT 0,
        description_hash BLOB,
        webhook_url     TEXT
    ) STRICT;
";

/// Adds the columns that format 1 did not have. `fee` is in millisatoshi.
pub(super) const MIGRATE_FROM_1: &str = "
    ALTER TABLE charge ADD COLUMN fee INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE charge ADD COLUMN description_hash BLOB;
    ALTER TABLE charge ADD COLUMN webhook_url TEXT;
";

/// The contents of the `sandbox` table.
pub(super) struct StoredSandbox {
    pub(super) network: Network,
    pub(super) api_key: String,
    pub(super) node_key: NodeKey,
    pub(super) state: ServiceState,
}

pub(super) fn insert_sandbox(
    connection: &Connection,
    network: Network,
    identity: &Identity,
    state: &ServiceState,
) -> Result<()> {
    let sql = "INSERT INTO sandbox (network, api_key, node_key, entropy, start, ahead, seen)
               VALUES (:network, :api_key, :node_key, :entropy, :start, :ahead, :seen)";
    let ServiceState { entropy: Position { stream, start }, ahead, seen } = *state;
    let values = named_params! {
        ":network": network.to_string(),
        ":api_key": identity.api_key,
        ":node_key": identity.node_key.to_bytes(),
        ":entropy": stream,
        ":start": start.map(to_integer),
        ":ahead": millis(ahead),
        ":seen": seen.as_millis(),
    };
    connection.execute(sql, values).map(drop)
}

pub(super) fn read_sandbox(connection: &Connection) -> Result<StoredSandbox> {
    let sql = "SELECT network, api_key, node_key, entropy, start, ahead, seen FROM sandbox";
    connection.query_row(sql, [], |row| {
        let network: String = row.get("network")?;
        let network = network.parse().map_err(|_| unreadable(0, "unknown network"))?;
        let node_key =
            NodeKey::from_bytes(&row.get("node_key")?).ok_or_else(|| unreadable(2, "invalid node key"))?;
        let start: Option<u64> = row.get("start")?;
        let state = ServiceState {
            entropy: Position { stream: row.get("entropy")?, start: start.map(u128::from) },
            ahead: Duration::from_millis(row.get("ahead")?),
            seen: UnixMillis::from_millis(row.get("seen")?),
        };
        Ok(StoredSandbox { network, api_key: row.get("api_key")?, node_key, state })
    })
}

fn unreadable(column: usize, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, why.into())
}

pub(super) fn set_api_key(connection: &Connection, api_key: &str) -> Result<()> {
    connection.execute("UPDATE sandbox SET api_key = ?", [api_key]).map(drop)
}

/// Replaces the state `from` with `to`. Returns false if the file has another state than `from`,
/// which means that another program wrote to it.
pub(super) fn update_state(connection: &Connection, from: &ServiceState, to: &ServiceState) -> Result<bool> {
    let sql = "UPDATE sandbox SET entropy = ?, start = ?, ahead = ?, seen = ?
               WHERE entropy IS ? AND start IS ? AND ahead IS ? AND seen IS ?";
    let [from, to] = [from, to].map(|state| {
        let ServiceState { entropy: Position { stream, start }, ahead, seen } = *state;
        (stream, start.map(to_integer), millis(ahead), seen.as_millis())
    });
    let values = params![to.0, to.1, to.2, to.3, from.0, from.1, from.2, from.3];
    Ok(connection.prepare_cached(sql)?.execute(values)? == 1)
}

pub(super) fn insert_charge(connection: &Connection, index: usize, charge: &Charge) -> Result<()> {
    let sql = "INSERT INTO charge (number, id, amount, description, customer_id, payment_request, preimage,
                                   paid, created, updated, expires, fee, description_hash, webhook_url)
               VALUES (:number, :id, :amount, :description, :customer_id, :payment_request, :preimage,
                       :paid, :created, :updated, :expires, :fee, :description_hash, :webhook_url)";
    let extras = charge.extras.as_deref();
    let values = named_params! {
        ":number": index,
        ":id": charge.id.as_str(),
        ":amount": charge.amount.get(),
        ":description": charge.description,
        ":customer_id": charge.customer_id,
        ":payment_request": charge.payment_request,
        ":preimage": charge.preimage,
        ":paid": charge.paid,
        ":created": charge.created.as_millis(),
        ":updated": charge.updated.as_millis(),
        ":expires": charge.expires.as_millis(),
        ":fee": charge.fee,
        ":description_hash": extras.and_then(|extras| extras.description_hash),
        ":webhook_url": extras.and_then(|extras| extras.webhook_url.as_deref()),
    };
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// Stores the fields of a charge that can change.
pub(super) fn update_charge(connection: &Connection, index: usize, charge: &Charge) -> Result<()> {
    let Charge { paid, updated, expires, fee, .. } = charge;
    connection
        .prepare_cached("UPDATE charge SET paid = ?, updated = ?, expires = ?, fee = ? WHERE number = ?")?
        .execute(params![paid, updated.as_millis(), expires.as_millis(), fee, index])
        .map(drop)
}

pub(super) fn delete_charges(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM charge", []).map(drop)
}

/// Reads all charges of a file in this format, oldest first.
pub(super) fn read_charges(connection: &Connection, format: i64) -> Result<Vec<Charge>> {
    let added = if format == 1 { "0, NULL, NULL" } else { "fee, description_hash, webhook_url" };
    let sql = format!(
        "SELECT id, amount, description, customer_id, payment_request, preimage,
                paid, created, updated, expires, {added}, number FROM charge ORDER BY number"
    );
    let mut charges = Vec::new();
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // Updates use the number. A gap would make them change the wrong charge.
        if row.get::<_, usize>(13)? != charges.len() {
            return Err(unreadable(13, "the charge before it is missing"));
        }
        charges.push(read_charge(row)?);
    }
    Ok(charges)
}

fn read_charge(row: &Row<'_>) -> Result<Charge> {
    let time = |column| row.get(column).map(UnixMillis::from_millis);
    let preimage = row.get(5)?;
    Ok(Charge {
        id: ChargeId::new(row.get::<_, Box<str>>(0)?).map_err(|error| unreadable(0, error))?,
        amount: Satoshi::new(row.get(1)?),
        description: row.get(2)?,
        customer_id: row.get(3)?,
        payment_request: row.get(4)?,
        payment_hash: node::payment_hash(&preimage),
        preimage,
        paid: row.get(6)?,
        created: time(7)?,
        updated: time(8)?,
        expires: time(9)?,
        fee: row.get(10)?,
        extras: Extras { description_hash: row.get(11)?, webhook_url: row.get(12)? }.boxed(),
    })
}

/// Saturates. No random stream gets that far.
fn to_integer(position: u128) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Converts to milliseconds and saturates. The clock's limit is far below the largest value.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
