//! Reads the list of charges, page by page.

pub(crate) mod cursor;
mod pager;

pub use self::pager::{NextCharge, NextPage, PageCharges, Pager};
