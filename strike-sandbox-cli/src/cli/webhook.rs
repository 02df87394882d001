//! The options that begin with `--webhook`.

use std::path::PathBuf;
use std::time::Duration;

use strike_sandbox::Webhook;

use super::flags::Flags;

/// One year in milliseconds.
const YEAR: u64 = super::YEAR * 1000;

/// The options so far. `--webhook` itself may come after the options that change it.
#[derive(Default)]
pub(super) struct Options {
    receiver: Option<Webhook>,
    attempts: Option<u32>,
    backoff: Option<Duration>,
    ca: Option<PathBuf>,
    /// The other options, each with the change that it makes.
    others: Vec<(&'static str, Change)>,
}

type Change = Box<dyn FnOnce(Webhook) -> Webhook>;

impl Options {
    /// Parses the value of the option with this name.
    pub(super) fn read(&mut self, name: &str, flags: &mut Flags) -> Result<(), String> {
        let mut change = |name, change: Change| self.others.push((name, change));
        match name {
            "webhook" => self.receiver = Some(flags.secret("a URL", Webhook::to)?),
            "webhook-timeout" => {
                let timeout = Duration::from_millis(flags.number(1..=YEAR)?);
                change("timeout", Box::new(move |webhook| webhook.timeout(timeout)));
            }
            "webhook-repeat" => {
                let times = flags.number(1..=u8::MAX)?;
                change("repeat", Box::new(move |webhook| webhook.repeat(times)));
            }
            "webhook-delay" => {
                let delay = Duration::from_millis(flags.number(0..=YEAR)?);
                change("delay", Box::new(move |webhook| webhook.delay(delay)));
            }
            "webhook-reorder" => {
                let within = Duration::from_millis(flags.number(0..=YEAR)?);
                change("reorder", Box::new(move |webhook| webhook.reorder(within)));
            }
            "webhook-drop-every" => {
                let n = flags.number(1..=u32::MAX)?;
                change("drop-every", Box::new(move |webhook| webhook.drop_every(n)));
            }
            "webhook-drop" => {
                let percent = flags.number(0..=100)?;
                change("drop", Box::new(move |webhook| webhook.drop_percent(percent)));
            }
            "webhook-attempts" => self.attempts = Some(flags.number(1..=u32::MAX)?),
            "webhook-backoff" => self.backoff = Some(Duration::from_millis(flags.number(0..=YEAR)?)),
            "webhook-ca" => {
                let path = flags.file()?;
                let pem = std::fs::read(&path)
                    .map_err(|error| format!("--webhook-ca: cannot read {}: {error}", path.display()))?;
                self.ca = Some(path);
                change("ca", Box::new(move |webhook| webhook.ca_certificate(pem)));
            }
            _ => return Err(flags.unknown()),
        }
        Ok(())
    }

    /// Returns the webhook, if there is one, and the file that its certificates came from.
    pub(super) fn finish(mut self) -> Result<(Option<Webhook>, Option<PathBuf>), String> {
        match (self.attempts, self.backoff) {
            (Some(attempts), backoff) => {
                let backoff = backoff.unwrap_or(Duration::from_secs(1));
                let change: Change = Box::new(move |webhook| webhook.retry(attempts, backoff));
                self.others.push(("attempts", change));
            }
            (None, Some(_)) => return Err("--webhook-backoff: needs --webhook-attempts N".to_owned()),
            (None, None) => {}
        }
        match (self.receiver, self.others.first()) {
            (None, Some((name, _))) => Err(format!("--webhook-{name}: needs --webhook URL")),
            (None, None) => Ok((None, None)),
            (Some(receiver), _) => {
                let webhook = self.others.into_iter().fold(receiver, |webhook, (_, change)| change(webhook));
                Ok((Some(webhook), self.ca))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::super::{Command, parse};
    use super::*;

    fn webhook(arguments: &str) -> Result<Option<Webhook>, String> {
        match parse(arguments.split_whitespace().map(OsString::from))? {
            Command::Run(options) => Ok(options.webhook),
            other => panic!("{other:?}"),
        }
    }

    fn to() -> Webhook {
        Webhook::to("http://127.0.0.1:3000/strike").expect("a URL")
    }

    #[test]
    fn options_apply_before_and_after_the_url() {
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
    fn certificates_are_read_from_a_file() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        std::io::Write::write_all(&mut file, b"PEM").expect("written");
        let path = file.path().display();
        let given = webhook(&format!("--webhook http://127.0.0.1:3000/strike --webhook-ca {path}"));
        assert_eq!(given, Ok(Some(to().ca_certificate("PEM"))));
        let refusal = webhook("--webhook-ca /nowhere/ca.pem").expect_err("no file");
        assert!(refusal.starts_with("--webhook-ca: cannot read /nowhere/ca.pem: "), "{refusal}");
    }

    #[test]
    fn invalid_webhook_options_are_named_in_the_error() {
        for (arguments, part) in [
            ("--webhook http://me:secret@127.0.0.1/", "--webhook: must be a URL without credentials"),
            ("--webhook-delay 5", "--webhook-delay: needs --webhook URL"),
            ("--webhook-attempts 5", "--webhook-attempts: needs --webhook URL"),
            (
                "--webhook http://localhost/ --webhook-backoff 5",
                "--webhook-backoff: needs --webhook-attempts",
            ),
            ("--webhook-port 1", "--webhook-port: unknown option"),
        ] {
            let refusal = webhook(arguments).expect_err(arguments);
            assert!(refusal.starts_with(part), "{arguments}: {refusal}");
        }
    }
}
