//! Compares the fast way with serde's.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::protocol::{ApiKey, Endpoint, List, Operation, Row, ScanPage};
use crate::values::UnixMillis;

/// A charge as servers write it, in one of three layouts, with one value replaced and one byte
/// changed, each perhaps.
fn charge() -> impl Strategy<Value = String> {
    let layout = select(vec![[",\n  ", " : "], [",", ":"], [", ", ": "]]);
    let customer = select(vec!["", "null", "\"\"", "\"order-17\""]);
    let value = select(vec![
        "null",
        "0",
        "4200.0",
        "007",
        "-1",
        "99999999999999999999",
        "3000000000000000",
        "\"\"",
        "\"btc\"",
        "\"a\\u0062\"",
        "\"\u{1f375}\"",
        "\" lightning:lnbc1 \"",
        "\"a\tb\"",
        "[]",
        "{\"a\": [1]}",
        "true",
    ]);
    let change = (any::<Index>(), prop_oneof!["[ -~]", Just(String::new()), "\\PC"]);
    let new_field = select(vec!["", "\"code\"", "\"paid\"", "\"settlement\"", "\"x\""]);
    let options = (customer, prop::option::of((0_usize..11, value.clone())), new_field, value);
    (layout, options, prop::option::weighted(0.3, change)).prop_map(
        |([comma, colon], (customer, replaced, new_field, new_value), change)| {
            let hash = format!("\"{}\"", "Ab".repeat(32));
            let mut fields = vec![
                ("\"id\"", "\"ch_1\""),
                ("\"object\"", "\"charge\""),
                ("\"amount\"", "4200"),
                ("\"currency\"", "\"btc\""),
                ("\"amount_satoshi\"", "4200"),
                ("\"payment_hash\"", &hash),
                ("\"payment_request\"", "\"lightning:lntb42u1\""),
                ("\"description\"", "\"a pot of tea\""),
                ("\"customer_id\"", customer),
                ("\"paid\"", "false"),
                ("\"created\"", "1700000000000"),
                ("\"updated\"", "1700000000"),
                (new_field, new_value),
            ];
            if let Some((field, value)) = replaced {
                fields[field].1 = value;
            }
            fields.retain(|(name, value)| !name.is_empty() && !value.is_empty());
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}{colon}{value}")).collect();
            let space = comma.trim_start_matches(',');
            let mut text = format!("{{{space}{}{}}}", fields.join(comma), space.trim_end());
            if let Some((at, new)) = change
                && let at = at.index(text.len())
                && text.is_char_boundary(at)
                && text.is_char_boundary(at + 1)
            {
                text.replace_range(at..=at, &new);
            }
            text
        },
    )
}

fn copied(rows: Result<Vec<ListedRow<'_>>, Unreadable>) -> String {
    let copy = |row: ListedRow<'_>| {
        let plain = row.plain.and_then(|charge| charge.to_charge(Origin::Unverified));
        plain.map_or_else(|| Strike.row(row.text), Ok)
    };
    format!("{:?}", rows.map(|rows| rows.into_iter().map(copy).collect::<Vec<_>>()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_charge_is_read_as_serde_reads_it(body in charge()) {
        prop_assert_eq!(format!("{:?}", Strike.charge(&body)), format!("{:?}", charge_by_serde(&body)), "{}", body);
    }

    #[test]
    fn a_list_is_read_as_serde_reads_it(
        rows in vec(prop_oneof![3 => charge(), 1 => select(vec!["7".to_owned(), "{}".to_owned(), "[ ]".to_owned()])], 0..4),
        separators in select(vec![["[", ",", "]"], [" [ ", " , ", " ] "], ["[", ",,", "]"], ["[", ",", ",]"], ["", ",", "]"]]),
    ) {
        let [start, comma, end] = separators;
        let body = format!("{start}{}{end}", rows.join(comma));
        prop_assert_eq!(copied(Strike.rows(&body)), copied(rows_by_serde(&body)), "{}", body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_finds_the_rows_of_the_list(
        rows in vec((prop_oneof![4 => charge(), 1 => Just("7".to_owned())], 1..4_u8, 0..9_u8), 0..6),
        end in select(vec!["]", " ]", ",]", ""]),
    ) {
        let row = |(row, id, time): &(String, u8, u8)| {
            row.replace("ch_1", &format!("ch_{id}")).replace("00000000", &format!("00{time}00000"))
        };
        let body = format!("[{}{end}", rows.iter().map(row).collect::<Vec<_>>().join(","));
        let endpoint = Endpoint::new("https://pay.example.com", ApiKey::new("key").unwrap(), Network::Testnet).unwrap();
        let response = http::Response::new(body.clone().into_bytes());
        let now = Now::new(Duration::ZERO, UnixMillis::from_millis(0));
        let scan = ScanPage(List::page(0)).parse(&endpoint, &response, now);
        let (scan, page) = match (scan, List::page(0).parse(&endpoint, &response, now)) {
            (Ok(scan), Ok(page)) => (scan, page),
            (scan, page) => {
                prop_assert_eq!(format!("{:?}", scan.err()), format!("{:?}", page.err()));
                return Ok(());
            }
        };
        let times: Vec<_> = page.charges().map(Charge::created).collect();
        prop_assert_eq!(scan.rows(), page.rows());
        prop_assert_eq!(scan.created(), times.first().copied().zip(times.last().copied()), "{}", body);
        prop_assert_eq!(scan.unreadable(), page.unreadable().next().filter(|_| times.is_empty()).cloned());
        let is_wanted = |id: &str| id == "ch_2";
        let found: Vec<Row> = scan.filtered(is_wanted).collect();
        prop_assert!(found.iter().all(|row| !matches!(row, Row::Charge(charge) if charge.to_paid().is_some() != charge.is_paid())));
        let listed = page.into_rows().into_iter().filter(|row| row.id().is_some_and(|id| is_wanted(id.as_str())));
        prop_assert_eq!(found, listed.collect::<Vec<_>>());
    }
}

#[test]
fn charges_in_usual_layouts_are_not_left_to_serde() {
    let hash = "ab".repeat(32);
    let text = format!(
        r#"{{"id":"ch_1","object":"charge","amount":1,"currency":"btc","amount_satoshi":1,"payment_hash":"{hash}","payment_request":"lnbc1","description":"tea","customer_id":null,"paid":true,"created":0,"updated":0}}"#,
    );
    let without_customer = text.replace(r#""customer_id":null,"#, "");
    for text in [&text, &without_customer] {
        let indented = text.replace(':', " : ").replace('{', "{\n  ").replace(',', ",\n  ");
        for text in [text.clone(), text.replace(':', ": ").replace(',', ", "), indented] {
            assert!(PlainCharge::whole(&text).is_some(), "{text}");
            assert!(matches!(
                plain_rows(&format!("[{text}]")).as_deref(),
                Some([ListedRow { plain: Some(_), .. }])
            ));
        }
    }
}
