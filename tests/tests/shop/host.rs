//! The server of the simulation: the simulated service or the real sandbox, and the actual state of
//! every charge.

use std::collections::BTreeMap;
use std::time::Duration;

use strike_core::http::Uri;
use strike_core::{Charge, ChargeId, HttpRequest, HttpResponse, UnixMillis};
use strike_sandbox::Sandbox;

use super::service::Service;

/// The actual state of a charge.
#[derive(Debug)]
pub(crate) struct ActualCharge {
    pub(crate) id: ChargeId,
    pub(crate) request: String,
    pub(crate) paid: bool,
    expires: u64,
}

#[derive(Debug)]
enum Kind {
    Simulated(Service),
    Real(Sandbox, usize),
}

#[derive(Debug)]
pub(crate) struct Host {
    kind: Kind,
    actual: Vec<ActualCharge>,
    rows: BTreeMap<ChargeId, usize>,
}

impl Host {
    pub(crate) fn simulated(cap: usize, lag: u64, dates: bool) -> Self {
        Self {
            kind: Kind::Simulated(Service::new(cap, lag, dates)),
            actual: Vec::new(),
            rows: BTreeMap::new(),
        }
    }

    pub(crate) fn real(seed: u64, cap: usize, now: u64) -> Self {
        let sandbox =
            Sandbox::builder().api_key("sk_demo").seed(seed).clock_at(UnixMillis::from_millis(now)).build();
        Self { kind: Kind::Real(sandbox, cap), actual: Vec::new(), rows: BTreeMap::new() }
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

    /// Responds to a request. Also returns the row of the charge that it created, if any.
    pub(crate) fn respond(&mut self, request: &HttpRequest, now: u64) -> (HttpResponse, Option<usize>) {
        let post = request.method() == "POST";
        let response = match &mut self.kind {
            Kind::Simulated(service) => service.respond(request, now),
            Kind::Real(sandbox, cap) => {
                set_clock(sandbox, now);
                sandbox.respond(&capped(request, *cap))
            }
        };
        if !post {
            return (response, None);
        }
        assert_eq!(response.status(), 200, "the server rejected a create: {response:?}");
        let charge: Charge = serde_json::from_slice(response.body()).unwrap();
        let row = self.actual.len();
        let invoice = charge.invoice().unwrap();
        self.rows.insert(charge.id().clone(), row);
        self.actual.push(ActualCharge {
            id: charge.id().clone(),
            request: charge.payment_request().to_owned(),
            paid: false,
            expires: invoice.expires_at().as_millis(),
        });
        if let Kind::Simulated(service) = &self.kind {
            assert_eq!(service.expires(row), self.actual[row].expires);
        }
        (response, Some(row))
    }

    /// Pays a charge. `began` is when the payer began. Returns true if this call paid it.
    pub(crate) fn pay(&mut self, row: usize, began: u64, now: u64) -> bool {
        let paid = match &mut self.kind {
            Kind::Simulated(service) => service.pay(row, began, now),
            Kind::Real(sandbox, _) => {
                set_clock(sandbox, now);
                sandbox.pay(&self.actual[row].id).is_ok()
            }
        };
        self.actual[row].paid |= paid;
        paid
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
