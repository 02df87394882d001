//! What LNbits stores about a payment: its status, and when it learns of the node's.

use strike_core::UnixMillis;

use super::{Ledger, Lnbits, Record};

/// The status of a payment in LNbits' own database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Not paid, as far as LNbits knows.
    #[default]
    Pending,
    /// Paid.
    Success,
    /// Expired, by LNbits' clock. The node may have received the payment.
    Failed,
}

impl Status {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failed => "failed",
        }
    }
}

/// The kind of a payment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// An invoice of this SDK.
    #[default]
    Charge,
    /// An invoice that the same wallet pays. It then has two rows with one payment hash.
    SelfPaid,
    /// An invoice of other software, over a fraction of a satoshi.
    Fractional,
    /// An invoice of other software, without an amount.
    OpenAmount,
}

/// How the node's event of a payment arrives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum NodeEvent {
    /// With the payment.
    #[default]
    AtOnce,
    /// Not yet, or never.
    Withheld,
    /// It arrived late.
    Late,
}

/// What LNbits stores about a payment.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) external_id: Option<String>,
    pub(super) status: Status,
    /// When LNbits learned of the payment.
    pub(super) settled: Option<UnixMillis>,
    /// Whether it learned of it by an event. That decides the sign of the fee.
    pub(super) by_event: bool,
    event: NodeEvent,
    pub(super) kind: Kind,
}

impl Entry {
    pub(super) fn new(external_id: Option<String>) -> Self {
        Self { external_id, ..Self::default() }
    }

    /// Returns the amount in millisatoshi.
    pub(super) fn amount(&self, record: &Record, is_outgoing: bool) -> i64 {
        let msat = i64::try_from(record.amount).unwrap_or(i64::MAX).saturating_mul(1000);
        match self.kind {
            Kind::OpenAmount => 0,
            Kind::Fractional => msat.saturating_add(1),
            _ if is_outgoing => msat.saturating_neg(),
            _ => msat,
        }
    }
}

impl Lnbits {
    pub(super) fn entry(&mut self, hash: &str) -> &mut Entry {
        if !self.entries.contains_key(hash) {
            let event = if self.quirks.events_are_lost { NodeEvent::Withheld } else { NodeEvent::AtOnce };
            self.entries.insert(hash.to_owned(), Entry { event, ..Entry::default() });
        }
        self.entries.entry(hash.to_owned()).or_default()
    }

    /// Updates a row: by the node's event, unless it is withheld, and by asking the node, if the
    /// request does so.
    pub(super) fn look(&mut self, record: &Record, asks_node: bool, ledger: &impl Ledger) {
        let now = ledger.now();
        let entry = self.entry(&record.hash);
        if record.paid && entry.event == NodeEvent::AtOnce && entry.status != Status::Success {
            (entry.status, entry.settled, entry.by_event) = (Status::Success, Some(record.updated), true);
        }
        if asks_node && entry.status == Status::Pending {
            // The clock is looked at first. After the expiry, the node is not asked.
            if record.expires < now {
                entry.status = Status::Failed;
            } else if record.paid {
                (entry.status, entry.settled) = (Status::Success, Some(now));
            }
        }
    }

    /// Sets the kind of a payment.
    pub fn mark(&mut self, hash: &str, kind: Kind) {
        self.entry(hash).kind = kind;
    }

    /// Withholds the node's event of a payment. Call it before the payment.
    pub fn withhold(&mut self, hash: &str) {
        self.entry(hash).event = NodeEvent::Withheld;
    }

    /// Delivers the node's event of a payment, late.
    pub fn deliver(&mut self, hash: &str, now: UnixMillis) {
        let entry = self.entry(hash);
        entry.event = NodeEvent::Late;
        if entry.status != Status::Success {
            (entry.status, entry.settled, entry.by_event) = (Status::Success, Some(now), true);
        }
    }

    /// Returns true if a client could not learn of a payment before this time: its event did not
    /// arrive, and no request made LNbits ask the node before the invoice expired.
    #[must_use]
    pub fn hides(&self, hash: &str, until: UnixMillis) -> bool {
        let is_late = |entry: &Entry| entry.settled.is_none_or(|settled| settled > until);
        self.entries.get(hash).is_some_and(|entry| entry.event != NodeEvent::AtOnce && is_late(entry))
    }

    /// Returns the status that LNbits has stored for a payment.
    #[must_use]
    pub fn status(&self, hash: &str) -> Option<Status> {
        self.entries.get(hash).map(|entry| entry.status)
    }
}
