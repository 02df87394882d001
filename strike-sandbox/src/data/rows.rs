//! The tables, and what a row of each means.

use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, named_params, params};
use strike_core::{ChargeId, Network, Satoshi, UnixMillis};

use crate::builder::Identity;
use crate::entropy::Position;
use crate::ledger::{Charge, Standing};
use crate::node::{self, NodeKey};

/// Moments and durations are in milliseconds. `start` is where the entropy's stream begins again. A charge's `number`
/// is its place in the ledger.
pub(super) const TABLES: &str = "
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
        expires         INTEGER NOT NULL
    ) STRICT;
";

/// What a file says of its sandbox.
pub(super) struct Kept {
    pub(super) network: Network,
    pub(super) api_key: String,
    pub(super) node_key: NodeKey,
    pub(super) standing: Standing,
}

pub(super) fn insert_sandbox(
    connection: &Connection,
    network: Network,
    identity: &Identity,
    standing: &Standing,
) -> Result<()> {
    let sql = "INSERT INTO sandbox (network, api_key, node_key, entropy, start, ahead, seen)
               VALUES (:network, :api_key, :node_key, :entropy, :start, :ahead, :seen)";
    let Standing { entropy: Position { stream, start }, ahead, seen } = *standing;
    let values = named_params! {
        ":network": network.to_string(),
        ":api_key": identity.api_key,
        ":node_key": identity.node_key.to_bytes(),
        ":entropy": stream,
        ":start": start.map(word),
        ":ahead": millis(ahead),
        ":seen": seen.as_millis(),
    };
    connection.execute(sql, values).map(drop)
}

pub(super) fn read_sandbox(connection: &Connection) -> Result<Kept> {
    let sql = "SELECT network, api_key, node_key, entropy, start, ahead, seen FROM sandbox";
    connection.query_row(sql, [], |row| {
        let network: String = row.get("network")?;
        let network = network.parse().map_err(|_| unreadable(0, "no network"))?;
        let node_key =
            NodeKey::from_bytes(&row.get("node_key")?).ok_or_else(|| unreadable(2, "no key of a node"))?;
        let start: Option<u64> = row.get("start")?;
        let standing = Standing {
            entropy: Position { stream: row.get("entropy")?, start: start.map(u128::from) },
            ahead: Duration::from_millis(row.get("ahead")?),
            seen: UnixMillis::from_millis(row.get("seen")?),
        };
        Ok(Kept { network, api_key: row.get("api_key")?, node_key, standing })
    })
}

fn unreadable(column: usize, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, why.into())
}

pub(super) fn set_api_key(connection: &Connection, api_key: &str) -> Result<()> {
    connection.execute("UPDATE sandbox SET api_key = ?", [api_key]).map(drop)
}

/// Writes where the sandbox stands, unless the file says that it stood elsewhere: then another program wrote that.
pub(super) fn move_standing(connection: &Connection, from: &Standing, to: &Standing) -> Result<bool> {
    let sql = "UPDATE sandbox SET entropy = ?, start = ?, ahead = ?, seen = ?
               WHERE entropy IS ? AND start IS ? AND ahead IS ? AND seen IS ?";
    let [from, to] = [from, to].map(|standing| {
        let Standing { entropy: Position { stream, start }, ahead, seen } = *standing;
        (stream, start.map(word), millis(ahead), seen.as_millis())
    });
    let values = params![to.0, to.1, to.2, to.3, from.0, from.1, from.2, from.3];
    Ok(connection.prepare_cached(sql)?.execute(values)? == 1)
}

pub(super) fn insert_charge(connection: &Connection, place: usize, charge: &Charge) -> Result<()> {
    let sql = "INSERT INTO charge (number, id, amount, description, customer_id, payment_request, preimage,
                                   paid, created, updated, expires)
               VALUES (:number, :id, :amount, :description, :customer_id, :payment_request, :preimage,
                       :paid, :created, :updated, :expires)";
    let values = named_params! {
        ":number": place,
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
    };
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// Writes what can change in a charge.
pub(super) fn update_charge(connection: &Connection, place: usize, charge: &Charge) -> Result<()> {
    let Charge { paid, updated, expires, .. } = charge;
    connection
        .prepare_cached("UPDATE charge SET paid = ?, updated = ?, expires = ? WHERE number = ?")?
        .execute(params![paid, updated.as_millis(), expires.as_millis(), place])
        .map(drop)
}

pub(super) fn delete_charges(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM charge", []).map(drop)
}

/// Every charge, oldest first.
pub(super) fn read_charges(connection: &Connection) -> Result<Vec<Charge>> {
    let sql = "SELECT id, amount, description, customer_id, payment_request, preimage,
                      paid, created, updated, expires, number FROM charge ORDER BY number";
    let mut charges = Vec::new();
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // Changes are written by number: one that is missing would lead them to another charge.
        if row.get::<_, usize>("number")? != charges.len() {
            return Err(unreadable(10, "a charge is missing before it"));
        }
        charges.push(read_charge(row)?);
    }
    Ok(charges)
}

fn read_charge(row: &Row<'_>) -> Result<Charge> {
    let moment = |column| row.get(column).map(UnixMillis::from_millis);
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
        created: moment(7)?,
        updated: moment(8)?,
        expires: moment(9)?,
    })
}

/// No stream is ever drawn from that far.
fn word(position: u128) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// What does not fit is beyond the end of time.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
