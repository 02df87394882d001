//! The server of the simulation in one dialect: the simulated service or the real sandbox, and the
//! actual state of every charge.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use strike_core::http::Uri;
use strike_core::{ChargeId, Exchange, HttpRequest, HttpResponse, Reply, UnixMillis};
use strike_sandbox::{Phoenixd, Sandbox};
use strike_tests::Dialect;
use strike_tests::lnbits::{Ledger, Lnbits, LnbitsQuirks, Record};
use strike_tests::secrets::KEY;

use super::phoenixd;
use super::service::Service;

/// The actual state of a charge.
#[derive(Debug)]
pub(crate) struct ActualCharge {
    pub(crate) id: ChargeId,
    /// The payment hash in hex.
    pub(crate) hash: String,
    pub(crate) request: String,
    pub(crate) paid: bool,
    /// When the payment arrived.
    pub(crate) paid_at: u64,
    expires: u64,
}

#[derive(Debug)]
enum Kind {
    Simulated(Service),
    Real(Sandbox, usize),
}

#[derive(Debug)]
pub(crate) struct Host {
    dialect: Dialect,
    kind: Kind,
    /// The wallet, if the dialect is LNbits.
    pub(crate) lnbits: Lnbits,
    /// The rows that are on-chain payments, if the dialect is phoenixd.
    pub(crate) on_chain: BTreeSet<usize>,
    actual: Vec<ActualCharge>,
    rows: BTreeMap<ChargeId, usize>,
}

impl Host {
    pub(crate) fn simulated(dialect: Dialect, service: Service, quirks: LnbitsQuirks) -> Self {
        Self::new(dialect, Kind::Simulated(service), quirks)
    }

    pub(crate) fn real(dialect: Dialect, seed: u64, cap: usize, now: u64, quirks: LnbitsQuirks) -> Self {
        let phoenixd = Phoenixd::new().limited_password(KEY).fee_millisatoshi(7000);
        let builder = Sandbox::builder().api_key(KEY).phoenixd(phoenixd).seed(seed);
        Self::new(dialect, Kind::Real(builder.clock_at(UnixMillis::from_millis(now)).build(), cap), quirks)
    }

    fn new(dialect: Dialect, kind: Kind, quirks: LnbitsQuirks) -> Self {
        let lnbits = Lnbits::new(KEY, quirks);
        Self { dialect, kind, lnbits, on_chain: BTreeSet::new(), actual: Vec::new(), rows: BTreeMap::new() }
    }

    pub(crate) fn is_real(&self) -> bool {
        matches!(self.kind, Kind::Real(..))
    }

    pub(crate) fn actual(&self) -> &[ActualCharge] {
        &self.actual
    }

    pub(crate) fn row(&self, id: &ChargeId) -> Option<usize> {
        self.rows.get(id).copied()
    }

    /// Returns true if the list contains the charge.
    pub(crate) fn is_listed(&self, row: usize, now: u64) -> bool {
        match &self.kind {
            Kind::Simulated(service) => service.is_listed(row, now),
            Kind::Real(..) => true,
        }
    }

    pub(crate) fn lag(&self) -> u64 {
        if let Kind::Simulated(service) = &self.kind { service.lag } else { 0 }
    }

    pub(crate) fn expires(&self, row: usize) -> u64 {
        self.actual[row].expires
    }

    /// Returns true if no client could learn of a payment before the end of the grace period.
    pub(crate) fn hides(&self, row: usize, grace: u64) -> bool {
        let until = UnixMillis::from_millis(self.actual[row].expires + grace);
        self.dialect == Dialect::Lnbits && self.lnbits.hides(&self.actual[row].hash, until)
    }

    /// Responds to a request. Also returns the row of the charge that it created, if any.
    pub(crate) fn respond(&mut self, request: &HttpRequest, now: u64) -> (HttpResponse, Option<usize>) {
        let post = request.method() == "POST";
        let response = match (self.dialect, &mut self.kind) {
            (Dialect::Strike, Kind::Simulated(service)) => service.respond(request, now),
            (Dialect::Strike, Kind::Real(sandbox, cap)) => {
                set_clock(sandbox, now);
                sandbox.respond(&capped(request, *cap))
            }
            (Dialect::Phoenixd, Kind::Simulated(service)) => {
                phoenixd::respond(service, request, now, |row| self.on_chain.contains(&row))
            }
            (Dialect::Phoenixd, Kind::Real(sandbox, _)) => {
                set_clock(sandbox, now);
                sandbox.respond(request)
            }
            (Dialect::Lnbits, kind) => {
                let exchange = Exchange::new(request.clone(), Duration::from_secs(60), 64 << 20);
                let reply = match kind {
                    Kind::Simulated(service) => self.lnbits.exchange(exchange, &mut At { service, now }),
                    Kind::Real(sandbox, _) => {
                        set_clock(sandbox, now);
                        self.lnbits.exchange(exchange, sandbox)
                    }
                };
                reply.unwrap()
            }
        };
        if !post {
            return (response, None);
        }
        assert!(response.status().is_success(), "the server rejected a create: {response:?}");
        let row = self.actual.len();
        let created = self.created();
        self.rows.insert(created.id.clone(), row);
        self.actual.push(created);
        (response, Some(row))
    }

    /// The actual state of the newest charge.
    fn created(&self) -> ActualCharge {
        let (strike_id, record) = match &self.kind {
            Kind::Simulated(service) => {
                (Service::id(service.records.len() - 1), service.records.last().unwrap().clone())
            }
            Kind::Real(sandbox, _) => {
                (sandbox.list_all()[0].id().to_string(), sandbox.records().last().unwrap().clone())
            }
        };
        let id = if self.dialect == Dialect::Strike { strike_id } else { record.hash.clone() };
        ActualCharge {
            id: ChargeId::new(id).unwrap(),
            hash: record.hash,
            request: record.payment_request,
            paid: false,
            paid_at: 0,
            expires: record.expires.as_millis(),
        }
    }

    /// Pays a charge. `began` is when the payer began. Returns true if this call paid it.
    pub(crate) fn pay(&mut self, row: usize, began: u64, now: u64) -> bool {
        let actual = &mut self.actual[row];
        let paid = match &mut self.kind {
            Kind::Simulated(service) => service.pay(row, began, now),
            Kind::Real(sandbox, _) => {
                set_clock(sandbox, now);
                sandbox.pay(&actual.id).is_ok()
            }
        };
        if paid {
            (actual.paid, actual.paid_at) = (true, now);
        }
        paid
    }
}

/// The simulated service at a time, as the node below LNbits.
struct At<'a> {
    service: &'a mut Service,
    now: u64,
}

impl Ledger for At<'_> {
    fn exchange(&mut self, exchange: Exchange) -> Reply {
        Ok(self.service.respond(&exchange.request, self.now))
    }

    fn records(&self) -> Cow<'_, [Record]> {
        Cow::Borrowed(&self.service.records)
    }

    fn now(&self) -> UnixMillis {
        UnixMillis::from_millis(self.now)
    }
}

fn set_clock(sandbox: &Sandbox, now: u64) {
    sandbox.advance(Duration::from_millis(now - sandbox.now().as_millis()));
}

/// Limits the page size of a request, like a server that only allows smaller pages.
fn capped(request: &HttpRequest, cap: usize) -> HttpRequest {
    let mut request = request.clone();
    let uri = request.uri().to_string();
    if let Some((head, size)) = uri.rsplit_once("&size=") {
        let size = size.parse::<usize>().unwrap().min(cap);
        *request.uri_mut() = Uri::try_from(format!("{head}&size={size}")).unwrap();
    }
    request
}
