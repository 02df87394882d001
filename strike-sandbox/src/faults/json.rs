//! Reads and writes the fields of a rule as JSON, and validates their values.

use std::time::Duration;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::Number;
use strike_core::http::{Method, StatusCode};

use super::behavior::MAX_FAULT_DURATION;
use super::is_api;

/// Reads a number. The error shows the JSON text instead of the name of a Rust type.
fn number<'de, D: Deserializer<'de>, T>(
    from: D,
    read: impl FnOnce(&Number) -> Option<T>,
    expected: &str,
) -> Result<T, D::Error> {
    let number = Number::deserialize(from)?;
    let wrong = || D::Error::invalid_value(Unexpected::Other(&number.to_string()), &expected);
    read(&number).ok_or_else(wrong)
}

fn unsigned<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    number(from, Number::as_u64, "a whole number, 0 or more")
}

/// Reads a number of bytes.
pub(super) fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    Ok(usize::try_from(unsigned(from)?).unwrap_or(usize::MAX))
}

/// Reads the number of a request.
pub(super) fn positive<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let number = unsigned(from)?;
    if number == 0 {
        Err(D::Error::custom("must be at least 1: requests are counted from 1"))
    } else {
        Ok(number)
    }
}

pub(super) fn probability<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let number = number(from, Number::as_f64, "a number")?;
    let is_valid = (0.0..=1.0).contains(&number);
    if is_valid { Ok(number) } else { Err(D::Error::custom("a probability must be from 0 to 1")) }
}

pub(super) fn length_error<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let number = number(from, Number::as_i64, "a whole number")?;
    let message = "must not be 0: the length would be right";
    if number == 0 { Err(D::Error::custom(message)) } else { Ok(number) }
}

pub(super) fn pattern<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let mut segments = text.split('/').filter(|segment| !segment.is_empty());
    let is_api = |root: &str| matches!(root, "*" | "**") || is_api(root);
    if !text.starts_with('/') || !segments.next().is_some_and(is_api) {
        return Err(D::Error::custom(format!(
            "only paths below /api/ and those of phoenixd can have faults, but this is {text:?}"
        )));
    }
    let stars = text.matches("**").count();
    if stars > 1 || (stars == 1 && !text.trim_end_matches('/').ends_with("/**")) {
        return Err(D::Error::custom(format!("** must be the last segment of a path, but this is {text:?}")));
    }
    Ok(text)
}

/// Reads a duration in milliseconds.
pub(super) fn millis<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let duration = Duration::from_millis(unsigned(from)?);
    if duration > MAX_FAULT_DURATION {
        let longest = MAX_FAULT_DURATION.as_millis();
        return Err(D::Error::custom(format!("a fault must not take longer than {longest} ms")));
    }
    Ok(duration)
}

pub(super) fn write_millis<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// Reads a method. A missing field has a default, but `null` is an error.
pub(super) fn method<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Method>, D::Error> {
    let text = String::deserialize(from)?;
    let is_upper_case = !text.contains(|character: char| character.is_ascii_lowercase());
    let method = text.parse().ok().filter(|_| is_upper_case);
    let expected = &"a method in capitals, such as POST";
    method.map(Some).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), expected))
}

#[expect(clippy::ref_option, reason = "serde requires this signature")]
pub(super) fn write_method<S: Serializer>(method: &Option<Method>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(method.as_ref().map_or("", Method::as_str))
}

/// Reads a flag. A missing field has a default, but `null` is an error.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    bool::deserialize(from).map(Some)
}

/// Reads the status of a response. Interim statuses (1xx) are rejected.
pub(super) fn status<'de, D: Deserializer<'de>>(from: D) -> Result<StatusCode, D::Error> {
    let number = unsigned(from)?;
    let status = u16::try_from(number).ok().and_then(|number| StatusCode::from_u16(number).ok());
    let status = status.filter(|status| !status.is_informational());
    status.ok_or_else(|| D::Error::invalid_value(Unexpected::Unsigned(number), &"a status from 200 to 999"))
}

pub(super) fn write_status<S: Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}
