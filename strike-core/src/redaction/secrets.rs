//! Finds API keys in a text, in any encoding.

use std::collections::BTreeSet;

#[cfg(feature = "fixtures")]
use http::HeaderValue;

use crate::redaction::decodings::{self, TooMany, alphanumeric, visible_ascii};
use crate::redaction::text;
#[cfg(feature = "fixtures")]
use crate::transport::HttpRequest;

/// A text with this many consecutive letters and digits of a key is withheld.
const FRAGMENT: usize = 8;

/// The maximum number of letters and digits of a truncated escape sequence.
const MAX_TRUNCATED_ESCAPE: usize = 9;

/// One or more API keys, prepared for searching. It does not implement `Debug`, so it cannot be
/// logged.
#[derive(Default, Clone)]
pub(crate) struct Secrets {
    /// Encodings of the keys that can be replaced directly in a text.
    #[cfg(feature = "fixtures")]
    forms: Vec<String>,
    /// All pieces of `FRAGMENT` letters and digits from the keys and their encodings.
    fragments: BTreeSet<[u8; FRAGMENT]>,
    /// Keys and encodings that are shorter than `FRAGMENT`.
    short: BTreeSet<Vec<u8>>,
    /// The keys and their encodings, to find a truncated key at the end of a text.
    beginnings: BTreeSet<Vec<u8>>,
    /// The keys with all visible characters, in lower case.
    exact: BTreeSet<Vec<u8>>,
}

/// The reason why a text is withheld.
enum Found {
    Key,
    Preimage,
}

impl Secrets {
    /// Adds the keys in the `Authorization` and `X-Api-Key` headers of a request.
    #[cfg(feature = "fixtures")]
    pub(crate) fn learn_from(&mut self, request: &HttpRequest) {
        let headers = request.headers();
        headers.get_all(http::header::AUTHORIZATION).iter().for_each(|value| self.learn_authorization(value));
        for key in headers.get_all("x-api-key") {
            self.learn(std::str::from_utf8(key.as_bytes()).unwrap_or_default());
        }
    }

    /// Creates the search data for these keys.
    pub(crate) fn of(keys: &[&str]) -> Self {
        let mut secrets = Self::default();
        keys.iter().for_each(|key| secrets.learn(key));
        secrets
    }

    /// Adds the credentials of an `Authorization` header, and the user name and the password in
    /// them.
    #[cfg(feature = "fixtures")]
    fn learn_authorization(&mut self, authorization: &HeaderValue) {
        let header = std::str::from_utf8(authorization.as_bytes()).unwrap_or_default();
        let credentials = header.split_once(' ').map_or(header, |(_, credentials)| credentials);
        let plain = data_encoding::BASE64.decode(credentials.as_bytes()).unwrap_or_default();
        let plain = std::str::from_utf8(&plain).unwrap_or_default();
        let (user, password) = plain.split_once(':').unwrap_or((plain, ""));
        if user.is_empty() && password.is_empty() {
            self.learn(credentials);
        }
        self.learn(user);
        self.learn(password);
        self.add(credentials.trim_end_matches('='));
    }

    fn learn(&mut self, key: &str) {
        if key.is_empty() {
            return;
        }
        #[cfg(feature = "fixtures")]
        if !self.learn_forms(key) {
            return;
        }
        // A key can look like an escaped text. Then search for its decodings too.
        let mut plain = vec![key.as_bytes().to_vec()];
        let _ = decodings::find(key.as_bytes(), |reading| {
            if reading.len() > key.len() / 2 {
                plain.push(reading.to_vec());
            }
            None::<()>
        });
        plain.push(key.bytes().rev().collect());
        for reading in plain {
            self.learn_form(&alphanumeric(&reading), 4);
            self.exact.insert(visible_ascii(&reading).to_ascii_lowercase());
        }
        self.learn_form(data_encoding::HEXLOWER.encode(key.as_bytes()).as_bytes(), 4);
        for before in 0..3 {
            // The key can appear inside base64 at three alignments. Leave out the digits that also
            // encode other bytes.
            let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(key.bytes()).collect();
            let whole = bytes.len() * 8 / 6;
            let base64 = data_encoding::BASE64.encode(&bytes);
            let shared = [0, 2, 3].get(before).copied().unwrap_or_default();
            self.learn_form(&alphanumeric(base64.get(shared..whole).unwrap_or_default().as_bytes()), 4);
        }
    }

    /// Adds an encoding of a key. Ignores it if it is shorter than `least`, because it would match
    /// by chance.
    fn learn_form(&mut self, form: &[u8], least: usize) {
        if form.len() < least {
            return;
        }
        self.beginnings.insert(form.to_vec());
        if form.len() < FRAGMENT {
            self.short.insert(form.to_vec());
        }
        self.fragments.extend(fragments(form));
    }

    /// Returns the text, or the reason for withholding it: it repeats a key or may contain a
    /// preimage.
    ///
    /// Truncate the text before the call, not after it: only the text that was checked may be
    /// shown.
    pub(crate) fn withheld(&self, text: String) -> String {
        match self.look(text.as_bytes(), true) {
            Ok(None) => text,
            Ok(Some(Found::Key)) => text::REPEATS_THE_KEY.into(),
            Ok(Some(Found::Preimage)) => text::HOLDS_A_PREIMAGE.into(),
            Err(TooMany) => text::UNREADABLE.into(),
        }
    }

    /// Returns true if any decoding of the text contains a key or a large part of one, or if it
    /// cannot be checked.
    pub(crate) fn are_in(&self, text: &[u8]) -> bool {
        !matches!(self.look(text, false), Ok(None))
    }

    fn look(&self, text: &[u8], preimages: bool) -> Result<Option<Found>, TooMany> {
        let truncated = text.ends_with(text::ELLIPSIS.as_bytes());
        decodings::find(text, |reading| {
            let visible = visible_ascii(reading).to_ascii_lowercase();
            let bare = alphanumeric(&visible);
            if self.found_in(&visible, &bare, truncated) {
                Some(Found::Key)
            } else {
                (preimages && text::contains_bytes(&bare, text::PREIMAGE.as_bytes()))
                    .then_some(Found::Preimage)
            }
        })
    }

    fn found_in(&self, visible: &[u8], bare: &[u8], truncated: bool) -> bool {
        // A truncated escape sequence can follow the truncated key.
        let ends_with_truncated_key = |form: &Vec<u8>| {
            let least = (form.len() / 2).clamp(2, FRAGMENT / 2);
            let end = bare.get(bare.len().saturating_sub(least + MAX_TRUNCATED_ESCAPE)..).unwrap_or_default();
            form.get(..least).is_some_and(|beginning| text::contains_bytes(end, beginning))
        };
        self.short.iter().any(|form| text::contains_bytes(bare, form))
            || fragments(bare).any(|fragment| self.fragments.contains(&fragment))
            || truncated && self.beginnings.iter().any(ends_with_truncated_key)
            || self.exact.iter().any(|key| text::contains_bytes(visible, key))
    }

    /// Adds the usual encodings of a key: plain text, base64 with or without the colon, hex, form
    /// encoding and JSON. Returns false if the key is already known.
    #[cfg(feature = "fixtures")]
    fn learn_forms(&mut self, key: &str) -> bool {
        if self.forms.iter().any(|known| known == key) {
            return false;
        }
        for encoding in [data_encoding::BASE64, data_encoding::BASE64URL] {
            for plain in [format!("{key}:"), format!(":{key}"), String::from(key)] {
                self.add(encoding.encode(plain.as_bytes()).trim_end_matches('='));
            }
        }
        self.add(&data_encoding::HEXLOWER.encode(key.as_bytes()));
        self.add(&data_encoding::HEXUPPER.encode(key.as_bytes()));
        self.add(&form_urlencoded::byte_serialize(key.as_bytes()).collect::<String>());
        self.add(&text::in_json(key));
        self.add(key);
        true
    }

    #[cfg(feature = "fixtures")]
    fn add(&mut self, secret: &str) {
        if !(secret.is_empty() || self.forms.iter().any(|known| known == secret)) {
            self.forms.push(secret.into());
        }
    }

    /// Redacts the usual encodings of the keys. Other encodings can remain.
    #[cfg(feature = "fixtures")]
    pub(crate) fn cut_from(&self, text: &str) -> String {
        self.forms.iter().fold(text.into(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret, text::REDACTED) } else { text }
        })
    }

    /// Redacts the usual encodings of the keys in bytes, which need not be UTF-8.
    #[cfg(feature = "fixtures")]
    pub(crate) fn cut_from_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.forms.iter().fold(bytes.into(), |bytes: Vec<u8>, secret| {
            text::replace_bytes(&bytes, secret.as_bytes(), text::REDACTED.as_bytes()).unwrap_or(bytes)
        })
    }

    /// Returns the text with the keys redacted, or the reason for withholding it.
    #[cfg(feature = "fixtures")]
    pub(crate) fn clean(&self, text: &str) -> String {
        let clean = self.cut_from(text);
        if self.are_in(clean.as_bytes()) { text::REPEATS_THE_KEY.into() } else { clean }
    }
}

fn fragments(form: &[u8]) -> impl Iterator<Item = [u8; FRAGMENT]> {
    form.windows(FRAGMENT).filter_map(|fragment| fragment.try_into().ok())
}
