//! How the parts of a rule stand in JSON, and which values they may have.

use std::time::Duration;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::Number;
use strike_core::http::{Method, StatusCode};

use super::course::LONGEST;

/// A number that is one of those, named by JSON's words and not by the name of a type.
fn number<'de, D: Deserializer<'de>, T>(
    from: D,
    read: impl FnOnce(&Number) -> Option<T>,
    expected: &str,
) -> Result<T, D::Error> {
    let number = Number::deserialize(from)?;
    let wrong = || D::Error::invalid_value(Unexpected::Other(&number.to_string()), &expected);
    read(&number).ok_or_else(wrong)
}

/// A whole number, 0 or more.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    number(from, Number::as_u64, "a whole number, 0 or more")
}

/// So many bytes.
pub(super) fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    Ok(usize::try_from(whole(from)?).unwrap_or(usize::MAX))
}

pub(super) fn positive<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let number = whole(from)?;
    if number == 0 { Err(D::Error::custom("requests are counted from 1")) } else { Ok(number) }
}

pub(super) fn probability<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let number = number(from, Number::as_f64, "a number")?;
    let fits = (0.0..=1.0).contains(&number);
    if fits { Ok(number) } else { Err(D::Error::custom("a probability is from 0 to 1")) }
}

pub(super) fn off_by<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let number = number(from, Number::as_i64, "a whole number")?;
    if number == 0 { Err(D::Error::custom("a length that is off by 0 is right")) } else { Ok(number) }
}

pub(super) fn pattern<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let mut segments = text.split('/').filter(|segment| !segment.is_empty());
    if !text.starts_with('/') || !matches!(segments.next(), Some("api" | "*" | "**")) {
        return Err(D::Error::custom(format!("only paths below /api/ have faults, and {text:?} is none")));
    }
    let stars = text.matches("**").count();
    if stars > 1 || (stars == 1 && !text.trim_end_matches('/').ends_with("/**")) {
        return Err(D::Error::custom(format!("** is the last segment of a path, and in {text:?} it is not")));
    }
    Ok(text)
}

/// A duration in whole milliseconds.
pub(super) fn millis<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let duration = Duration::from_millis(whole(from)?);
    if duration > LONGEST {
        let longest = LONGEST.as_millis();
        return Err(D::Error::custom(format!("no fault takes longer than {longest} ms")));
    }
    Ok(duration)
}

pub(super) fn write_millis<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// A method that is there; that it may be missing is told by the field's default.
pub(super) fn method<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Method>, D::Error> {
    let text = String::deserialize(from)?;
    let method = text.parse().ok().filter(|_| !text.contains(|sign: char| sign.is_ascii_lowercase()));
    let expected = &"a method in capitals, such as POST";
    method.map(Some).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), expected))
}

#[expect(clippy::ref_option, reason = "serde hands it over so")]
pub(super) fn write_method<S: Serializer>(method: &Option<Method>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(method.as_ref().map_or("", Method::as_str))
}

/// A flag that is there; `null` is none.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    bool::deserialize(from).map(Some)
}

/// The status of an answer, as a number.
pub(super) fn status<'de, D: Deserializer<'de>>(from: D) -> Result<StatusCode, D::Error> {
    let number = whole(from)?;
    let status = u16::try_from(number).ok().and_then(|number| StatusCode::from_u16(number).ok());
    let last = status.filter(|status| !status.is_informational());
    last.ok_or_else(|| D::Error::invalid_value(Unexpected::Unsigned(number), &"a status from 200 to 999"))
}

pub(super) fn write_status<S: Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}
