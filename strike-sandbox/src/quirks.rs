//! [`Quirks`]: optional deviations from the default behavior. All are off by default.

use std::time::Duration;

/// Optional deviations from the sandbox's default behavior.
///
/// Some reproduce older versions of the service. Others test whether a client copes with unusual
/// responses.
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
    /// Returns settings without any deviation.
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

    /// Sends `created` and `updated` in seconds instead of milliseconds, as recorded on 1 April
    /// 2018.
    pub const fn timestamps_in_seconds(mut self) -> Self {
        self.timestamps_in_seconds = true;
        self
    }

    /// Uses ids of `ch_` and 44 characters instead of 29, as recorded on 1 April 2018.
    pub const fn long_ids(mut self) -> Self {
        self.long_ids = true;
        self
    }

    /// Creates invoices as recorded until 2019: without payment secret and features, and with a
    /// final CLTV delta of 10 blocks.
    ///
    /// Current wallets do not pay them. Use it to test reading old invoices.
    pub const fn invoices_of_2018(mut self) -> Self {
        self.invoices_of_2018 = true;
        self
    }

    /// Rejects a charge without a description with status 400. An empty description is accepted.
    ///
    /// It is unknown whether the service did this. In all recordings the client sent a description.
    pub const fn description_required(mut self) -> Self {
        self.description_required = true;
        self
    }

    /// Limits the rows of a list page, whatever `size` the request has. Default: 1000.
    ///
    /// With 0 every list is empty. It is unknown whether the service had such a limit. Use it to
    /// test whether a client mistakes a short page for the last one.
    pub const fn largest_page(mut self, rows: usize) -> Self {
        self.largest_page = Some(rows);
        self
    }

    /// Responds with status 429 to requests beyond this number per minute. Default: no limit.
    ///
    /// A minute starts with its first request, by the sandbox's clock. `Retry-After` has the
    /// seconds until it ends. Requests without the API key and to the sandbox's own routes do not
    /// count. The service had a limit, but its value is unknown.
    pub const fn requests_per_minute(mut self, requests: u32) -> Self {
        self.requests_per_minute = Some(requests);
        self
    }

    /// Omits `Retry-After` from responses with status 429.
    pub const fn without_retry_after(mut self) -> Self {
        self.without_retry_after = true;
        self
    }

    /// Adds unknown keys to every JSON object of the API, with values of several types, including
    /// `null`.
    ///
    /// The service added fields without notice, so a client should ignore unknown ones.
    pub const fn extra_keys(mut self) -> Self {
        self.extra_keys = true;
        self
    }

    /// Hides a charge from the API's list until it has this age, as if a replica or a cache served
    /// the list.
    ///
    /// A get returns the charge at once. A client that relies on the list alone to find an
    /// earlier charge creates a second one.
    pub const fn list_lag(mut self, lag: Duration) -> Self {
        self.list_lag = lag;
        self
    }

    /// Responds with status 500 to every n-th valid create, without creating the charge.
    ///
    /// 0 turns it off.
    pub const fn fail_before_create(mut self, every: u64) -> Self {
        self.fail_before_create = every;
        self
    }

    /// Responds with status 500 to every n-th valid create, after creating the charge.
    ///
    /// The client cannot know that the charge exists. 0 turns it off.
    pub const fn fail_after_create(mut self, every: u64) -> Self {
        self.fail_after_create = every;
        self
    }

    /// Returns true if the create with this number, counted from 1, fails without creating a
    /// charge.
    pub(crate) const fn fails_before(&self, create: u64) -> bool {
        is_due(self.fail_before_create, create)
    }

    /// Returns true if the create with this number, counted from 1, fails after creating the
    /// charge.
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
