//! What was sent and returned for each order key, and whether that keeps the law.

use std::collections::BTreeSet;

use super::host::Host;

/// A create that was sent.
#[derive(Debug, Default)]
pub(crate) struct Post {
    /// The row that it made, once it arrived.
    pub(crate) row: Option<usize>,
    /// When it arrived.
    pub(crate) arrived: u64,
    /// When the machine heard of its outcome, or the shop came back after the machine was lost.
    pub(crate) reported: Option<u64>,
}

/// A payment request that a machine returned.
#[derive(Debug)]
struct Returned {
    row: usize,
    /// How many creates had been sent.
    posts: usize,
    /// The creates whose charges the list showed when the machine's last look began.
    saw: BTreeSet<usize>,
}

/// All that happened to one key.
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

    pub(crate) fn returns(&mut self, row: usize, saw: &BTreeSet<usize>) {
        self.returned.push(Returned { row, posts: self.posts.len(), saw: saw.clone() });
    }

    /// The creates whose charges the list shows now.
    pub(crate) fn listed(&self, host: &Host, now: u64) -> BTreeSet<usize> {
        let shown = |post: &Post| post.row.is_some_and(|row| host.is_listed(row, now));
        self.posts.iter().enumerate().filter(|(_, post)| shown(post)).map(|(at, _)| at).collect()
    }

    /// Whether a create was listed only after the shop had heard that it failed.
    fn is_late(post: &Post, host: &Host) -> bool {
        post.reported.is_none_or(|heard| post.arrived + host.lag() > heard)
    }

    /// The rows that were returned.
    pub(crate) fn rows(&self) -> BTreeSet<usize> {
        self.returned.iter().map(|returned| returned.row).collect()
    }

    /// Whether the law's condition does not hold: a request landed after it was given up for lost and after the
    /// last look before a return, and yet before the charge that was returned was made.
    pub(crate) fn is_excused(&self, host: &Host) -> bool {
        self.returned.iter().any(|returned| {
            let missed = |(at, post): (usize, &Post)| {
                post.row.is_some_and(|row| row < returned.row)
                    && !returned.saw.contains(&at)
                    && Self::is_late(post, host)
            };
            self.posts.iter().take(returned.posts).enumerate().any(missed)
        })
    }

    /// Holds it against the law.
    pub(crate) fn check(&self, host: &Host) -> Result<(), String> {
        let rows = self.rows();
        if rows.len() > 1 && !self.is_excused(host) {
            return Err(format!("law 1: {} payment requests for one key: {self:?}", rows.len()));
        }
        // No needless second charge: whoever creates again has looked, and what was there is found.
        let landed: Vec<&Post> = self.posts.iter().filter(|post| post.row.is_some()).collect();
        let prompt =
            landed.iter().take(landed.len().saturating_sub(1)).find(|post| !Self::is_late(post, host));
        match prompt {
            Some(post) => {
                Err(format!("law 1: a second charge although {post:?} had landed in time: {self:?}"))
            }
            None => Ok(()),
        }
    }
}
