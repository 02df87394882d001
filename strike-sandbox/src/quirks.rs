//! Ways to be stricter or odder than the service mostly was: each is off until it is asked for.

use std::time::Duration;

/// What a sandbox does otherwise than by default: as the service once did, or to see whether a client bears it.
///
/// ```
/// use strike_sandbox::{Quirks, Sandbox};
///
/// // The service as it was in April 2018.
/// let quirks = Quirks::new().timestamps_in_seconds().long_ids().invoices_of_2018();
/// let sandbox = Sandbox::builder().quirks(quirks).build();
/// assert_eq!(sandbox.charges(), 0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct Quirks {
    pub(crate) timestamps_in_seconds: bool,
    pub(crate) long_ids: bool,
    pub(crate) invoices_of_2018: bool,
    pub(crate) description_required: bool,
    pub(crate) largest_page: Option<usize>,
    pub(crate) requests_per_minute: Option<u32>,
    pub(crate) without_retry_after: bool,
    pub(crate) extra_keys: bool,
    pub(crate) list_lag: Duration,
    fail_before_create: u64,
    fail_after_create: u64,
}

impl Quirks {
    /// None of them.
    pub const fn new() -> Self {
        Self {
            timestamps_in_seconds: false,
            long_ids: false,
            invoices_of_2018: false,
            description_required: false,
            largest_page: None,
            requests_per_minute: None,
            without_retry_after: false,
            extra_keys: false,
            list_lag: Duration::ZERO,
            fail_before_create: 0,
            fail_after_create: 0,
        }
    }

    /// `created` and `updated` in seconds instead of milliseconds, as recorded on 1 April 2018.
    pub const fn timestamps_in_seconds(mut self) -> Self {
        self.timestamps_in_seconds = true;
        self
    }

    /// Ids of `ch_` and 44 characters instead of 29, as recorded on 1 April 2018.
    pub const fn long_ids(mut self) -> Self {
        self.long_ids = true;
        self
    }

    /// Invoices as recorded until 2019: without payment secret and features, and with 10 blocks for the last hop.
    /// Wallets of today do not pay them; whoever keeps old invoices still has to read them.
    pub const fn invoices_of_2018(mut self) -> Self {
        self.invoices_of_2018 = true;
        self
    }

    /// Refuses a charge without a description with 400; an empty one is a description. No recording shows
    /// whether the service did, since every client sent one.
    pub const fn description_required(mut self) -> Self {
        self.description_required = true;
        self
    }

    /// Gives at most so many rows of a list, whatever `size` asks for; 1000 unless set. With 0 every list is empty. Whether the service had
    /// such a limit is unknown: this shows whether a client takes a short page for the last one.
    pub const fn largest_page(mut self, rows: usize) -> Self {
        self.largest_page = Some(rows);
        self
    }

    /// Answers 429 to what goes beyond so many requests in a minute, which begins with the first of them and is
    /// measured by the sandbox's clock. Requests without the key, and the sandbox's own routes, do not count. The
    /// service had a limit, and nobody wrote down which; `Retry-After` tells the seconds until the minute is over.
    pub const fn requests_per_minute(mut self, requests: u32) -> Self {
        self.requests_per_minute = Some(requests);
        self
    }

    /// Answers 429 without `Retry-After`: a client has to find a pace of its own.
    pub const fn without_retry_after(mut self) -> Self {
        self.without_retry_after = true;
        self
    }

    /// Keys that nobody has heard of in every body of the API, with values of every type, `null` included. The
    /// service added fields without a word, so a client should not mind.
    pub const fn extra_keys(mut self) -> Self {
        self.extra_keys = true;
        self
    }

    /// The API's list shows a charge only when it is that old, as a list does that a replica or a cache answers. A get finds
    /// the charge at once. A client that looks for a charge in the list, instead of remembering it, makes a second one.
    pub const fn list_lag(mut self, lag: Duration) -> Self {
        self.list_lag = lag;
        self
    }

    /// Answers 500 to every so-many-th good charge, and does not make it; 0 stands for never.
    pub const fn fail_before_create(mut self, every: u64) -> Self {
        self.fail_before_create = every;
        self
    }

    /// Makes every so-many-th good charge, and answers 500 all the same, so that a client cannot know; 0 stands
    /// for never.
    pub const fn fail_after_create(mut self, every: u64) -> Self {
        self.fail_after_create = every;
        self
    }

    /// Whether the create of that number, counted from 1, fails and leaves nothing.
    pub(crate) const fn fails_before(&self, create: u64) -> bool {
        is_due(self.fail_before_create, create)
    }

    /// Whether the create of that number, counted from 1, is done and fails.
    pub(crate) const fn fails_after(&self, create: u64) -> bool {
        is_due(self.fail_after_create, create)
    }
}

const fn is_due(every: u64, count: u64) -> bool {
    match count.checked_rem(every) {
        Some(rest) => rest == 0,
        None => false,
    }
}
