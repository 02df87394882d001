//! Creates a charge at most once per order key, also if the response to a create is lost.
//!
//! `machine.rs` holds the state machine, `results.rs` its transitions after each response, and
//! `accept.rs` the checks of a charge that was found.
//!
//! `search.rs` searches for the order: with `look.rs` in what is new in the list, or with
//! `key_search.rs` in full. `list_memory.rs` is what clones remember of earlier looks.

mod accept;
mod contiguous_pages;
mod key_search;
mod list_memory;
mod look;
mod machine;
mod options;
mod outcome;
mod results;
mod search;
mod search_result;

pub(crate) use self::list_memory::ListMemory;

pub use self::machine::CreateOnce;
pub use self::options::CreateOnceOptions;
pub use self::outcome::CreateOutcome;
