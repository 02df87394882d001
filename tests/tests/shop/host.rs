//! The host as the simulation sees it: the light service or the real sandbox, and the truth about every charge.

use std::collections::BTreeMap;
use std::time::Duration;

use strike_core::http::Uri;
use strike_core::{Charge, ChargeId, HttpRequest, HttpResponse, UnixMillis};
use strike_sandbox::Sandbox;

use super::service::Service;

/// What really is.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) id: ChargeId,
    pub(crate) request: String,
    pub(crate) paid: bool,
    expires: u64,
}

#[derive(Debug)]
enum Kind {
    Light(Service),
    Real(Sandbox, usize),
}

#[derive(Debug)]
pub(crate) struct Host {
    kind: Kind,
    truths: Vec<Truth>,
    rows: BTreeMap<ChargeId, usize>,
}

impl Host {
    pub(crate) fn light(cap: usize, lag: u64, dates: bool) -> Self {
        Self { kind: Kind::Light(Service::new(cap, lag, dates)), truths: Vec::new(), rows: BTreeMap::new() }
    }

    pub(crate) fn real(seed: u64, cap: usize, now: u64) -> Self {
        let sandbox =
            Sandbox::builder().api_key("sk_demo").seed(seed).clock_at(UnixMillis::from_millis(now)).build();
        Self { kind: Kind::Real(sandbox, cap), truths: Vec::new(), rows: BTreeMap::new() }
    }

    pub(crate) fn is_real(&self) -> bool {
        matches!(self.kind, Kind::Real(..))
    }

    pub(crate) fn truths(&self) -> &[Truth] {
        &self.truths
    }

    pub(crate) fn row(&self, id: &ChargeId) -> Option<usize> {
        self.rows.get(id).copied()
    }

    /// Whether the list shows the charge.
    pub(crate) fn is_listed(&self, row: usize, now: u64) -> bool {
        match &self.kind {
            Kind::Light(service) => service.is_listed(row, now),
            Kind::Real(..) => true,
        }
    }

    pub(crate) fn lag(&self) -> u64 {
        if let Kind::Light(service) = &self.kind { service.lag } else { 0 }
    }

    pub(crate) fn expires(&self, row: usize) -> u64 {
        self.truths[row].expires
    }

    /// Answers a request; with a row if it made a charge.
    pub(crate) fn respond(&mut self, request: &HttpRequest, now: u64) -> (HttpResponse, Option<usize>) {
        let post = request.method() == "POST";
        let response = match &mut self.kind {
            Kind::Light(service) => service.respond(request, now),
            Kind::Real(sandbox, cap) => {
                set(sandbox, now);
                sandbox.respond(&capped(request, *cap))
            }
        };
        if !post {
            return (response, None);
        }
        assert_eq!(response.status(), 200, "the host refused a create: {response:?}");
        let charge: Charge = serde_json::from_slice(response.body()).unwrap();
        let row = self.truths.len();
        let invoice = charge.invoice().unwrap();
        self.rows.insert(charge.id().clone(), row);
        self.truths.push(Truth {
            id: charge.id().clone(),
            request: charge.payment_request().to_owned(),
            paid: false,
            expires: invoice.expires_at().as_millis(),
        });
        if let Kind::Light(service) = &self.kind {
            assert_eq!(service.expires(row), self.truths[row].expires);
        }
        (response, Some(row))
    }

    /// Pays, as a payer who began then; true if it is paid by this.
    pub(crate) fn pay(&mut self, row: usize, began: u64, now: u64) -> bool {
        let paid = match &mut self.kind {
            Kind::Light(service) => service.pay(row, began, now),
            Kind::Real(sandbox, _) => {
                set(sandbox, now);
                sandbox.pay(&self.truths[row].id).is_ok()
            }
        };
        self.truths[row].paid |= paid;
        paid
    }
}

fn set(sandbox: &Sandbox, now: u64) {
    sandbox.advance(Duration::from_millis(now - sandbox.now().as_millis()));
}

/// The request as a host sees it that allows smaller pages only.
fn capped(request: &HttpRequest, cap: usize) -> HttpRequest {
    let mut request = request.clone();
    let uri = request.uri().to_string();
    if let Some((head, size)) = uri.rsplit_once("&size=") {
        let size = size.parse::<usize>().unwrap().min(cap);
        *request.uri_mut() = Uri::try_from(format!("{head}&size={size}")).unwrap();
    }
    request
}
