//! The loop that does what the other two have found.

use futures_util::stream::{FuturesUnordered, StreamExt};
use strike_async::mirror::{NextRequest, State};
use strike_async::{ChargeId, ErrorKind};
use tokio::sync::mpsc;
use tracing::Instrument;

use super::decide::Found;
use super::queue::Work;
use super::session::Session;
use crate::error::{Error, HandlerError};
use crate::event::Event;
use crate::store::{Row, Transaction, within};

/// How many things are done at the same time. Most of them wait for the host.
const AT_ONCE: usize = 32;

impl Session<'_> {
    /// Works until the session is over, and finishes what has begun.
    pub(super) async fn work<H>(&self, mut queue: mpsc::Receiver<Work>, handler: &H)
    where
        H: AsyncFn(Event, &mut Transaction) -> Result<(), HandlerError>,
    {
        let mut over = self.over.subscribe();
        let mut running = FuturesUnordered::new();
        let mut is_open = true;
        while is_open || !running.is_empty() {
            tokio::select! {
                // What has not begun stays as it is in the tables.
                _ = over.wait_for(|over| *over), if is_open => is_open = false,
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
            Work::Retry(row) => {
                let span = tracing::info_span!("retry", order = row.name);
                match found_before(&row) {
                    Ok((id, found)) => self.finish(&id, &found, handler).instrument(span).await,
                    Err(error) => tracing::error!(%error, "an end cannot be handled"),
                }
            }
            Work::Late(row, due_again) => {
                let span = tracing::info_span!("late", order = row.name);
                let found = self.look_late(&row, due_again).instrument(span.clone()).await;
                if let Some((id, found)) = found {
                    self.finish(&id, &found, handler).instrument(span).await;
                }
            }
            Work::Create(creation) => {
                let span = tracing::info_span!("create", order = creation.name);
                if let Err(error) = self.desk.create(*creation).instrument(span).await {
                    tracing::warn!(%error, "a create cannot be finished; trying again");
                }
            }
        }
    }

    /// Looks whether an ended charge was paid late, and sets when to look again.
    async fn look_late(&self, row: &Row, due_again: i64) -> Option<(ChargeId, Found)> {
        match self.read_late(row).await {
            Ok(None) => self.look_late_again(row, due_again).await,
            Ok(found) => return found,
            Err(error) => tracing::warn!(%error, "a late payment cannot be looked for; trying again"),
        }
        None
    }

    /// Reads an ended charge. Returns what was found if it is paid.
    async fn read_late(&self, row: &Row) -> Result<Option<(ChargeId, Found)>, Error> {
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

    async fn look_late_again(&self, row: &Row, due_again: i64) {
        let postpone = async {
            let mut tx = self.desk.inner().store.begin().await?;
            let now = tx.now().await?;
            // Unless a webhook has asked for a look in between.
            tx.replace_check_at(row.charge_row, due_again, self.next_late_check(row, now)).await?;
            tx.commit().await
        };
        if let Err(error) = within("set when to look again", postpone).await {
            tracing::warn!(%error, "the next look for a late payment was not set; looking again soon");
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
