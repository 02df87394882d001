//! Looks at the old invoice of an order before there is a new one.

use strike_async::ErrorKind;

use crate::desk::Desk;
use crate::error::Error;
use crate::order::Order;
use crate::signal::Change;
use crate::store::within;

impl Desk {
    /// Returns true if the host says that the invoice of an ended order was paid.
    pub(super) async fn is_paid_late(&self, order: &Order) -> Result<bool, Error> {
        match self.client().get(order.charge().id()).await {
            Ok(charge) => Ok(charge.is_paid()),
            Err(error) if *error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets a runner look for a late payment at once.
    pub(super) async fn look_for_late_payment(&self, order: &Order) -> Result<(), Error> {
        let ask = async {
            let mut tx = self.inner().store.begin().await?;
            let now = tx.now().await?;
            if let Some(row) = tx.lock_charge(order.charge().id().as_str()).await? {
                tx.set_check_at(row.charge_row, Some(now)).await?;
            }
            tx.notify(&Change::Work.payload()).await?;
            tx.commit().await
        };
        within("ask for a look at an old invoice", ask).await?;
        self.inner().signal.send(Change::Work);
        Ok(())
    }
}
