//! Parses options and their values. Each error names the option and the rule for its value.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use lexopt::{Arg, Error, Parser};
use strike_core::InvalidInput;

/// The arguments that are not parsed yet.
pub(super) struct Flags {
    parser: Parser,
    /// The last option, without its dashes.
    name: String,
    /// The options with a value so far.
    given: BTreeSet<String>,
}

impl Flags {
    pub(super) fn new(arguments: impl IntoIterator<Item = OsString>) -> Self {
        Self { parser: Parser::from_args(arguments), name: String::new(), given: BTreeSet::new() }
    }

    /// Returns the name of the next option, or `None` after the last one.
    pub(super) fn next(&mut self) -> Result<Option<String>, String> {
        let argument = self.parser.next().map_err(|error| match error {
            Error::UnexpectedValue { option, .. } => format!("{option}: takes no value"),
            other => other.to_string(),
        })?;
        let name = match argument {
            None => return Ok(None),
            Some(Arg::Long(name)) => name.to_owned(),
            Some(Arg::Short('h')) => "help".to_owned(),
            Some(Arg::Short('V')) => "version".to_owned(),
            Some(other) => return Err(other.unexpected().to_string()),
        };
        self.name.clone_from(&name);
        Ok(Some(name))
    }

    /// Returns the error for an unknown option.
    pub(super) fn unknown(&self) -> String {
        format!("--{}: unknown option", self.name)
    }

    /// Returns the value of the last option. `rule` says what the value must be, for the error message.
    fn raw(&mut self, rule: &str) -> Result<OsString, String> {
        let name = &self.name;
        if !self.given.insert(name.clone()) {
            return Err(format!("--{name}: given more than once"));
        }
        if let Some(value) = self.parser.optional_value() {
            return Ok(value);
        }
        // A value may begin with `--` only after an equals sign.
        let value = self.parser.try_raw_args();
        let value =
            value.and_then(|mut rest| rest.next_if(|next| !next.as_encoded_bytes().starts_with(b"--")));
        value.ok_or_else(|| format!("--{name}: must be {rule}, but the value is missing"))
    }

    /// Returns the value as parsed by `read`.
    pub(super) fn value<T>(&mut self, rule: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, String> {
        let value = self.raw(rule)?;
        let wrong = || format!("--{}: must be {rule}, but is {value:?}", self.name);
        value.to_str().and_then(read).ok_or_else(wrong)
    }

    /// Returns a value that may be secret: error messages do not repeat it.
    pub(super) fn secret<T>(
        &mut self,
        rule: &str,
        read: impl FnOnce(&str) -> Result<T, InvalidInput>,
    ) -> Result<T, String> {
        let value = self.raw(rule)?;
        let name = &self.name;
        let text =
            value.to_str().ok_or_else(|| format!("--{name}: must be {rule}, but is not valid UTF-8"))?;
        read(text).map_err(|error| format!("--{name}: must be {}", error.rule()))
    }

    /// Returns a whole number within these bounds.
    pub(super) fn number<T>(&mut self, bounds: RangeInclusive<T>) -> Result<T, String>
    where
        T: FromStr + PartialOrd + Display,
    {
        let rule = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        self.value(&rule, |text| text.parse().ok().filter(|number| bounds.contains(number)))
    }

    /// Returns the path of a file.
    pub(super) fn file(&mut self) -> Result<PathBuf, String> {
        let rule = "the path of a file";
        let path = self.raw(rule)?;
        if path.as_os_str() == OsStr::new("") {
            return Err(format!("--{}: must be {rule}, but is empty", self.name));
        }
        Ok(path.into())
    }
}
