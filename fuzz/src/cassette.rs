//! Fuzz target for cassettes, which users may edit by hand.

use strike_core::fixture::{Cassette, Player, simulate};
use strike_core::{CoreClient, List, RetryPolicy};

use crate::secret::{assert_loggable, assert_no_key, endpoint};

/// Parses the input as a cassette and replays it to a call that usually sends other requests.
pub(crate) fn cassette(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let cassette: Cassette = match text.parse() {
        Ok(cassette) => cassette,
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() <= 1000, "{} bytes: {message}", message.len());
            return;
        }
    };
    let written = cassette.to_json().unwrap();
    assert_eq!(written.parse::<Cassette>().unwrap(), cassette, "{written}");
    assert_eq!(written.parse::<Cassette>().unwrap().to_json().unwrap(), written);
    // The recorded replies may be anything, but the call must always end.
    let call = CoreClient::new(endpoint(false).clone(), RetryPolicy::default(), 7).call(List::page(0));
    match simulate(call, Player::by_match(cassette.clone())) {
        Ok(played) => {
            assert!(played.transcript.sends() <= 3);
            assert_no_key(&played.transcript.to_string());
            if let Err(error) = &played.result {
                assert_loggable(error);
            }
        }
        Err(error) => assert!(error.to_string().len() <= 16_000, "{error}"),
    }
}
