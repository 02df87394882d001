//! Cassettes: files that somebody may have edited by hand.

use strike_core::fixture::{Cassette, Player, simulate};
use strike_core::{CoreClient, List, RetryPolicy};

use crate::secret::{assert_clean, assert_fit_for_a_log, endpoint};

/// A text that may be a cassette, which is then played to a client that asks for something else as a rule.
pub(crate) fn cassette(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let cassette: Cassette = match text.parse() {
        Ok(cassette) => cassette,
        Err(error) => {
            let words = error.to_string();
            assert!(words.len() <= 1000, "{} bytes: {words}", words.len());
            return;
        }
    };
    let written = cassette.to_json().unwrap();
    assert_eq!(written.parse::<Cassette>().unwrap(), cassette, "{written}");
    assert_eq!(written.parse::<Cassette>().unwrap().to_json().unwrap(), written);
    // Played in any order, a reply is whatever an answer can be; the clock goes on and the machine ends.
    let call = CoreClient::new(endpoint(false).clone(), RetryPolicy::default(), 7).call(List::page(0));
    match simulate(call, Player::by_match(cassette.clone())) {
        Ok(played) => {
            assert!(played.transcript.sends() <= 3);
            assert_clean(&played.transcript.to_string());
            if let Err(error) = &played.result {
                assert_fit_for_a_log(error);
            }
        }
        Err(error) => assert!(error.to_string().len() <= 16_000, "{error}"),
    }
}
