//! Creates a charge at most once per order key, also if the response to a create is lost.
//!
//! `machine.rs` holds the state machine, `results.rs` its transitions after each response, and
//! `accept.rs` the checks of a charge that was found. `key_search.rs` searches the list.

mod accept;
mod key_search;
mod machine;
mod options;
mod outcome;
mod results;

pub use self::machine::CreateOnce;
pub use self::options::CreateOnceOptions;
pub use self::outcome::CreateOutcome;
