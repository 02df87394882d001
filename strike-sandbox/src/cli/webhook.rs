//! The arguments that begin with `--webhook`: a receiver, and what is to happen on the way there.

use std::ffi::OsString;
use std::num::{NonZeroU8, NonZeroU32};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::Parser;
use lexopt::prelude::ValueExt;
use strike_sandbox::Webhook;

/// What was given so far; the receiver may come after its options.
#[derive(Default)]
pub(super) struct Flags {
    receiver: Option<Webhook>,
    attempts: Option<NonZeroU32>,
    backoff: Option<Duration>,
    /// The other options by name, each with what it changes.
    options: Vec<(&'static str, Change)>,
}

type Change = Box<dyn FnOnce(Webhook) -> Webhook>;

impl Flags {
    /// Reads the value of an option of this name.
    pub(super) fn read(&mut self, name: &str, parser: &mut Parser) -> Result<(), lexopt::Error> {
        let mut change = |name, change: Change| self.options.push((name, change));
        match name {
            "webhook" => self.receiver = Some(super::unrepeated(&parser.value()?, Webhook::to)?),
            "webhook-timeout" => {
                let timeout = parser.value()?.parse_with(some_millis)?;
                change("timeout", Box::new(move |webhook| webhook.timeout(timeout)));
            }
            "webhook-repeat" => {
                let times: NonZeroU8 = parser.value()?.parse()?;
                change("repeat", Box::new(move |webhook| webhook.repeat(times.get())));
            }
            "webhook-delay" => {
                let delay = parser.value()?.parse_with(millis)?;
                change("delay", Box::new(move |webhook| webhook.delay(delay)));
            }
            "webhook-reorder" => {
                let within = parser.value()?.parse_with(millis)?;
                change("reorder", Box::new(move |webhook| webhook.reorder(within)));
            }
            "webhook-drop-every" => {
                let n: NonZeroU32 = parser.value()?.parse()?;
                change("drop-every", Box::new(move |webhook| webhook.drop_every(n.get())));
            }
            "webhook-drop" => {
                let percent = parser.value()?.parse_with(percent)?;
                change("drop", Box::new(move |webhook| webhook.drop_percent(percent)));
            }
            "webhook-attempts" => self.attempts = Some(parser.value()?.parse()?),
            "webhook-backoff" => self.backoff = Some(parser.value()?.parse_with(millis)?),
            "webhook-ca" => {
                let pem = read_file(parser.value()?)?;
                change("ca", Box::new(move |webhook| webhook.ca_certificate(pem)));
            }
            _ => return Err(lexopt::Error::UnexpectedOption(format!("--{name}"))),
        }
        Ok(())
    }

    /// The webhook that was asked for, if any.
    pub(super) fn finish(mut self) -> Result<Option<Webhook>, lexopt::Error> {
        match (self.attempts, self.backoff) {
            (Some(attempts), backoff) => {
                let backoff = backoff.unwrap_or(Duration::from_secs(1));
                let change: Change = Box::new(move |webhook| webhook.retry(attempts.get(), backoff));
                self.options.push(("attempts", change));
            }
            (None, Some(_)) => return Err("--webhook-backoff needs --webhook-attempts N".into()),
            (None, None) => {}
        }
        match (self.receiver, self.options.first()) {
            (None, Some((name, _))) => Err(format!("--webhook-{name} needs --webhook URL").into()),
            (None, None) => Ok(None),
            (Some(receiver), _) => {
                Ok(Some(self.options.into_iter().fold(receiver, |webhook, (_, change)| change(webhook))))
            }
        }
    }
}

fn millis(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}

/// No receiver answers in no time.
fn some_millis(text: &str) -> Result<Duration, &'static str> {
    let wrong = "expected 1 or more milliseconds";
    let timeout = millis(text).map_err(|_| wrong)?;
    if timeout.is_zero() { Err(wrong) } else { Ok(timeout) }
}

fn percent(text: &str) -> Result<u8, &'static str> {
    text.parse().ok().filter(|percent| *percent <= 100).ok_or("expected a number from 0 to 100")
}

fn read_file(path: OsString) -> Result<Vec<u8>, lexopt::Error> {
    let path = PathBuf::from(path);
    std::fs::read(&path).map_err(|error| format!("--webhook-ca {}: {error}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse};
    use super::*;

    fn webhook(arguments: &str) -> Result<Option<Webhook>, String> {
        match parse(arguments.split_whitespace().map(OsString::from)) {
            Ok(Command::Run(options)) => Ok(options.webhook),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    fn to() -> Webhook {
        Webhook::to("http://127.0.0.1:3000/strike").expect("a URL")
    }

    #[test]
    fn each_option_does_what_it_says_wherever_it_stands() {
        assert_eq!(webhook(""), Ok(None));
        assert_eq!(webhook("--webhook http://127.0.0.1:3000/strike"), Ok(Some(to())));
        let millis = Duration::from_millis;
        for (option, expected) in [
            ("--webhook-timeout 250", to().timeout(millis(250))),
            ("--webhook-repeat=3", to().repeat(3)),
            ("--webhook-delay 1500", to().delay(millis(1500))),
            ("--webhook-reorder 4000", to().reorder(millis(4000))),
            ("--webhook-drop-every 5", to().drop_every(5)),
            ("--webhook-drop 100", to().drop_percent(100)),
            ("--webhook-attempts 6", to().retry(6, millis(1000))),
            ("--webhook-attempts 6 --webhook-backoff 70", to().retry(6, millis(70))),
            ("--webhook-backoff 70 --webhook-attempts 6", to().retry(6, millis(70))),
        ] {
            for arguments in [
                format!("{option} --webhook http://127.0.0.1:3000/strike"),
                format!("--webhook http://127.0.0.1:3000/strike {option}"),
            ] {
                assert_eq!(webhook(&arguments), Ok(Some(expected.clone())), "{arguments}");
                assert_ne!(expected, to());
            }
        }
        assert_eq!(
            webhook("--webhook-delay 1 --webhook http://127.0.0.1:3000/strike --webhook-repeat 2"),
            Ok(Some(to().delay(millis(1)).repeat(2)))
        );
    }

    #[test]
    fn certificates_come_from_a_file() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        std::io::Write::write_all(&mut file, b"PEM").expect("written");
        let path = file.path().display();
        let given = webhook(&format!("--webhook http://127.0.0.1:3000/strike --webhook-ca {path}"));
        assert_eq!(given, Ok(Some(to().ca_certificate("PEM"))));
        let refusal = webhook("--webhook-ca /nowhere/ca.pem").expect_err("no file");
        assert!(refusal.starts_with("--webhook-ca /nowhere/ca.pem: "), "{refusal}");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (arguments, part) in [
            ("--webhook", "--webhook"),
            ("--webhook 127.0.0.1:3000", "http://"),
            ("--webhook http://me:secret@127.0.0.1/", "without credentials"),
            ("--webhook-delay 5", "--webhook-delay needs --webhook URL"),
            ("--webhook-attempts 5", "--webhook-attempts needs --webhook URL"),
            ("--webhook http://localhost/ --webhook-backoff 5", "needs --webhook-attempts"),
            ("--webhook-delay soon", "soon"),
            ("--webhook-timeout 0", "1 or more"),
            ("--webhook-repeat 0", "0"),
            ("--webhook-repeat 256", "256"),
            ("--webhook-drop-every 0", "0"),
            ("--webhook-drop 101", "from 0 to 100"),
            ("--webhook-attempts 0", "0"),
            ("--webhook-port 1", "--webhook-port"),
        ] {
            let refusal = webhook(arguments).expect_err(arguments);
            assert!(refusal.contains(part), "{arguments}: {refusal}");
        }
    }
}
