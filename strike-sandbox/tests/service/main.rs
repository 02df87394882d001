//! The service in memory, through its public interface: what it answers, byte for byte where that is recorded.

mod ask;

mod access;
mod create;
mod hostile;
mod invoice;
mod layout;
mod list;
mod settlement;
