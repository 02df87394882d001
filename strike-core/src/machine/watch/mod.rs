//! Watches many pending charges with few requests.
//!
//! | file | contents |
//! | --- | --- |
//! | `watcher.rs` | [`Watcher`]: its settings, and the charges that it watches |
//! | `next_event.rs` | [`NextEvent`]: the machine that returns the next event |
//! | `in_flight.rs` | the requests in flight: start, poll, interrupt |
//! | `pace.rs` | how many requests are in flight, how far apart they begin, delays after failures |
//! | `results.rs` | what a response or an error changes |
//! | `scheduler.rs` | decides which page or charge to read next |
//! | `position_index.rs` | estimates where in the list a charge is |
//! | `request_health.rs` | failures of page requests and of single-charge requests |
//! | `charges.rs` | the pending charges in the order of the list, to find the next one that is due |
//! | `slots.rs` | their memory, and the way from an id to a charge |
//! | `pending.rs` | the state of one pending charge |
//! | `digest.rs` | detects that a charge has changed |
//! | `snapshot.rs`, `event.rs` | the public types [`WatcherSnapshot`] and [`Event`] |
//!
//! The path of one event:
//!
//! ```text
//!   Watcher::lane ──> NextEvent::poll
//!                        │
//!                        ├─ an ended charge is queued ──────────> Step::Done(Some(event))
//!                        ├─ no charge is pending ───────────────> Step::Done(None)
//!                        ├─ no request is due yet ──────────────> Step::Wait
//!                        │
//!                        └─ Scheduler::next: a page or a charge ─> Step::Send
//!                             │
//!                             └─ response: update the charges on it, queue the events, poll again
//! ```

mod charges;
mod digest;
mod event;
mod in_flight;
mod next_event;
mod pace;
mod pending;
mod position_index;
mod request_health;
mod results;
mod scheduler;
mod slots;
mod snapshot;
mod watcher;

pub use self::event::Event;
pub use self::next_event::NextEvent;
pub use self::snapshot::WatcherSnapshot;
pub use self::watcher::Watcher;
