//! Two Lightning nodes in this process with a channel between them. A real HTLC pays the invoice
//! and returns the preimage.
//!
//! There is no blockchain. The funding transaction is never broadcast, and the channel is usable
//! immediately. The messages between the nodes are real: onions, commitments, revocations and
//! fulfilments.

mod in_memory_node;
mod no_op;

use std::time::Duration;

use bitcoin::absolute::LockTime;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::transaction::Version;
use bitcoin::{Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use lightning::events::Event;
use lightning::ln::channel_state::ChannelDetails;
use lightning::ln::channelmanager::{PaymentId, RecipientOnionFields};
use lightning::ln::msgs::BaseMessageHandler;
use lightning::routing::router::{Path, Route, RouteHop};
use lightning::types::features::ChannelFeatures;
use lightning::types::payment::{PaymentHash, PaymentPreimage};
use lightning_invoice::Bolt11Invoice;
use strike_core::UnixMillis;

use self::in_memory_node::InMemoryNode;
use super::invoice::{InvoiceTerms, NodeKey, Signer, SigningError};
use super::{Node, PayError, Preimage};

/// The capacity of a channel, funded by the payer. It is enough for about 200 payments of the
/// largest amount.
const CHANNEL_SATOSHI: u64 = 1_000_000_000;
/// The CLTV delta of the last hop, in blocks: three more than the library's minimum, so that the
/// payee accepts the payment.
const MIN_FINAL_CLTV_EXPIRY_DELTA: u16 = 42;
/// The most rounds of message delivery for one payment. A payment takes about ten rounds.
const MAX_ROUNDS: usize = 100;

/// The service's node and the payer's wallet.
pub(crate) struct LightningNode {
    payer: InMemoryNode,
    payee: InMemoryNode,
    signer: Signer,
    channels: u64,
    payments: u64,
}

impl LightningNode {
    pub(crate) fn new(network: strike_core::Network, key: NodeKey, now: UnixMillis) -> Self {
        let chain = match network {
            strike_core::Network::Bitcoin => Network::Bitcoin,
            strike_core::Network::Testnet => Network::Testnet,
            strike_core::Network::Signet => Network::Signet,
            strike_core::Network::Regtest => Network::Regtest,
        };
        let now = Duration::from_millis(now.as_millis());
        let payee = key.to_bytes();
        // The payer's seed only has to differ from the payee's.
        let payer = sha256::Hash::hash(&payee).to_byte_array();
        let [payee, payer] = [payee, payer].map(|seed| InMemoryNode::new(&seed, chain, now));
        let signer =
            Signer::with_cltv_delta(network, payee.keys.get_node_secret_key(), MIN_FINAL_CLTV_EXPIRY_DELTA);
        // Both nodes have the same features, so connecting does not fail. If it did, no channel
        // would open.
        let _ = payer.connect(&payee, false);
        let _ = payee.connect(&payer, true);
        Self { payer, payee, signer, channels: 0, payments: 0 }
    }

    /// Returns a channel that can send this amount. Opens a new one if there is none.
    fn channel(&mut self, millisatoshi: u64) -> Option<ChannelDetails> {
        let fits = |channel: &ChannelDetails| channel.next_outbound_htlc_limit_msat >= millisatoshi;
        let find = |payer: &InMemoryNode| payer.manager.list_usable_channels().into_iter().find(fits);
        find(&self.payer).or_else(|| {
            self.channels = self.channels.saturating_add(1);
            let (payee, number) = (self.payee.id, u128::from(self.channels));
            self.payer.manager.create_channel(payee, CHANNEL_SATOSHI, 0, number, None, None).ok()?;
            self.exchange_messages(None);
            find(&self.payer)
        })
    }

    /// Delivers messages until neither node has more. Returns the preimage that the payer received.
    ///
    /// The payee claims the payment that matches `claim` and rejects all others.
    fn exchange_messages(&self, claim: Option<&Preimage>) -> Option<Preimage> {
        let mut received = None;
        for _ in 0..MAX_ROUNDS {
            let delivered =
                self.payer.deliver_messages(&self.payee) + self.payee.deliver_messages(&self.payer);
            for peer in [&self.payer, &self.payee] {
                peer.manager.process_pending_htlc_forwards();
            }
            let events: Vec<Event> =
                self.payer.take_events().into_iter().chain(self.payee.take_events()).collect();
            if delivered == 0 && events.is_empty() {
                break;
            }
            for event in events {
                received = self.handle_event(event, claim).or(received);
            }
        }
        received
    }

    /// Handles an event of either node. Returns the preimage if the event is a successful payment.
    fn handle_event(&self, event: Event, claim: Option<&Preimage>) -> Option<Preimage> {
        match event {
            Event::OpenChannelRequest { temporary_channel_id, counterparty_node_id, .. } => {
                // If this fails, no usable channel appears and the payment fails.
                let _ = self.payee.manager.accept_inbound_channel_from_trusted_peer_0conf(
                    &temporary_channel_id,
                    &counterparty_node_id,
                    0,
                    None,
                );
            }
            Event::FundingGenerationReady {
                temporary_channel_id,
                counterparty_node_id,
                channel_value_satoshis,
                output_script,
                ..
            } => {
                let funding = self.funding_transaction(channel_value_satoshis, output_script);
                // As above.
                let _ = self.payer.manager.funding_transaction_generated(
                    temporary_channel_id,
                    counterparty_node_id,
                    funding,
                );
            }
            Event::PaymentClaimable { payment_hash, .. } => match claim {
                Some(preimage) if sha256::Hash::hash(preimage).to_byte_array() == payment_hash.0 => {
                    self.payee.manager.claim_funds(PaymentPreimage(*preimage));
                }
                _ => self.payee.manager.fail_htlc_backwards(&payment_hash),
            },
            Event::PaymentSent { payment_preimage, .. } => return Some(payment_preimage.0),
            _ => {}
        }
        None
    }

    /// Returns a funding transaction that looks signed. Its input does not exist and differs for
    /// each channel.
    fn funding_transaction(&self, satoshi: u64, script_pubkey: ScriptBuf) -> Transaction {
        let txid = Txid::from_raw_hash(Hash::hash(&self.channels.to_le_bytes()));
        Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint { txid, vout: 0 },
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::from_slice(&[[0; 64]]),
            }],
            output: vec![TxOut { value: Amount::from_sat(satoshi), script_pubkey }],
        }
    }

    /// Returns the route over this channel, which has one hop.
    fn route(&self, channel: &ChannelDetails, millisatoshi: u64, cltv_delta: u32) -> Option<Route> {
        let hop = RouteHop {
            pubkey: self.payee.id,
            node_features: self.payee.manager.provided_node_features(),
            short_channel_id: channel.get_outbound_payment_scid()?,
            channel_features: ChannelFeatures::empty(),
            fee_msat: millisatoshi,
            cltv_expiry_delta: cltv_delta,
            maybe_announced_channel: false,
        };
        Some(Route { paths: vec![Path { hops: vec![hop], blinded_tail: None }], route_params: None })
    }
}

impl Node for LightningNode {
    fn payee(&self) -> String {
        self.signer.payee()
    }

    /// Replaces the payment secret with one from the node, which later recognizes the payment by
    /// it.
    fn invoice(&mut self, terms: &InvoiceTerms<'_>) -> Result<String, SigningError> {
        let lifetime = terms.expiry.unwrap_or(super::DEFAULT_EXPIRY).as_secs();
        let secret = self
            .payee
            .manager
            .create_inbound_payment_for_hash(
                PaymentHash(*terms.payment_hash.as_bytes()),
                terms.amount.millisatoshi(),
                u32::try_from(lifetime).unwrap_or(u32::MAX),
                Some(MIN_FINAL_CLTV_EXPIRY_DELTA),
            )
            .map_err(|()| SigningError)?;
        self.signer.sign(&InvoiceTerms { payment_secret: secret.0, ..*terms })
    }

    fn settle(&mut self, invoice: &str, preimage: &Preimage, now: UnixMillis) -> Result<Preimage, PayError> {
        // Invoices in the format of 2018 have no payment secret, so they fail to parse here.
        let invoice: Bolt11Invoice = invoice.parse().map_err(|_| PayError::Unpaid)?;
        if invoice.get_payee_pub_key() != self.payee.id {
            return Err(PayError::UnknownInvoice);
        }
        if invoice.would_expire(Duration::from_millis(now.as_millis())) {
            return Err(PayError::Expired);
        }
        let millisatoshi = invoice.amount_milli_satoshis().ok_or(PayError::UnknownInvoice)?;
        let channel = self.channel(millisatoshi).ok_or(PayError::Unpaid)?;
        let cltv_delta =
            u32::try_from(invoice.min_final_cltv_expiry_delta()).map_err(|_| PayError::Unpaid)?;
        let route = self.route(&channel, millisatoshi, cltv_delta).ok_or(PayError::Unpaid)?;
        let hash = invoice.payment_hash().to_byte_array();
        let mut onion = RecipientOnionFields::secret_only(*invoice.payment_secret());
        onion.payment_metadata = invoice.payment_metadata().cloned();
        // Each attempt needs a new payment id, because the same invoice may be paid again after a
        // reset.
        self.payments = self.payments.saturating_add(1);
        let id = PaymentId(sha256::Hash::hash(&self.payments.to_le_bytes()).to_byte_array());
        self.payer
            .manager
            .send_payment_with_route(route, PaymentHash(hash), onion, id)
            .map_err(|_| PayError::Unpaid)?;
        let result = self.exchange_messages(Some(preimage)).ok_or(PayError::Unpaid);
        if result.is_err() {
            self.payer.manager.abandon_payment(id);
            self.exchange_messages(None);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use strike_core::{Network, Satoshi};

    use super::*;
    use crate::entropy::Entropy;
    use crate::node::{Description, InvoiceFormat, payment_hash};

    const NOW: UnixMillis = UnixMillis::from_secs(1_700_000_000);

    fn node() -> LightningNode {
        LightningNode::new(Network::Regtest, NodeKey::draw(&mut Entropy::from_seed(7)), NOW)
    }

    fn invoice(node: &mut LightningNode, preimage: &Preimage, satoshi: u64) -> String {
        let terms = InvoiceTerms {
            format: InvoiceFormat::Current,
            amount: Satoshi::new(satoshi),
            description: Description::Text("tea"),
            payment_hash: payment_hash(preimage),
            payment_secret: [0; 32],
            timestamp: Duration::from_secs(NOW.as_millis() / 1000),
            expiry: None,
        };
        node.invoice(&terms).expect("a valid invoice")
    }

    /// Returns the payer's outbound capacity over all channels, in millisatoshi.
    fn outbound_capacity(node: &LightningNode) -> u64 {
        node.payer.manager.list_usable_channels().iter().map(|channel| channel.outbound_capacity_msat).sum()
    }

    #[test]
    fn payment_moves_funds_over_the_channel_and_returns_the_preimage() {
        let mut node = node();
        let first = invoice(&mut node, &[1; 32], 1);
        assert_eq!(node.settle(&first, &[1; 32], NOW), Ok([1; 32]));
        let before = outbound_capacity(&node);
        let second = invoice(&mut node, &[2; 32], 4_294_967);
        assert_eq!(node.settle(&second, &[2; 32], NOW), Ok([2; 32]));
        assert_eq!(before - outbound_capacity(&node), 4_294_967_000);
        assert_eq!(node.channels, 1);
    }

    #[test]
    fn payment_with_a_wrong_preimage_fails_and_can_be_retried() {
        let mut node = node();
        let text = invoice(&mut node, &[1; 32], 1);
        assert_eq!(node.settle(&text, &[2; 32], NOW), Err(PayError::Unpaid));
        assert_eq!(node.settle(&text, &[1; 32], NOW), Ok([1; 32]));
        // The ledger prevents double payments. The node must allow them, because the same invoice
        // can be created again after a reset.
        assert_eq!(node.settle(&text, &[1; 32], NOW), Ok([1; 32]));
    }

    #[test]
    fn foreign_and_expired_invoices_are_not_paid() {
        let mut node = node();
        let text = invoice(&mut node, &[1; 32], 1);
        let mut other_node =
            LightningNode::new(Network::Regtest, NodeKey::draw(&mut Entropy::from_seed(8)), NOW);
        assert_eq!(other_node.settle(&text, &[1; 32], NOW), Err(PayError::UnknownInvoice));
        assert_eq!(node.settle("lnbcrt1", &[1; 32], NOW), Err(PayError::Unpaid));
        let late = NOW.saturating_add(Duration::from_secs(3601));
        assert_eq!(node.settle(&text, &[1; 32], late), Err(PayError::Expired));
    }

    #[test]
    fn new_channel_is_opened_when_capacity_runs_out() {
        let mut node = node();
        for n in 0_u16..240 {
            let mut preimage = [0; 32];
            preimage[..2].copy_from_slice(&n.to_le_bytes());
            let text = invoice(&mut node, &preimage, 4_294_967);
            assert_eq!(node.settle(&text, &preimage, NOW), Ok(preimage), "payment {n}");
        }
        assert_eq!(node.channels, 2);
    }
}
