//! The rules, and a record of the creates and results of each order key, to check rule 1.
//!
//! 1. An order key leads to one payment request, unless a create arrives after it was given up.
//! 2. A paid order is completed.
//! 3. A completed order was paid.
//! 4. Every machine ends, and no order is left incomplete.
//! 5. No error and no machine shows a key, a password, a webhook secret or a preimage.

use std::collections::BTreeSet;

use super::host::Host;

/// A create that was sent.
#[derive(Debug, Default)]
pub(crate) struct Post {
    /// The charge's row on the server, once the create has arrived.
    pub(crate) row: Option<usize>,
    /// When the create arrived.
    pub(crate) arrived: u64,
    /// When the machine got the outcome, or when the program restarted after the machine was lost.
    pub(crate) reported: Option<u64>,
}

/// A result of a machine.
#[derive(Debug)]
struct Returned {
    row: usize,
    /// How many creates had been sent before.
    posts: usize,
    /// The creates whose charges were in the list when the machine last began to read it.
    listed_before: BTreeSet<usize>,
}

/// The creates and results of one order key.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) order: usize,
    pub(crate) posts: Vec<Post>,
    returned: Vec<Returned>,
}

impl Trace {
    pub(crate) fn of(order: usize) -> Self {
        Self { order, ..Self::default() }
    }

    pub(crate) fn returns(&mut self, row: usize, listed_before: &BTreeSet<usize>) {
        self.returned.push(Returned { row, posts: self.posts.len(), listed_before: listed_before.clone() });
    }

    /// The creates whose charges are in the list now.
    pub(crate) fn listed(&self, host: &Host, now: u64) -> BTreeSet<usize> {
        let shown = |post: &Post| post.row.is_some_and(|row| host.is_listed(row, now));
        self.posts.iter().enumerate().filter(|(_, post)| shown(post)).map(|(at, _)| at).collect()
    }

    /// Returns true if a create's charge was listed only after the shop had learned that the create
    /// failed.
    fn is_late(post: &Post, host: &Host) -> bool {
        post.reported.is_none_or(|reported| post.arrived + host.lag() > reported)
    }

    /// The charges that were returned, as rows of the server.
    pub(crate) fn rows(&self) -> BTreeSet<usize> {
        self.returned.iter().map(|returned| returned.row).collect()
    }

    /// Returns true if rule 1 does not apply: an earlier create arrived after it was given up, and
    /// after the machine had last read the list before it created the charge that it returned.
    pub(crate) fn is_exception(&self, host: &Host) -> bool {
        self.returned.iter().any(|returned| {
            let missed = |(at, post): (usize, &Post)| {
                post.row.is_some_and(|row| row < returned.row)
                    && !returned.listed_before.contains(&at)
                    && Self::is_late(post, host)
            };
            self.posts.iter().take(returned.posts).enumerate().any(missed)
        })
    }

    /// Checks rule 1.
    pub(crate) fn check(&self, host: &Host) -> Result<(), String> {
        let rows = self.rows();
        if rows.len() > 1 && !self.is_exception(host) {
            return Err(format!("rule 1: {} payment requests for one key: {self:?}", rows.len()));
        }
        // A second create is allowed only if the list did not show the charge of the first one in
        // time.
        let arrived: Vec<&Post> = self.posts.iter().filter(|post| post.row.is_some()).collect();
        let in_time =
            arrived.iter().take(arrived.len().saturating_sub(1)).find(|post| !Self::is_late(post, host));
        match in_time {
            Some(post) => {
                Err(format!("rule 1: a second charge although {post:?} was listed in time: {self:?}"))
            }
            None => Ok(()),
        }
    }
}
