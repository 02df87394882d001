//! The environment that the Lightning library needs: chain, fees, storage, log and router. All of
//! it does nothing.

use bitcoin::secp256k1::{PublicKey, Secp256k1, Signing, Verification};
use bitcoin::{Script, Transaction, Txid};
use lightning::blinded_path::message::{BlindedMessagePath, MessageContext, MessageForwardNode};
use lightning::blinded_path::payment::{BlindedPaymentPath, ReceiveTlvs};
use lightning::chain::chaininterface::{BroadcasterInterface, ConfirmationTarget, FeeEstimator};
use lightning::chain::chainmonitor::Persist;
use lightning::chain::channelmonitor::{ChannelMonitor, ChannelMonitorUpdate};
use lightning::chain::{ChannelMonitorUpdateStatus, Filter, WatchedOutput};
use lightning::ln::channel_state::ChannelDetails;
use lightning::onion_message::messenger::{Destination, MessageRouter, OnionMessagePath};
use lightning::routing::router::{InFlightHtlcs, Route, RouteParameters, Router};
use lightning::sign::ReceiveAuthKey;
use lightning::sign::ecdsa::EcdsaChannelSigner;
use lightning::util::logger::{Logger, Record};
use lightning::util::persist::MonitorName;

/// The minimum fee rate, in satoshi per 1000 weight units. No transaction is mined, so it is
/// enough.
const FEE_RATE: u32 = 253;

/// Implements the library's interfaces without any effect. The nodes exist only in memory, so
/// nothing has to be stored.
pub(super) struct NoOp;

impl BroadcasterInterface for NoOp {
    fn broadcast_transactions(&self, _: &[&Transaction]) {}
}

impl FeeEstimator for NoOp {
    fn get_est_sat_per_1000_weight(&self, _: ConfirmationTarget) -> u32 {
        FEE_RATE
    }
}

impl Logger for NoOp {
    fn log(&self, _: Record<'_>) {}
}

impl Filter for NoOp {
    fn register_tx(&self, _: &Txid, _: &Script) {}

    fn register_output(&self, _: WatchedOutput) {}
}

impl<S: EcdsaChannelSigner> Persist<S> for NoOp {
    fn persist_new_channel(&self, _: MonitorName, _: &ChannelMonitor<S>) -> ChannelMonitorUpdateStatus {
        ChannelMonitorUpdateStatus::Completed
    }

    fn update_persisted_channel(
        &self,
        _: MonitorName,
        _: Option<&ChannelMonitorUpdate>,
        _: &ChannelMonitor<S>,
    ) -> ChannelMonitorUpdateStatus {
        ChannelMonitorUpdateStatus::Completed
    }

    fn archive_persisted_channel(&self, _: MonitorName) {}
}

impl Router for NoOp {
    /// Always fails. [`super::LightningNode`] builds the route itself, because it has only one hop.
    fn find_route(
        &self,
        _: &PublicKey,
        _: &RouteParameters,
        _: Option<&[&ChannelDetails]>,
        _: InFlightHtlcs,
    ) -> Result<Route, &'static str> {
        Err("routes are not searched: the nodes share one channel")
    }

    fn create_blinded_payment_paths<T: Signing + Verification>(
        &self,
        _: PublicKey,
        _: Vec<ChannelDetails>,
        _: ReceiveTlvs,
        _: Option<u64>,
        _: &Secp256k1<T>,
    ) -> Result<Vec<BlindedPaymentPath>, ()> {
        Err(())
    }
}

impl MessageRouter for NoOp {
    fn find_path(&self, _: PublicKey, _: Vec<PublicKey>, _: Destination) -> Result<OnionMessagePath, ()> {
        Err(())
    }

    fn create_blinded_paths<T: Signing + Verification>(
        &self,
        _: PublicKey,
        _: ReceiveAuthKey,
        _: MessageContext,
        _: Vec<MessageForwardNode>,
        _: &Secp256k1<T>,
    ) -> Result<Vec<BlindedMessagePath>, ()> {
        Err(())
    }
}
