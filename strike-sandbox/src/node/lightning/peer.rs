//! One Lightning node in memory, and how its messages reach the other one.

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
use super::nothing::Nothing;
use crate::node::Preimage;

type Monitor = ChainMonitor<
    InMemorySigner,
    Arc<dyn Filter + Send + Sync>,
    Arc<Nothing>,
    Arc<Nothing>,
    Arc<Nothing>,
    Arc<Nothing>,
    Arc<KeysManager>,
>;

pub(super) type Manager = ChannelManager<
    Arc<Monitor>,
    Arc<Nothing>,
    Arc<KeysManager>,
    Arc<KeysManager>,
    Arc<KeysManager>,
    Arc<Nothing>,
    Arc<Nothing>,
    Arc<Nothing>,
    Arc<Nothing>,
>;

/// A node: its keys, its channels, and who it is.
pub(super) struct Peer {
    pub(super) manager: Manager,
    pub(super) keys: Arc<KeysManager>,
    pub(super) id: PublicKey,
}

impl Peer {
    /// The node whose keys come from this seed. It begins without channels at every start, so the moment, since 1970,
    /// keeps the keys of its channels apart from those of an earlier start.
    pub(super) fn new(seed: &Preimage, network: Network, now: Duration) -> Self {
        let nothing = Arc::new(Nothing);
        let keys = Arc::new(KeysManager::new(seed, now.as_secs(), now.subsec_nanos(), true));
        let monitor = Arc::new(ChainMonitor::new(
            None,
            Arc::clone(&nothing),
            Arc::clone(&nothing),
            Arc::clone(&nothing),
            Arc::clone(&nothing),
            Arc::clone(&keys),
            keys.get_peer_storage_key(),
        ));
        let manager = ChannelManager::new(
            Arc::clone(&nothing),
            monitor,
            Arc::clone(&nothing),
            Arc::clone(&nothing),
            Arc::clone(&nothing),
            nothing,
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

    /// Tells this node that the other one is there. Of nodes of one kind, neither refuses.
    pub(super) fn meet(&self, other: &Self, inbound: bool) -> Result<(), ()> {
        let features = other.manager.provided_init_features(self.id);
        let hello = Init { features, networks: None, remote_network_address: None };
        self.manager.peer_connected(other.id, &hello, inbound)
    }

    /// What happened since the last call.
    pub(super) fn events(&self) -> Vec<Event> {
        let events = RefCell::new(Vec::new());
        self.manager.process_pending_events(&|event| {
            events.borrow_mut().push(event);
            Ok(())
        });
        events.into_inner()
    }

    /// Hands over all messages that wait for the other node; how many there were.
    pub(super) fn talk_to(&self, other: &Self) -> usize {
        let messages = self.manager.get_and_clear_pending_msg_events();
        let count = messages.len();
        for message in messages {
            self.say(message, other);
        }
        count
    }

    /// One message. Those that a pair with one private channel between them has no use for are dropped.
    fn say(&self, message: MessageSendEvent, other: &Self) {
        let to = &other.manager;
        match message {
            MessageSendEvent::SendOpenChannel { msg, .. } => to.handle_open_channel(self.id, &msg),
            MessageSendEvent::SendAcceptChannel { msg, .. } => to.handle_accept_channel(self.id, &msg),
            MessageSendEvent::SendFundingCreated { msg, .. } => to.handle_funding_created(self.id, &msg),
            MessageSendEvent::SendFundingSigned { msg, .. } => to.handle_funding_signed(self.id, &msg),
            MessageSendEvent::SendChannelReady { msg, .. } => to.handle_channel_ready(self.id, &msg),
            MessageSendEvent::SendChannelUpdate { msg, .. } => to.handle_channel_update(self.id, &msg),
            MessageSendEvent::UpdateHTLCs { updates, .. } => self.update(updates, other),
            MessageSendEvent::SendRevokeAndACK { msg, .. } => to.handle_revoke_and_ack(self.id, &msg),
            MessageSendEvent::SendShutdown { msg, .. } => to.handle_shutdown(self.id, &msg),
            MessageSendEvent::SendClosingSigned { msg, .. } => to.handle_closing_signed(self.id, &msg),
            MessageSendEvent::HandleError { action: ErrorAction::SendErrorMessage { msg }, .. } => {
                to.handle_error(self.id, &msg);
            }
            _ => {}
        }
    }

    /// One round of changes to a channel: payments offered, fulfilled and failed, then the signature for them all.
    fn update(&self, updates: CommitmentUpdate, other: &Self) {
        let to = &other.manager;
        updates.update_add_htlcs.iter().for_each(|msg| to.handle_update_add_htlc(self.id, msg));
        updates.update_fulfill_htlcs.into_iter().for_each(|msg| to.handle_update_fulfill_htlc(self.id, msg));
        updates.update_fail_htlcs.iter().for_each(|msg| to.handle_update_fail_htlc(self.id, msg));
        let malformed = updates.update_fail_malformed_htlcs.iter();
        malformed.for_each(|msg| to.handle_update_fail_malformed_htlc(self.id, msg));
        updates.update_fee.iter().for_each(|msg| to.handle_update_fee(self.id, msg));
        updates.commitment_signed.iter().for_each(|msg| to.handle_commitment_signed(self.id, msg));
    }
}

/// A channel may be used up to its brim, and needs no block: the one who opens it is trusted.
fn config() -> UserConfig {
    let mut config = UserConfig { manually_accept_inbound_channels: true, ..UserConfig::default() };
    config.channel_handshake_limits.max_funding_satoshis = CHANNEL_SATOSHI;
    config.channel_handshake_config.max_inbound_htlc_value_in_flight_percent_of_channel = 100;
    config.channel_handshake_config.negotiate_anchors_zero_fee_htlc_tx = false;
    config
}
