//! The `ChargeId` type: a validated charge id.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::InvalidInput;

/// The id of a charge: 1 to 128 characters of `[A-Za-z0-9_-]`.
///
/// Every constructor and deserialization check the characters. So an id can be put into a URL path
/// without changing the path.
///
/// ```
/// use strike_core::ChargeId;
///
/// let id: ChargeId = "ch_LzQ9ASJS9KABeqdWhCjCGuK2uiee4".parse()?;
/// assert_eq!(id.as_str(), "ch_LzQ9ASJS9KABeqdWhCjCGuK2uiee4");
/// assert!("../secrets".parse::<ChargeId>().is_err());
/// # Ok::<(), strike_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Box<str>", into = "Box<str>")]
pub struct ChargeId(Box<str>);

/// Which bytes an id may have.
const ALLOWED: [bool; 256] = allowed();

#[expect(clippy::indexing_slicing, reason = "the indices are smaller than the table")]
const fn allowed() -> [bool; 256] {
    let mut allowed = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        allowed[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        byte += 1;
    }
    allowed
}

impl ChargeId {
    /// Creates an id after checking it.
    ///
    /// # Errors
    /// Returns [`InvalidInput`] unless `id` has 1 to 128 characters of `[A-Za-z0-9_-]`.
    pub fn new(id: impl Into<Box<str>>) -> Result<Self, InvalidInput> {
        let id = id.into();
        if Self::is_valid(&id) {
            Ok(Self(id))
        } else {
            Err(InvalidInput::new("id", "1 to 128 of the characters A-Z, a-z, 0-9, `_` and `-`"))
        }
    }

    /// Returns true if [`new`](Self::new) accepts this text.
    pub(crate) fn is_valid(id: &str) -> bool {
        let is_allowed = |byte: u8| ALLOWED.get(usize::from(byte)) == Some(&true);
        (1..=128).contains(&id.len()) && id.bytes().all(is_allowed)
    }

    /// Creates an id from a text that [`is_valid`](Self::is_valid).
    pub(crate) fn of_valid(id: &str) -> Self {
        Self(id.into())
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChargeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChargeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChargeId({})", self.0)
    }
}

impl AsRef<str> for ChargeId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChargeId {
    type Err = InvalidInput;

    fn from_str(id: &str) -> Result<Self, InvalidInput> {
        Self::new(id)
    }
}

impl TryFrom<Box<str>> for ChargeId {
    type Error = InvalidInput;

    fn try_from(id: Box<str>) -> Result<Self, InvalidInput> {
        Self::new(id)
    }
}

impl From<ChargeId> for Box<str> {
    fn from(id: ChargeId) -> Self {
        id.0
    }
}

impl TryFrom<String> for ChargeId {
    type Error = InvalidInput;

    fn try_from(id: String) -> Result<Self, InvalidInput> {
        Self::new(id)
    }
}

impl TryFrom<&str> for ChargeId {
    type Error = InvalidInput;

    fn try_from(id: &str) -> Result<Self, InvalidInput> {
        Self::new(id)
    }
}

impl Borrow<str> for ChargeId {
    /// Lets you look up a charge in a map by a `&str`.
    fn borrow(&self) -> &str {
        &self.0
    }
}
