//! The loop that does what the other two have found.

use futures_util::stream::{FuturesUnordered, StreamExt};
use strike_async::mirror::{NextRequest, State};
use strike_async::{ChargeId, ErrorKind};
use tokio::sync::mpsc;

use super::decide::Found;
use super::session::Session;
use crate::error::{Error, HandlerError};
use crate::event::Event;
use crate::store::{Creation, Row, Transaction};

/// How many things are done at the same time. Most of them wait for the host.
const AT_ONCE: usize = 32;

/// How long a look for a late payment waits after an error, in milliseconds.
const LATE_RETRY: i64 = 60_000;

/// Something to do.
pub(super) enum Work {
    /// A watched charge has ended.
    End(ChargeId, Found),
    /// An ended charge may have been paid late.
    Late(Box<Row>),
    /// A handler failed, and is to be called again.
    Retry(Box<Row>),
    /// A create was left unfinished.
    Create(Box<Creation>),
}

impl Session<'_> {
    /// Works until nothing can be found any more.
    pub(super) async fn work<H>(&self, mut queue: mpsc::Receiver<Work>, handler: &H)
    where
        H: AsyncFn(Event, &mut Transaction) -> Result<(), HandlerError>,
    {
        let mut running = FuturesUnordered::new();
        let mut is_open = true;
        while is_open || !running.is_empty() {
            tokio::select! {
                work = queue.recv(), if is_open && running.len() < AT_ONCE => match work {
                    Some(work) => running.push(self.do_work(work, handler)),
                    None => is_open = false,
                },
                Some(()) = running.next() => {}
            }
        }
    }

    async fn do_work<H>(&self, work: Work, handler: &H)
    where
        H: AsyncFn(Event, &mut Transaction) -> Result<(), HandlerError>,
    {
        match work {
            Work::End(id, found) => self.finish(&id, &found, handler).await,
            Work::Retry(row) => match found_before(&row) {
                Ok((id, found)) => self.finish(&id, &found, handler).await,
                Err(error) => tracing::error!(%error, "an end cannot be handled"),
            },
            Work::Late(row) => match self.look_late(&row).await {
                Ok(Some((id, found))) => self.finish(&id, &found, handler).await,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(order = row.name, %error, "a late payment cannot be looked for; trying again");
                    self.look_late_again(&row).await;
                }
            },
            Work::Create(creation) => {
                let name = creation.name.clone();
                match self.desk.create(*creation).await {
                    Ok(_) => tracing::info!(order = name, "finished a create that was left unfinished"),
                    Err(error) => {
                        tracing::warn!(order = name, %error, "a create cannot be finished; trying again")
                    }
                }
            }
        }
    }

    /// Reads an ended charge. Returns what was found if it is paid.
    async fn look_late(&self, row: &Row) -> Result<Option<(ChargeId, Found)>, Error> {
        let mut mirror = row.mirror()?;
        let Some(id) = mirror.id().cloned() else { return Ok(None) };
        let charge = match self.desk.client().get(&id).await {
            Ok(charge) => charge,
            Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // The mirror refuses a charge with another amount or invoice.
        mirror.learn(&NextRequest::Get(id.clone()), Ok(&charge))?;
        let paid =
            mirror.charge().filter(|_| mirror.state() == State::Paid).and_then(|charge| charge.to_paid());
        Ok(paid.map(|charge| (id, Found::Paid(charge))))
    }

    async fn look_late_again(&self, row: &Row) {
        let postpone = async {
            let mut tx = self.desk.inner().store.begin().await?;
            let at = tx.now().await?.saturating_add(LATE_RETRY);
            tx.set_check_at(row.charge_row, Some(at)).await?;
            tx.commit().await
        };
        if let Err(error) = postpone.await {
            tracing::warn!(order = row.name, %error, "a look for a late payment was not postponed");
        }
    }
}

/// Returns the end that a handler could not handle before.
fn found_before(row: &Row) -> Result<(ChargeId, Found), Error> {
    let mirror = row.mirror()?;
    let charge = mirror.charge().ok_or_else(|| Error::without_charge(&row.name))?;
    let found = match row.found.as_deref() {
        Some("paid") => Found::Paid(charge.to_paid().ok_or_else(|| Error::without_charge(&row.name))?),
        Some("failed") => Found::Failed(row.reason.clone().unwrap_or_default()),
        _ => Found::Expired,
    };
    Ok((charge.id().clone(), found))
}
