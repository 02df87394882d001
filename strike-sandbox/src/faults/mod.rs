//! Faults: lost, truncated, delayed and wrong responses, on purpose.
//!
//! A [`Plan`] is a list of rules. In each rule, a [`Match`] selects requests and a [`Fault`] says
//! what happens to them. The fault also decides whether a create with a fault stores its charge.
//!
//! In this example the sandbox stores the first charge and then closes the connection without a
//! response. A client that simply retries creates a second charge:
//!
//! ```
//! use std::time::Duration;
//! use strike_core::{Delivery, Exchange, TransportErrorKind, http};
//! use strike_sandbox::Sandbox;
//! use strike_sandbox::faults::{Fault, Match, Plan};
//!
//! let plan = Plan::new().on(Match::create().first(1), Fault::close());
//! let sandbox = Sandbox::builder().api_key("sk_demo").faults(plan).build();
//!
//! let create = || {
//!     let request = http::Request::post(format!("{}charges", sandbox.base_url()))
//!         .header("authorization", "Basic c2tfZGVtbzo=") // base64 of `sk_demo:`
//!         .header("content-type", "application/x-www-form-urlencoded")
//!         .body(b"amount=4200&currency=btc&description=tea".to_vec())?;
//!     Ok::<_, http::Error>(Exchange::new(request, Duration::from_secs(10), 1 << 20))
//! };
//! let lost = sandbox.reply(create()?).unwrap_err();
//! assert_eq!((lost.kind(), lost.delivery()), (TransportErrorKind::Closed, Delivery::MaybeSent));
//! assert_eq!(sandbox.charges(), 1);
//! assert_eq!(sandbox.reply(create()?)?.status(), 200);
//! assert_eq!((sandbox.faults()[0].matched(), sandbox.faults()[0].fired()), (2, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where faults apply
//!
//! | call | faults |
//! | --- | --- |
//! | a request to a running sandbox | performed on the socket |
//! | [`Sandbox::reply`](crate::Sandbox::reply) | the error that a transport would return, at once |
//! | [`Sandbox::respond`](crate::Sandbox::respond), [`Sandbox::create`](crate::Sandbox::create) | none, and no rule counts the request |
//!
//! Faults apply only to requests below `/api/` and to the routes of phoenixd's API. The sandbox's own
//! routes below `/sandbox/` and its web page never have faults, so you can always list and clear the
//! rules.
//!
//! [`Sandbox::reply`](crate::Sandbox::reply) does not sleep. It compares the delay with the timeout
//! of the exchange. No fault moves the sandbox's clock.
//!
//! # Which rule fires
//!
//! Each rule counts every request that matches it, even if another rule fires. If several rules
//! select the same request, the first one in the plan fires.
//!
//! Random values (probability, jitter, garbage) depend on the sandbox's seed. They use a separate
//! stream, so a plan does not change the ids and preimages of charges.
//!
//! # JSON
//!
//! [`Plan::from_json`], the flag `--faults FILE` of `strike-sandbox` and the route
//! `/sandbox/faults` accept the same JSON.

mod active_rules;
mod behavior;
mod error;
mod fault;
mod fixed_response;
mod json;
mod plan;
mod request_match;
mod sandbox;
mod simulated_reply;

pub use active_rules::RuleStats;
pub use error::PlanError;
pub use fault::{After, Fault};
pub use plan::{Plan, Rule};
pub use request_match::Match;

pub(crate) use active_rules::ActiveRules;
pub(crate) use behavior::Behavior;
#[cfg(feature = "server")]
pub(crate) use behavior::{MAX_FAULT_DURATION, SocketAction, head};
pub(crate) use simulated_reply::simulate_reply;

use crate::phoenixd;

/// Returns true if paths that begin with this segment belong to an API, so that they can have faults.
fn is_api(root: &str) -> bool {
    root == "api" || phoenixd::has_root(root)
}
