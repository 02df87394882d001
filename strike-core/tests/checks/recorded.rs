//! Invoices that the service created in 2018, from the public documentation of its clients.

use serde_json::json;
use strike_core::{Charge, Expectation, Invoice, Network, NewCharge, PaymentHash, UnixMillis};

use crate::{SERVER_TIME, with_invoice};

/// From the first README of pystrike.
const BLOCKACCINO: &str = "lntb420u1pdsdxfepp58hgsk3qeggjfx66hxjv3tkk2fmq9k4srkq6z4h69a33euns3rzwsdq4xysyymr0vd4kzcmrd9hx7cqp2fs6hglhgfax7depekep53kmlgkswhcvxlmju3e4k0cdex6ml4xpygcxzt93julus09hj30fruzw9l65n5uktqe9khmlk8uh8pvl3f7sp3026hz";

/// From the README of strike-ruby.
const CHANCELLOR: &str = "lntb420u1pd7hgr4pp5lt8hz548pnutq0z0zcxfsj2j9yu9kn4crzvnhwj5r4228thuzwvsdr0235x2gz5d9kk2ueqxqej7jnpdchnyvps8ysyx6rpde3k2mrvdaezqmmwyp38y6twdvsx7e3qwdjkxmmwvssxyctfd3hh2apqvehhygrzv9hxkuccqp2ev87r57en5smqqjaztv6x6hyddmg8q6e7j4at9prz4w0uz9auymy9ry3jjf7k75h40njgzd7gj5z3rspr9qaq3jhgtyzjfqfep5fracq43wt30";

fn recorded(invoice: &str, description: &str) -> Charge {
    let hash = Invoice::read(invoice).unwrap().payment_hash().to_string();
    with_invoice(
        invoice,
        &[
            ("amount", json!(42_000)),
            ("amount_satoshi", json!(42_000)),
            ("description", json!(description)),
            ("payment_hash", json!(hash)),
        ],
    )
}

#[test]
fn recorded_invoices_pass_the_check() {
    for (invoice, description) in [
        (BLOCKACCINO, "1 Blockaccino"),
        (CHANCELLOR, "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks"),
    ] {
        assert!(invoice.parse::<lightning_invoice::Bolt11Invoice>().is_err(), "strict parsers reject it");
        let charge = recorded(invoice, description);
        let order = Expectation::of(&NewCharge::satoshis(42_000, description), Network::Testnet);
        let checked = charge.check(&order, SERVER_TIME).unwrap();
        assert_eq!(checked.to_uri(), format!("lightning:{invoice}"));
        // The service's invoices have no expiry field, so BOLT11's default of one hour applies.
        let made = charge.invoice().unwrap().timestamp();
        assert_eq!(checked.expires_at().as_millis() - made.as_millis(), 3_600_000);
    }
    // The recorded charge was created within a second of its invoice: created 1542168693183.
    let made = recorded(CHANCELLOR, "").invoice().unwrap().timestamp();
    assert_eq!(made, UnixMillis::from_secs(1_542_168_693));
    let hash =
        "3dd10b44194224936b57349915daca4ec05b5603b0342adf45ec639e4e11189d".parse::<PaymentHash>().unwrap();
    assert_eq!(recorded(BLOCKACCINO, "").payment_hash(), &hash);
}

#[test]
fn recorded_invoices_edited_by_hand_are_rejected() {
    let order = |amount, text: &str| Expectation::of(&NewCharge::satoshis(amount, text), Network::Testnet);
    let charge = recorded(BLOCKACCINO, "1 Blockaccino");
    assert_eq!(charge.check(&order(42_001, "1 Blockaccino"), SERVER_TIME).unwrap_err().field(), "amount");
    assert_eq!(
        charge.check(&order(42_000, "2 Blockaccini"), SERVER_TIME).unwrap_err().field(),
        "description"
    );
    let main = Expectation::of(&NewCharge::satoshis(42_000, "1 Blockaccino"), Network::Bitcoin);
    assert_eq!(charge.check(&main, SERVER_TIME).unwrap_err().field(), "invoice.network");
    // Prefixes of networks that do not exist, as shown on an old documentation page.
    for prefix in ["lnbtb420u", "lnbcb420u", "lntb421u"] {
        let edited = recorded_as(&BLOCKACCINO.replacen("lntb420u", prefix, 1));
        assert_eq!(
            edited.check(&order(42_000, "1 Blockaccino"), SERVER_TIME).unwrap_err().field(),
            "payment_request"
        );
    }
}

fn recorded_as(invoice: &str) -> Charge {
    let described = [
        ("amount", json!(42_000)),
        ("amount_satoshi", json!(42_000)),
        ("description", json!("1 Blockaccino")),
    ];
    with_invoice(invoice, &described)
}
