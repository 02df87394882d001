//! One Lightning node in memory, and the delivery of its messages to the other node.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::Network;
use bitcoin::secp256k1::PublicKey;
use lightning::chain::chainmonitor::ChainMonitor;
use lightning::chain::{BestBlock, Filter};
use lightning::events::{Event, EventsProvider};
use lightning::ln::channelmanager::{ChainParameters, ChannelManager};
use lightning::ln::msgs::{
    BaseMessageHandler, ChannelMessageHandler, CommitmentUpdate, ErrorAction, Init, MessageSendEvent,
};
use lightning::sign::{InMemorySigner, KeysManager, NodeSigner};
use lightning::util::config::UserConfig;

use super::CHANNEL_SATOSHI;
use super::no_op::NoOp;
use crate::node::Preimage;

type Monitor = ChainMonitor<
    InMemorySigner,
    Arc<dyn Filter + Send + Sync>,
    Arc<NoOp>,
    Arc<NoOp>,
    Arc<NoOp>,
    Arc<NoOp>,
    Arc<KeysManager>,
>;

pub(super) type Manager = ChannelManager<
    Arc<Monitor>,
    Arc<NoOp>,
    Arc<KeysManager>,
    Arc<KeysManager>,
    Arc<KeysManager>,
    Arc<NoOp>,
    Arc<NoOp>,
    Arc<NoOp>,
    Arc<NoOp>,
>;

/// A Lightning node with its keys and channels.
pub(super) struct InMemoryNode {
    pub(super) manager: Manager,
    pub(super) keys: Arc<KeysManager>,
    pub(super) id: PublicKey,
}

impl InMemoryNode {
    /// Creates a node with keys from this seed and without channels. `now` is the time since 1970.
    ///
    /// Channel keys also depend on `now`, so that a restarted node does not reuse them.
    pub(super) fn new(seed: &Preimage, network: Network, now: Duration) -> Self {
        let no_op = Arc::new(NoOp);
        let keys = Arc::new(KeysManager::new(seed, now.as_secs(), now.subsec_nanos(), true));
        let monitor = Arc::new(ChainMonitor::new(
            None,
            Arc::clone(&no_op),
            Arc::clone(&no_op),
            Arc::clone(&no_op),
            Arc::clone(&no_op),
            Arc::clone(&keys),
            keys.get_peer_storage_key(),
        ));
        let manager = ChannelManager::new(
            Arc::clone(&no_op),
            monitor,
            Arc::clone(&no_op),
            Arc::clone(&no_op),
            Arc::clone(&no_op),
            no_op,
            Arc::clone(&keys),
            Arc::clone(&keys),
            Arc::clone(&keys),
            config(),
            ChainParameters { network, best_block: BestBlock::from_network(network) },
            u32::try_from(now.as_secs()).unwrap_or(u32::MAX),
        );
        let id = manager.get_our_node_id();
        Self { manager, keys, id }
    }

    /// Connects this node to the other one. Fails only if their features do not match.
    pub(super) fn connect(&self, other: &Self, inbound: bool) -> Result<(), ()> {
        let features = other.manager.provided_init_features(self.id);
        let init = Init { features, networks: None, remote_network_address: None };
        self.manager.peer_connected(other.id, &init, inbound)
    }

    /// Returns the events since the last call.
    pub(super) fn take_events(&self) -> Vec<Event> {
        let events = RefCell::new(Vec::new());
        self.manager.process_pending_events(&|event| {
            events.borrow_mut().push(event);
            Ok(())
        });
        events.into_inner()
    }

    /// Delivers all pending messages to the other node and returns their number.
    pub(super) fn deliver_messages(&self, other: &Self) -> usize {
        let messages = self.manager.get_and_clear_pending_msg_events();
        let count = messages.len();
        for message in messages {
            self.deliver(message, other);
        }
        count
    }

    /// Delivers one message. Drops messages that two nodes with private channels do not need.
    fn deliver(&self, message: MessageSendEvent, other: &Self) {
        let receiver = &other.manager;
        match message {
            MessageSendEvent::SendOpenChannel { msg, .. } => receiver.handle_open_channel(self.id, &msg),
            MessageSendEvent::SendAcceptChannel { msg, .. } => receiver.handle_accept_channel(self.id, &msg),
            MessageSendEvent::SendFundingCreated { msg, .. } => {
                receiver.handle_funding_created(self.id, &msg)
            }
            MessageSendEvent::SendFundingSigned { msg, .. } => receiver.handle_funding_signed(self.id, &msg),
            MessageSendEvent::SendChannelReady { msg, .. } => receiver.handle_channel_ready(self.id, &msg),
            MessageSendEvent::SendChannelUpdate { msg, .. } => receiver.handle_channel_update(self.id, &msg),
            MessageSendEvent::UpdateHTLCs { updates, .. } => self.deliver_updates(updates, other),
            MessageSendEvent::SendRevokeAndACK { msg, .. } => receiver.handle_revoke_and_ack(self.id, &msg),
            MessageSendEvent::SendShutdown { msg, .. } => receiver.handle_shutdown(self.id, &msg),
            MessageSendEvent::SendClosingSigned { msg, .. } => receiver.handle_closing_signed(self.id, &msg),
            MessageSendEvent::HandleError { action: ErrorAction::SendErrorMessage { msg }, .. } => {
                receiver.handle_error(self.id, &msg);
            }
            _ => {}
        }
    }

    /// Delivers the added, fulfilled and failed HTLCs of a channel, and then their signature.
    fn deliver_updates(&self, updates: CommitmentUpdate, other: &Self) {
        let receiver = &other.manager;
        updates.update_add_htlcs.iter().for_each(|msg| receiver.handle_update_add_htlc(self.id, msg));
        updates
            .update_fulfill_htlcs
            .into_iter()
            .for_each(|msg| receiver.handle_update_fulfill_htlc(self.id, msg));
        updates.update_fail_htlcs.iter().for_each(|msg| receiver.handle_update_fail_htlc(self.id, msg));
        let malformed = updates.update_fail_malformed_htlcs.iter();
        malformed.for_each(|msg| receiver.handle_update_fail_malformed_htlc(self.id, msg));
        updates.update_fee.iter().for_each(|msg| receiver.handle_update_fee(self.id, msg));
        updates.commitment_signed.iter().for_each(|msg| receiver.handle_commitment_signed(self.id, msg));
    }
}

/// Allows payments up to the full capacity of a channel. Inbound channels are accepted manually, so
/// that they can be used before their funding transaction is confirmed.
fn config() -> UserConfig {
    let mut config = UserConfig { manually_accept_inbound_channels: true, ..UserConfig::default() };
    config.channel_handshake_limits.max_funding_satoshis = CHANNEL_SATOSHI;
    config.channel_handshake_config.max_inbound_htlc_value_in_flight_percent_of_channel = 100;
    config.channel_handshake_config.negotiate_anchors_zero_fee_htlc_tx = false;
    config
}
