//! Tests of the checks that the feature `signature` adds.

use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, SecretKey};
use strike_core::PayeeKey;

use crate::bolt11::{self, Bolt11, groups, public_key};
use crate::{check, mismatch_field, order};

fn payee() -> PayeeKey {
    PayeeKey::new(public_key()).unwrap()
}

/// Returns the signature with its 65 bytes changed.
fn changed(signature: &[u8], change: impl FnOnce(&mut [u8; 65])) -> Vec<u8> {
    let mut bytes: [u8; 65] = bolt11::bytes(signature).try_into().unwrap();
    change(&mut bytes);
    groups(&bytes)
}

/// Changes a signature to the equivalent one with a high `s`.
fn high_s(bytes: &mut [u8; 65]) {
    let s = SecretKey::from_slice(&bytes[32..64]).unwrap().negate();
    bytes[32..64].copy_from_slice(&s.secret_bytes());
    bytes[64] ^= 1;
}

#[test]
fn pinned_payee_must_sign_the_invoice() {
    let text = Bolt11::of_2018().signed();
    assert_eq!(check(&text, &order()).unwrap().payee(), &payee());
    assert_eq!(check(&text, &order().payee(payee())).unwrap().payee(), &payee());
    assert_eq!(check(&text.to_uppercase(), &order().payee(payee())).unwrap().payee(), &payee());
    let other: PayeeKey =
        "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad".parse().unwrap();
    let mismatch = check(&text, &order().payee(other)).unwrap_err();
    assert_eq!(mismatch.field(), "invoice.payee");
    assert_eq!(mismatch.expected(), format!("PayeeKey({other})"));
    assert_eq!(mismatch.found(), format!("PayeeKey({})", payee()));
}

#[test]
fn payee_key_must_be_a_curve_point() {
    let hex = payee().to_string();
    assert_eq!(hex.to_uppercase().parse(), Ok(payee()));
    let off_curve = format!("02{}05", "00".repeat(31));
    for bad in ["", &hex[2..], &format!("{hex}00"), &format!("zz{}", &hex[2..]), &off_curve] {
        assert!(bad.parse::<PayeeKey>().is_err(), "{bad}");
    }
    assert!(PayeeKey::new([4; 33]).is_err());
}

/// The basic check does not cover these fields. If they are changed without a new signature, a
/// different payee key is recovered.
#[test]
fn pinned_payee_detects_a_changed_signature() {
    let changes: [fn(&mut Bolt11); 4] = [
        |invoice| invoice.time += 1,
        |invoice| invoice.fields.push((6, vec![1])),
        |invoice| invoice.field(24)[0] ^= 1,
        |invoice| invoice.fields.push((3, groups(&[2; 51]))),
    ];
    for change in changes {
        let mut invoice = Bolt11::of_2018();
        let signature = invoice.signature();
        change(&mut invoice);
        let text = invoice.text(&signature);
        match check(&text, &order()) {
            Ok(checked) => assert_ne!(checked.payee(), &payee(), "another payee key is recovered"),
            Err(mismatch) => assert_eq!(mismatch.field(), "invoice.signature"),
        }
        let field = mismatch_field(&text, &order().payee(payee()));
        assert!(matches!(field, "invoice.payee" | "invoice.signature"), "{field}");
    }
}

#[test]
fn payee_field_must_match_the_signature() {
    let named = |key: [u8; 33]| {
        let mut invoice = Bolt11::of_2018();
        invoice.fields.push((19, groups(&key)));
        invoice
    };
    let good = named(public_key());
    assert_eq!(check(&good.signed(), &order().payee(payee())).unwrap().payee(), &payee());

    // With a payee field no key is recovered, so the recovery id does not matter.
    let other_id = changed(&good.signature(), |bytes| bytes[64] ^= 1);
    assert_eq!(check(&good.text(&other_id), &order().payee(payee())).unwrap().payee(), &payee());

    let stranger: [u8; 33] = {
        let key = SecretKey::from_slice(&[8; 32]).unwrap();
        PublicKey::from_secret_key(&Secp256k1::new(), &key).serialize()
    };
    assert_eq!(
        mismatch_field(&named(stranger).signed(), &order()),
        "invoice.signature",
        "signed with another key"
    );
    let mut late = named(public_key());
    let signature = late.signature();
    late.time += 1;
    assert_eq!(
        mismatch_field(&late.text(&signature), &order()),
        "invoice.signature",
        "detected without a pinned payee"
    );

    let mut no_point = [5; 33];
    no_point[0] = 4;
    assert_eq!(mismatch_field(&named(no_point).signed(), &order()), "invoice.signature");
    let mut twice = named(public_key());
    twice.fields.push((19, groups(&stranger)));
    assert_eq!(mismatch_field(&twice.signed(), &order()), "payment_request");
}

#[test]
fn high_s_signature_is_accepted_only_without_a_payee_field() {
    let mut invoice = Bolt11::of_2018();
    let high = changed(&invoice.signature(), high_s);
    assert!(check(&invoice.text(&high), &order().payee(payee())).is_ok());
    invoice.fields.push((19, groups(&public_key())));
    assert!(check(&invoice.signed(), &order()).is_ok());
    let high = changed(&invoice.signature(), high_s);
    assert_eq!(mismatch_field(&invoice.text(&high), &order()), "invoice.signature");
}

#[test]
fn recovery_id_must_recover_a_key() {
    let invoice = Bolt11::of_2018();
    let signature = invoice.signature();
    let with_id = |id: u8| invoice.text(&changed(&signature, |bytes| bytes[64] = id));
    let right = bolt11::bytes(&signature)[64];
    assert!(right < 2);
    assert!(check(&with_id(right), &order().payee(payee())).is_ok());
    assert_eq!(mismatch_field(&with_id(right ^ 1), &order().payee(payee())), "invoice.payee");
    // Ids 2 and 3 mean that r overflowed the group order. That is not the case here.
    for id in [2, 3, 4, 27, 255] {
        assert_eq!(mismatch_field(&with_id(id), &order()), "invoice.signature", "{id}");
    }
    // With a very small r these ids are valid. The key must equal that of the curve library.
    for id in [2_u8, 3] {
        let text_and_key = (1..=255).find_map(|r| {
            let mut bytes = [0; 65];
            (bytes[31], bytes[63], bytes[64]) = (r, 1, id);
            let recovery = RecoveryId::from_i32(i32::from(id)).unwrap();
            let signature = RecoverableSignature::from_compact(&bytes[..64], recovery).unwrap();
            let message = Message::from_digest(invoice.digest());
            let key = Secp256k1::new().recover_ecdsa(&message, &signature).ok()?;
            Some((invoice.text(&groups(&bytes)), key))
        });
        let (text, key) = text_and_key.expect("about half of all r are on the curve");
        assert_eq!(check(&text, &order()).unwrap().payee().as_bytes(), &key.serialize());
    }
    // These bytes are not a signature of any key.
    for bytes in [[0; 65], [255; 65]] {
        assert_eq!(mismatch_field(&invoice.text(&groups(&bytes)), &order()), "invoice.signature");
    }
}

/// The library hashes its own encoding of the fields. It cannot verify an invoice that encodes
/// them in another way.
#[test]
fn signed_field_with_leading_zeros_is_rejected() {
    let changes: [fn(&mut Bolt11); 5] = [
        |invoice| invoice.prefix = "lntb042u".into(),
        |invoice| *invoice.field(24) = vec![0, 10],
        |invoice| *invoice.field(1).last_mut().unwrap() |= 1,
        |invoice| invoice.fields.push((6, vec![0, 0, 3, 24])),
        |invoice| invoice.fields.push((5, vec![0, 0, 16, 0])),
    ];
    for change in changes {
        let mut invoice = Bolt11::of_2018();
        change(&mut invoice);
        assert_eq!(mismatch_field(&invoice.signed(), &order().payee(payee())), "invoice.signature");
    }
}

#[test]
fn description_must_match_its_hash() {
    let terms = "tea, of the kind that was described at length";
    let mut invoice = Bolt11::of_2018();
    let in_words = invoice.signed();
    let hash = groups(&sha256::Hash::hash(terms.as_bytes()).to_byte_array());
    *invoice.fields.iter_mut().find(|(tag, _)| *tag == 13).unwrap() = (23, hash);
    let text = invoice.signed();
    let checked = check(&text, &order().description_text(terms)).unwrap();
    assert!(checked.description_checked());
    assert_eq!(mismatch_field(&text, &order()), "invoice.description_hash");
    assert_eq!(mismatch_field(&text, &order().description_text("tea")), "invoice.description_hash");
    let mismatch = check(&in_words, &order().description_text(terms)).unwrap_err();
    assert_eq!((mismatch.field(), mismatch.found()), ("invoice.description_hash", "absent"));
}
