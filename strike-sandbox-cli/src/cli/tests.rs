//! Tests of the options of the program.

use strike_core::Satoshi;

use super::*;

fn run(arguments: &str) -> Result<Command, String> {
    parse(arguments.split_whitespace().map(OsString::from))
}

#[test]
fn arguments_are_parsed_and_have_defaults() {
    let defaults = Options {
        listen: Listen::At("127.0.0.1:8420".parse().expect("an address")),
        tls: false,
        tls_ca_out: None,
        plain_listen: None,
        api_key: None,
        network: Network::Testnet,
        seed: None,
        settlement: Settlement::Instant,
        quirks: Quirks::new(),
        webhook: None,
        webhook_ca: None,
        phoenixd: Phoenixd::new(),
        data: None,
        faults: None,
        idle_close: None,
        json: false,
    };
    assert_eq!(run(""), Ok(Command::Run(defaults)));
    let all = Options {
        listen: Listen::At("[::1]:0".parse().expect("an address")),
        tls: true,
        tls_ca_out: Some("ca.pem".into()),
        plain_listen: Some(Listen::Localhost(0)),
        api_key: Some("sk_demo".to_owned()),
        network: Network::Regtest,
        seed: Some(7),
        settlement: Settlement::Instant,
        quirks: Quirks::new()
            .timestamps_in_seconds()
            .long_ids()
            .invoices_of_2018()
            .description_required()
            .largest_page(10)
            .requests_per_minute(60)
            .without_retry_after()
            .extra_keys()
            .list_lag(Duration::from_secs(3))
            .fail_before_create(2)
            .fail_after_create(3),
        webhook: None,
        webhook_ca: None,
        phoenixd: Phoenixd::new()
            .limited_password("limited")
            .full_password("full")
            .webhook(Webhook::to("http://127.0.0.1:3000/").expect("a valid URL"))
            .webhook_secret("secret")
            .fee_millisatoshi(1_500)
            .fee_credit(Satoshi::new(77))
            .opens_after(Duration::from_secs(2)),
        data: Some("shop.sqlite".into()),
        faults: Some("plan.json".into()),
        idle_close: Some(Duration::from_secs(5)),
        json: true,
    };
    let arguments = "--listen [::1]:0 --data shop.sqlite --tls --tls-ca-out ca.pem --plain-listen localhost:0 \
         --api-key=sk_demo --network regtest --seed 7 --settle instant --json \
         --timestamps-in-seconds --long-ids --invoices-of-2018 --description-required --largest-page 10 \
         --requests-per-minute 60 --without-retry-after --extra-keys --list-lag 3000 --fail-before-create 2 \
         --fail-after-create 3 --faults plan.json --idle-close 5 --phoenixd-password limited \
         --phoenixd-full-password full --phoenixd-webhook http://127.0.0.1:3000/ \
         --phoenixd-webhook-secret secret --phoenixd-fee 1500 --phoenixd-fee-credit 77 \
         --phoenixd-opens-after 2000";
    assert_eq!(run(arguments), Ok(Command::Run(all)));
    assert_eq!(run("--seed 1 --help"), Ok(Command::Help));
    assert_eq!(run("-V"), Ok(Command::Version));
}

#[test]
fn remote_addresses_need_allow_remote() {
    let refusal = run("--listen 0.0.0.0:8420").expect_err("--allow-remote is missing");
    assert!(refusal.contains("--allow-remote"), "{refusal}");
    assert!(run("--allow-remote --listen 0.0.0.0:8420").is_ok());
    let refusal = run("--tls --plain-listen 0.0.0.0:8421").expect_err("--allow-remote is missing");
    assert!(refusal.contains("0.0.0.0:8421") && refusal.contains("--allow-remote"), "{refusal}");
    assert!(run("--listen localhost:0").is_ok());
}

#[test]
fn invalid_arguments_are_named_in_the_error() {
    for (arguments, expected) in [
        ("--port 1", "--port: unknown option"),
        ("extra", "unexpected argument \"extra\""),
        ("--phoenixd-port 1", "--phoenixd-port: unknown option"),
        ("--json=yes", "--json: takes no value"),
        ("--tls=yes", "--tls: takes no value"),
        ("--tls-ca-out ca.pem", "--tls-ca-out: needs --tls"),
        (
            "--plain-listen 127.0.0.1:0",
            "--plain-listen: needs --tls; without it, --listen already serves plain HTTP",
        ),
    ] {
        assert_eq!(run(arguments).expect_err(arguments), expected, "{arguments}");
    }
}

/// Every option with a value, its rule, and invalid values.
const RULES: [(&str, &str, &[&str]); 32] = [
    (
        "listen",
        LISTEN,
        &[
            "",
            "x",
            "8420",
            ":8420",
            "127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:65536",
            "localhost",
            "localhost:http",
            "localhost:-1",
            "example.com:80",
        ],
    ),
    ("plain-listen", LISTEN, &["", "8421", "[::1]", "localhost:99999"]),
    ("network", "bitcoin, testnet, signet or regtest", &["", "ropsten", "Bitcoin", "0"]),
    (
        "seed",
        "a whole number from 0 to 18446744073709551615",
        &["", "seven", "-1", "1.5", "18446744073709551616"],
    ),
    ("settle", SETTLE, &["", "later", "Instant"]),
    ("data", "the path of a file", &[""]),
    ("faults", "the path of a file", &[""]),
    ("tls-ca-out", "the path of a file", &[""]),
    ("webhook-ca", "the path of a file", &[""]),
    ("idle-close", "a whole number from 1 to 31536000", &["", "0", "-1", "soon", "0.5", "31536001"]),
    ("largest-page", "a whole number from 1 to 18446744073709551615", &["", "0", "-1", "many"]),
    ("requests-per-minute", "a whole number from 1 to 4294967295", &["", "0", "-1", "4294967296"]),
    ("list-lag", "a whole number from 0 to 31536000000", &["", "-1", "soon", "31536000001"]),
    ("fail-before-create", "a whole number from 1 to 18446744073709551615", &["", "0", "-1", "often"]),
    ("fail-after-create", "a whole number from 1 to 18446744073709551615", &["", "0", "-1", "often"]),
    ("webhook-timeout", "a whole number from 1 to 31536000000", &["", "0", "-1", "soon", "31536000001"]),
    ("webhook-repeat", "a whole number from 1 to 255", &["", "0", "-1", "256"]),
    ("webhook-delay", "a whole number from 0 to 31536000000", &["", "-1", "soon", "31536000001"]),
    ("webhook-reorder", "a whole number from 0 to 31536000000", &["", "-1"]),
    ("webhook-drop-every", "a whole number from 1 to 4294967295", &["", "0", "-1"]),
    ("webhook-drop", "a whole number from 0 to 100", &["", "-1", "101", "5%"]),
    ("webhook-attempts", "a whole number from 1 to 4294967295", &["", "0", "-1"]),
    ("webhook-backoff", "a whole number from 0 to 31536000000", &["", "-1"]),
    ("api-key", "1 to 512 visible ASCII characters without a colon", &["", "a:b", "a b", "\u{e9}"]),
    ("webhook", "a URL", &["", "127.0.0.1:3000", "ftp://127.0.0.1/"]),
    ("phoenixd-password", "1 to 512 visible ASCII characters", &["", "a b", "\u{e9}"]),
    ("phoenixd-full-password", "1 to 512 visible ASCII characters", &["", "a b"]),
    ("phoenixd-webhook-secret", "1 to 512 visible ASCII characters", &["", "a b"]),
    ("phoenixd-webhook", "a URL", &["", "127.0.0.1:3000"]),
    ("phoenixd-fee", "a whole number from 0 to 2100000000000000000", &["", "-1", "0.5"]),
    ("phoenixd-fee-credit", "a whole number from 0 to 2100000000000000", &["", "-1", "many"]),
    ("phoenixd-opens-after", "a whole number from 0 to 31536000000", &["", "-1", "soon"]),
];

#[test]
fn an_invalid_value_is_reported_with_option_and_rule() {
    for (flag, rule, values) in RULES {
        for value in values {
            let refusal = parse([format!("--{flag}={value}").into()]).expect_err(flag);
            assert!(refusal.starts_with(&format!("--{flag}: must be {rule}")), "{value}: {refusal}");
            for word in ["digit", "parse", "invalid", "nothing was sent"] {
                assert!(!refusal.contains(word), "{refusal}");
            }
        }
    }
}

#[test]
fn an_option_is_not_taken_as_the_value_of_another_option() {
    for (flag, ..) in RULES {
        let flag = format!("--{flag}");
        for arguments in [vec![flag.clone()], vec![flag.clone(), "--json".to_owned()]] {
            let refusal = parse(arguments.into_iter().map(OsString::from)).expect_err(&flag);
            assert!(refusal.starts_with(&format!("{flag}: must be ")), "{refusal}");
            assert!(refusal.ends_with(", but the value is missing"), "{refusal}");
        }
    }
    assert!(run("--data=--json").is_ok());
}

#[test]
fn an_option_with_a_value_may_be_given_only_once() {
    for arguments in
        ["--seed 1 --seed 2", "--listen localhost:0 --listen=localhost:1", "--api-key a --api-key a"]
    {
        let refusal = run(arguments).expect_err(arguments);
        assert!(refusal.ends_with(": given more than once"), "{refusal}");
    }
    assert!(run("--json --json --long-ids --long-ids").is_ok());
}

#[cfg(unix)]
#[test]
fn only_paths_may_be_invalid_utf_8() {
    use std::os::unix::ffi::OsStringExt;

    let bytes = || OsString::from_vec(b"\xff".to_vec());
    for (flag, rule, _) in RULES {
        let outcome = parse([format!("--{flag}").into(), bytes()]);
        match flag {
            "data" | "faults" => assert!(outcome.is_ok(), "{flag}"),
            "tls-ca-out" | "webhook-ca" => {
                assert!(!outcome.expect_err(flag).contains("must be"), "{flag}")
            }
            "api-key"
            | "webhook"
            | "phoenixd-password"
            | "phoenixd-full-password"
            | "phoenixd-webhook-secret"
            | "phoenixd-webhook" => {
                assert!(outcome.expect_err(flag).ends_with("but is not valid UTF-8"), "{flag}")
            }
            _ => {
                let refusal = outcome.expect_err(flag);
                assert!(refusal.starts_with(&format!("--{flag}: must be {rule}, but is ")), "{refusal}");
            }
        }
    }
}

#[test]
fn localhost_is_the_only_host_name() {
    for (text, port) in [("localhost:0", 0), ("LocalHost:8420", 8420)] {
        assert_eq!(listen(text), Some(Listen::Localhost(port)));
    }
    assert_eq!(listen("localhost.example:80"), None);
}

#[test]
fn error_messages_do_not_repeat_secrets() {
    for (arguments, part) in [
        ("--api-key secret:", "colon"),
        ("--webhook http://me:secret@127.0.0.1/", "without credentials"),
        ("--webhook me:secret@127.0.0.1", "http://"),
        ("--phoenixd-password secret\u{e9}", "visible ASCII"),
    ] {
        let refusal = run(arguments).expect_err(arguments);
        assert!(refusal.contains(part) && !refusal.contains("secret"), "{refusal}");
    }
}
