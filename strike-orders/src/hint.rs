//! Hints: a webhook has named a charge.

use strike_async::webhook::Notification;

use crate::desk::Desk;
use crate::error::Error;
use crate::signal::Change;
use crate::store::within;

impl Desk {
    /// Makes the instance that watches a charge read it now, because a webhook has named it.
    ///
    /// Read the webhook with [`Endpoint::read_webhook`](strike_async::Endpoint::read_webhook), which
    /// checks its signature if the backend signs. A hint proves nothing: only the response of the host
    /// ends an order. It also finds the late payment of an old invoice. Respond with 200 after it has
    /// returned.
    ///
    /// A hint of an unknown charge is kept for an hour, because it can arrive before the response to
    /// the create. At most 10 000 hints are kept; the charges are polled all the same.
    ///
    /// ```no_run
    /// use strike_orders::Desk;
    /// use strike_orders::strike_async::http::HeaderMap;
    ///
    /// /// Returns the status of the response.
    /// async fn webhook(desk: &Desk, headers: &HeaderMap, body: &[u8]) -> u16 {
    ///     let Ok(notification) = desk.client().endpoint().read_webhook(headers, body) else { return 400 };
    ///     if desk.hint(&notification).await.is_ok() { 200 } else { 500 }
    /// }
    /// # let _ = webhook;
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Database`] if the hint could not be written. Then respond with 500, and the
    /// backend may send it again.
    pub async fn hint(&self, notification: &Notification) -> Result<(), Error> {
        let keep = async {
            let mut tx = self.inner().store.begin().await?;
            let now = tx.now().await?;
            tx.insert_hint(notification.id().as_str(), now).await?;
            tx.notify(&Change::Work.payload()).await?;
            tx.commit().await
        };
        within("keep the hint of a webhook", keep).await?;
        self.inner().signal.send(Change::Work);
        Ok(())
    }
}
