//! Test cases for the transports of both clients, with servers that misbehave.
//!
//! [`each_case!`] generates a test for every case. The client implements [`TransportFactory`] to build its transport. The cases cover
//! TLS, proxies, set-up, and the exact kind of each error. `strike-conformance` checks the rest.
//!
//! No case sleeps. The exchange's timeout ends a server that hangs.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::exhaustive_structs, clippy::missing_errors_doc, clippy::missing_panics_doc, unreachable_pub)]

pub mod cases;
pub mod certs;
mod check;
mod server;

pub use check::{KEY, check_error, expect, expect_status, get, post};
pub use server::{Peer, Server, Stream, connect_proxy};

use std::time::Duration;

use strike_core::{Error, Exchange, Reply};

/// The options of a transport.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    pub certificates: Vec<String>,
    pub proxy: Option<String>,
    pub connect_timeout: Option<Duration>,
}

impl Setup {
    pub fn trusting(certificate: &str) -> Self {
        Self { certificates: vec![certificate.to_string()], ..Self::default() }
    }
}

/// A transport as a blocking function. The async one blocks on a runtime.
pub type Exchanger = Box<dyn Fn(Exchange) -> Reply>;

/// Builds the transports of one client.
pub trait TransportFactory {
    /// Builds a transport. Also returns the `Debug` output of its builder and of itself.
    fn build(&self, setup: Setup) -> Result<(Exchanger, String), Error>;

    fn transport(&self) -> Exchanger {
        self.with(Setup::default())
    }

    fn with(&self, setup: Setup) -> Exchanger {
        self.build(setup).expect("a transport").0
    }
}

/// Generates a test for every case in [`cases`], for the given factory.
#[macro_export]
macro_rules! each_case {
    ($factory:expr) => {
        $crate::each_case! { $factory;
            connecting:
                a_refused_connection_is_unsent,
                an_unknown_name_is_unsent,
                a_zero_timeout_is_unsent,
                a_handshake_ends_at_the_exchange_timeout,
                a_handshake_ends_at_the_connect_timeout,
                a_closed_handshake_is_unsent,
                a_reset_handshake_is_unsent,
                a_handshake_with_a_plain_http_server_is_unsent,
                a_certificate_of_an_unknown_authority_is_rejected,
                a_certificate_for_another_host_is_rejected,
                an_expired_certificate_is_rejected,
                every_given_authority_is_trusted,
                a_new_connection_leaves_the_pooled_one_alone,
                a_new_connection_resumes_the_tls_session,;
            sending:
                a_server_that_never_responds_times_out,
                a_close_before_the_response_is_closed,
                a_reset_before_the_response_is_closed,
                a_close_inside_tls_is_closed,
                a_truncated_head_is_closed,
                a_reset_in_the_head_is_closed,
                a_response_that_is_not_http_is_a_protocol_error,
                a_head_without_end_is_a_protocol_error,
                a_truncated_body_is_cut,
                a_reset_in_the_body_is_cut,
                a_reset_in_a_body_without_length_is_cut,
                a_tls_close_without_notify_is_cut,
                truncated_chunks_are_cut,
                malformed_chunks_are_cut,
                a_body_that_stalls_times_out,
                a_head_that_arrives_byte_by_byte_times_out,
                a_body_that_arrives_byte_by_byte_times_out,
                a_request_on_a_closed_connection_is_sent_at_most_once,
                a_request_on_a_pooled_connection_is_not_retried,
                a_connection_with_unexpected_bytes_is_not_reused,;
            responses:
                headers_of_interim_responses_are_dropped,
                a_large_head_is_accepted,
                requests_arrive_unchanged_on_one_connection,
                an_empty_post_has_content_length_zero,
                connection_close_is_respected,;
            proxies:
                a_proxy_learns_only_the_host,
                proxy_credentials_go_to_the_proxy_only,
                a_certificate_behind_a_proxy_is_checked_for_the_host,
                a_proxy_that_refuses_is_unsent,
                a_proxy_that_closes_is_unsent,
                a_proxy_that_never_responds_is_unsent,
                a_proxy_that_responds_byte_by_byte_is_unsent,
                loopback_hosts_are_reached_without_the_proxy,;
            setup:
                invalid_certificates_are_rejected,
                partly_readable_certificates_are_rejected,
                invalid_proxies_are_rejected,
                unusable_urls_are_unsent,;
        }
    };
    ($factory:expr; $($module:ident: $($case:ident,)+;)+) => {
        $(mod $module { $(
            #[test]
            fn $case() {
                $crate::cases::$module::$case(&$factory);
            }
        )+ })+
    };
}
