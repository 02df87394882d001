//! The options that begin with `--phoenixd`.

use std::time::Duration;

use strike_core::{Password, Satoshi, WebhookSecret};
use strike_sandbox::{Phoenixd, Webhook};

use super::flags::Flags;

/// One year in milliseconds.
const YEAR: u64 = super::YEAR * 1000;
/// All bitcoins, in satoshi.
const MAX_SATOSHI: u64 = 21_000_000 * 100_000_000;

/// Parses the value of the option with this name and returns the settings with it.
///
/// The rules for passwords and the secret are those of the client library.
pub(super) fn read(name: &str, flags: &mut Flags, settings: Phoenixd) -> Result<Phoenixd, String> {
    let password = |text: &str| Password::new(text).map(|_| text.to_owned());
    Ok(match name {
        "phoenixd-password" => settings.limited_password(flags.secret("a password", password)?),
        "phoenixd-full-password" => settings.full_password(flags.secret("a password", password)?),
        "phoenixd-webhook-secret" => {
            let secret = |text: &str| WebhookSecret::new(text).map(|_| text.to_owned());
            settings.webhook_secret(flags.secret("a secret", secret)?)
        }
        "phoenixd-webhook" => settings.webhook(flags.secret("a URL", Webhook::to)?),
        "phoenixd-fee" => settings.fee_millisatoshi(flags.number(0..=MAX_SATOSHI * 1000)?),
        "phoenixd-fee-credit" => settings.fee_credit(Satoshi::new(flags.number(0..=MAX_SATOSHI)?)),
        "phoenixd-opens-after" => settings.opens_after(Duration::from_millis(flags.number(0..=YEAR)?)),
        _ => return Err(flags.unknown()),
    })
}
