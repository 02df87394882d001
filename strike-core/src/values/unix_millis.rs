//! The `UnixMillis` type: a time, in milliseconds since 1970.

use std::fmt;
use std::time::{Duration, SystemTime};

use humantime::{format_rfc3339_millis, format_rfc3339_seconds};
use serde::{Deserialize, Serialize};

/// A time, in milliseconds since 1970-01-01T00:00:00Z (the epoch).
///
/// ```
/// use std::time::Duration;
/// use strike_core::UnixMillis;
///
/// let time = UnixMillis::from_secs(1_700_000_000);
/// assert_eq!(time.as_millis(), 1_700_000_000_000);
/// assert_eq!(time.saturating_add(Duration::from_secs(1)).saturating_since(time), Duration::from_secs(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(u64);

impl UnixMillis {
    /// Creates a time from milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Creates a time from seconds since the epoch. A value that does not fit becomes the latest
    /// time.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Returns the milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the time that is this much later, or the latest time if it does not fit.
    #[must_use]
    pub fn saturating_add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(later.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Returns the time that is this much earlier, or the epoch if it would be before that.
    #[must_use]
    pub fn saturating_sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(earlier.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Returns this time as a time of the system clock, or `None` if the system cannot represent
    /// it.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.0))
    }

    /// Returns how much later this time is than `earlier`, or zero if it is not later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Converts a time from the API's JSON, which can be in seconds or in milliseconds.
    ///
    /// The service sent seconds until April 2018 and milliseconds after that. A value below 10^11
    /// is read as seconds: as seconds it is before the year 5138, and as milliseconds it would be
    /// before 1973.
    pub(crate) const fn from_wire(value: u64) -> Self {
        if value < Self::SECONDS_BELOW { Self::from_secs(value) } else { Self(value) }
    }

    /// Returns the value for the API's JSON that [`from_wire`](Self::from_wire) converts back to
    /// this time.
    ///
    /// A time before 1973 is written in seconds, because its milliseconds would be read as seconds.
    pub(crate) const fn to_wire(self) -> u64 {
        if self.0 < Self::SECONDS_BELOW { self.0 / 1000 } else { self.0 }
    }

    const SECONDS_BELOW: u64 = 100_000_000_000;

    const YEAR_10000: u64 = 253_402_300_800_000;
}

impl From<SystemTime> for UnixMillis {
    /// Converts a time of the system clock. A time before 1970 becomes 1970.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use strike_core::UnixMillis;
    ///
    /// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    /// assert_eq!(UnixMillis::from(time), UnixMillis::from_secs(1_700_000_000));
    /// assert_eq!(UnixMillis::from(time).to_system_time(), Some(time));
    /// ```
    fn from(time: SystemTime) -> Self {
        Self::from_millis(0).saturating_add(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }
}

impl fmt::Display for UnixMillis {
    /// Writes the time in UTC, in the format of RFC 3339. A time after the year 9999 is written in
    /// milliseconds.
    ///
    /// ```
    /// use strike_core::UnixMillis;
    ///
    /// assert_eq!(UnixMillis::from_millis(1_542_221_803_505).to_string(), "2018-11-14T18:56:43.505Z");
    /// assert_eq!(UnixMillis::from_millis(u64::MAX).to_string(), "18446744073709551615 ms after 1970");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_system_time().filter(|_| self.0 < Self::YEAR_10000) {
            Some(time) if self.0.is_multiple_of(1000) => format_rfc3339_seconds(time).fmt(f),
            Some(time) => format_rfc3339_millis(time).fmt(f),
            None => write!(f, "{} ms after 1970", self.0),
        }
    }
}
