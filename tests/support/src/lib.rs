//! Servers that misbehave on purpose, and what a transport must make of each of them.
//!
//! Both adapters run the same list: [`each_case!`] makes a test of every case, and the adapter brings a [`Lab`]
//! that sets up its transport. Nothing here sleeps; what hangs is ended by the exchange's own timeout.
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

/// How a transport is to be set up.
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

/// A transport as the cases use it: the async one is waited for.
pub type Exchanger = Box<dyn Fn(Exchange) -> Reply>;

/// What an adapter brings.
pub trait Lab {
    /// Sets a transport up, and its `Debug` output.
    fn build(&self, setup: Setup) -> Result<(Exchanger, String), Error>;

    fn transport(&self) -> Exchanger {
        self.with(Setup::default())
    }

    fn with(&self, setup: Setup) -> Exchanger {
        self.build(setup).expect("a transport").0
    }
}

/// Makes a test of every case in [`cases`], for the lab that is given.
#[macro_export]
macro_rules! each_case {
    ($lab:expr) => {
        $crate::each_case! { $lab;
            connecting:
                refused,
                unknown_name,
                no_time_at_all,
                handshake_hangs_beyond_the_exchange,
                handshake_hangs_beyond_the_connect_timeout,
                handshake_is_closed,
                handshake_is_reset,
                handshake_is_garbage,
                unknown_authority,
                wrong_name,
                expired,
                known_authority,
                a_new_connection_is_new,
                a_new_connection_resumes_tls,;
            sending:
                hangs,
                closed,
                reset,
                closed_inside_tls,
                cut_in_the_head,
                reset_in_the_head,
                not_http,
                head_without_end,
                cut_body,
                reset_body,
                reset_body_without_length,
                cut_body_without_length_inside_tls,
                cut_chunks,
                bad_chunks,
                body_hangs,
                head_drips,
                body_drips,
                stale_connection,
                kept_connection_closes,
                unasked_bytes,;
            answers:
                every_status,
                redirects,
                a_redirect_has_its_body,
                no_content,
                ends_with_the_connection,
                chunks,
                interim_answers,
                large_head,
                headers_arrive,
                compressed,
                declared_too_large,
                undeclared_too_large,
                chunked_too_large,
                at_the_limit,
                exact_requests,
                an_empty_post_says_so,
                connection_close,
                an_unread_answer_taints_nothing,;
            proxies:
                tunnel,
                credentials,
                wrong_name_behind_a_tunnel,
                refuses,
                closes,
                hangs,
                drips,
                not_for_this_machine,;
            setup:
                bad_certificates,
                certificates_that_would_fall_out,
                bad_proxies,
                unusable_urls,;
        }
    };
    ($lab:expr; $($module:ident: $($case:ident,)+;)+) => {
        $(mod $module { $(
            #[test]
            fn $case() {
                $crate::cases::$module::$case(&$lab);
            }
        )+ })+
    };
}
