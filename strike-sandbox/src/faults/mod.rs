//! What goes wrong on purpose: a plan says which requests are struck, and what becomes of them.
//!
//! A [`Plan`] is a list of rules: [`Match`] says which requests a rule is for, [`Fault`] what happens to them. Whether a
//! struck create leaves a charge behind is part of the fault. Here the server hangs up after the first create was
//! stored, which is the moment at which a careless shop makes a second charge:
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
//! # Where faults strike
//!
//! A plan is for the API: requests below `/api/`. The sandbox's own controls below `/sandbox/` and its pages are never
//! struck, whatever a pattern says, so that a plan can always be read and cleared.
//!
//! A running sandbox performs a fault on the socket. In memory, [`Sandbox::reply`](crate::Sandbox::reply) tells what
//! a transport would have told, in no time: delays are compared with the exchange's timeout and not slept. No fault moves
//! the sandbox's clock. [`Sandbox::respond`](crate::Sandbox::respond) is the service behind all of this: it plays no
//! faults, and no rule counts what passes there.
//!
//! # Which rule fires
//!
//! Each rule counts the requests that match it, those that another rule struck included. When several are due for one
//! request, the first in the plan fires and the others do not. What is drawn (chances, jitter, garbage) comes from the
//! sandbox's seed, in a stream of its own: with or without a plan, ids and preimages stay the same.
//!
//! The same plans can be given as JSON: [`Plan::from_json`], `strike-sandbox --faults FILE`, and `/sandbox/faults`.

mod canned;
mod control;
mod course;
mod error;
mod fault;
mod live;
mod on;
mod plan;
mod seen;
mod shape;

pub use error::PlanError;
pub use fault::{After, Fault};
pub use live::RuleStats;
pub use on::Match;
pub use plan::{Plan, Rule};

pub(crate) use course::Course;
#[cfg(feature = "server")]
pub(crate) use course::{Act, LONGEST};
pub(crate) use live::Faults;
pub(crate) use seen::seen;
